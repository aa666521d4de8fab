"""Puts the pages of the site into one folder: those of docs/, and those that live elsewhere in the checkout.

A page's links are those of the checkout, so GitHub follows them. Here each is turned to the page that its file has
become; a link to a file that has become none is an error.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

__all__ = ["DOCS", "OUTSIDE", "ROOT", "BrokenLinkError", "assemble"]

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

OUTSIDE = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "LICENSE": "more/license.md",
    "benchmarks/README.md": "more/benchmarks.md",
    "benchmarks/results.md": "more/results.md",
    "examples/experiment_tracking_example.py": "more/tour.md",
    "examples/nan_alert.py": "more/nan_alert.md",
    "examples/neural_csv/README.md": "more/neural_csv.md",
    "examples/neural_panel/README.md": "more/neural_panel.md",
    "neural/tracking/README.md": "more/technical-notes.md",
    "plugins/neural_mlflow/README.md": "backends/mlflow.md",
    "plugins/neural_tensorboard/README.md": "backends/tensorboard.md",
    "plugins/neural_ui/README.md": "backends/ui.md",
    "plugins/neural_wandb/README.md": "backends/wandb.md",
}
"""File of the checkout → page of the site. Files that are no Markdown are shown as they are."""

COPIED = {"benchmarks/peers.json": "more/peers.json"}
"""File of the checkout that is no page → where its copy is. It is made by a run of the benchmarks; before, no link."""

INSTEAD = {"README.md": "index.md"}
"""File of the checkout that is no page of its own → the page that a link to it leads to."""

_LINK = re.compile(r"(!?)\[([^\]]*)\]\(((?!\w+:|#)[^)#\s]+)((?:#[^)\s]*)?)\)")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


class BrokenLinkError(Exception):
    """A page links to a file that is no page of the site."""


def assemble(target: Path) -> None:
    """Make a folder hold every page, picture and style; what is the same already is not touched.

    Raises:
        BrokenLinkError: a page links to a file that is no page of the site.
    """
    wanted = {target / name: content for name, content in _files()}
    for path, content in wanted.items():
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    for path in target.rglob("*"):
        if path.is_file() and path not in wanted:
            path.unlink()


def _files() -> Iterator[tuple[str, bytes]]:
    """Give the files of the site, each with its name there."""
    for path in sorted(DOCS.rglob("*")):
        name = path.relative_to(DOCS).as_posix()
        if path.is_file() and not name.startswith("site/"):
            yield name, _page(f"docs/{name}", name) if path.suffix == ".md" else path.read_bytes()
    for place, page in OUTSIDE.items():
        yield page, _page(place, page)
    for place, copy in COPIED.items():
        if (ROOT / place).exists():
            yield copy, (ROOT / place).read_bytes()


def _page(place: str, page: str) -> bytes:
    text = (ROOT / place).read_text(encoding="utf-8")
    return (_turned(text, place, page) if place.endswith(".md") else _shown(text, place)).encode()


def _shown(text: str, place: str) -> str:
    """Make a page of a file that is no Markdown."""
    language = "python" if place.endswith(".py") else "text"
    return f"# {posixpath.basename(place)}\n\nThe file `{place}` of the checkout.\n\n```{language}\n{text}```\n"


def _turned(text: str, place: str, page: str) -> str:
    """Turn the links of a page; what stands in blocks of code is left alone."""

    def turn(link: re.Match[str]) -> str:
        picture, label, target, anchor = link.groups()
        wanted = posixpath.normpath(posixpath.join(posixpath.dirname(place), target))
        if wanted in COPIED and not (ROOT / wanted).exists():
            return label
        made = _page_of(wanted)
        if made is None:
            raise BrokenLinkError(f"{place} links to {wanted}, which is no page of the site: docs/site/assemble.py")
        return f"{picture}[{label}]({posixpath.relpath(made, posixpath.dirname(page) or '.')}{anchor})"

    pieces, end = [], 0
    for fence in _FENCE.finditer(text):
        pieces += [_LINK.sub(turn, text[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*pieces, _LINK.sub(turn, text[end:])])


def _page_of(wanted: str) -> str | None:
    """Give the page, or the picture, that a file or folder of the checkout has become."""
    place = f"{wanted}/README.md" if (ROOT / wanted).is_dir() else wanted
    made = OUTSIDE.get(place) or COPIED.get(place) or INSTEAD.get(place)
    return made or (place.removeprefix("docs/") if place.startswith("docs/") and (ROOT / place).exists() else None)
