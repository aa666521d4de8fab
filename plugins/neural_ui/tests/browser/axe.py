"""axe-core, which looks at a page for what keeps people out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from page import UiPage

__all__ = ["AXE", "violations"]

AXE = Path(__file__).parent / "vendor" / "axe.min.js"


def violations(ui: UiPage, where: str = "document") -> list[str]:
    """Let axe-core look at the page; give its serious and critical findings, one line each."""
    ui.page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = ui.page.evaluate(f"axe.run({where}).then(found => found.violations)")
    return [
        f"{one['impact']} {one['id']}: {node['html'][:120]} ({node['failureSummary'].splitlines()[-1].strip()})"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
