"""A comparison as one file that holds everything."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from neural_core._cli.output import make_folder
from neural_core._manager import ExperimentManager
from neural_core._plotting.render import write_bytes

__all__ = ["write_page"]


def write_page(manager: ExperimentManager, ids: Sequence[str], path: Path) -> Path:
    """Write the report of a comparison as one self-contained page at `path`; give the path.

    Raises:
        OSError: it cannot be written.
    """
    make_folder(path.parent)
    with tempfile.TemporaryDirectory(prefix="neural-report-") as folder:
        page = manager.export_comparison(ids, folder) / "report.html"
        return write_bytes(path, page.read_bytes())
