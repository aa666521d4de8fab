"""The tab Summary of an export: a card for each experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from neural_core.errors import NeuralError
from neural_core.reading import ExperimentStore, StoredRun
from neural_ui._export_tables import number, swatch
from neural_ui._panels_timeline import duration, seconds_of

__all__ = ["summary"]

LATEST = 8
MOST_FILES = 50


def summary(store: ExperimentStore, runs: Sequence[StoredRun]) -> str:
    """Give the cards: status, start, duration, counts, latest values, tags, notes, files."""
    return f'<div class="cards">{"".join(_card(store, at, run) for at, run in enumerate(runs))}</div>'


def _card(store: ExperimentStore, at: int, run: StoredRun) -> str:
    row = run.row
    facts = {
        "Status": row.status,
        "Started": row.start_time[:19].replace("T", " ") + " UTC",
        "Duration": duration(seconds_of(run)),
        "Metrics": f"{len(row.metrics):,}",
        "Points": f"{sum(info.count for info in row.metrics.values()):,}",
        "Id": run.id,
    }
    if row.error:
        facts["Error"] = row.error
    listed = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in facts.items())
    tags = "".join(f"<li>{escape(name)}{escape(f': {text}' if text else '')}</li>" for name, text in row.tags.items())
    return (
        f'<article class="card" data-run="{at}"><h3>{swatch(at)}{escape(row.name)}</h3><dl>{listed}</dl>'
        + _latest(run)
        + (f'<ul class="tags">{tags}</ul>' if tags else "")
        + (f"<pre>{escape(row.notes)}</pre>" if row.notes else "")
        + _files(store, run)
        + "</article>"
    )


def _latest(run: StoredRun) -> str:
    every = list(run.row.metrics.items())
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{number(info.last)}</td></tr>' for name, info in every[:LATEST]
    )
    more = f"<caption>and {len(every) - LATEST:,} more</caption>" if len(every) > LATEST else ""
    return f'<table class="numbers latest">{more}<tbody>{rows}</tbody></table>' if rows else ""


def _files(store: ExperimentStore, run: StoredRun) -> str:
    """Name the artifacts with the beginnings of their checksums; their content is not in the file."""
    try:
        artifacts = store.detail(run.id).artifacts
    except (NeuralError, OSError):
        return ""  # a damaged experiment says so in its error
    rows = "".join(
        f"<li>{escape(one.name)} <small>{escape(_about(one.details))}</small></li>" for one in artifacts[:MOST_FILES]
    )
    more = f"<li>and {len(artifacts) - MOST_FILES:,} more</li>" if len(artifacts) > MOST_FILES else ""
    return f"<details><summary>{len(artifacts)} artifacts</summary><ul>{rows}{more}</ul></details>" if rows else ""


def _about(details: Mapping[str, Any]) -> str:
    version, size, digest = (details.get(name) for name in ("version", "size", "sha256"))
    parts = [f"v{version}" if version else "", f"{size:,} bytes" if size is not None else "", str(digest or "")[:12]]
    return " · ".join(part for part in parts if part)
