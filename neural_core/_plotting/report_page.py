"""The page of a comparison: plain HTML with everything in it."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from neural_core._plotting.style import colour_of
from neural_core._plotting.summary import Best, best_of, labels, parameters, short_texts
from neural_core._plotting.text import number, shorten
from neural_core.records import ComparedExperiment, Experiment

__all__ = ["report_page"]

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_CELL = 160

_STYLE = """
:root{--ink:#1b2333;--muted:#667085;--line:#e4e7ec;--wash:#f7f8fa;--best:#0b7a4b;--tint:#fff4e5;--mark:#f79009}
*{box-sizing:border-box}
body{margin:0;background:var(--wash);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
"DejaVu Sans",sans-serif}
main{max-width:1180px;margin:0 auto;padding:40px 28px 64px}
h1{font-size:28px;line-height:1.2;margin:0 0 6px;letter-spacing:-.01em}
h2{font-size:18px;margin:44px 0 4px}
p.note{color:var(--muted);margin:0 0 14px;font-size:13.5px}
.card{background:#fff;border:1px solid var(--line);border-radius:12px;overflow-x:auto}
table{border-collapse:separate;border-spacing:0;width:max-content;min-width:100%;font-size:14px;font-variant-numeric:tabular-nums}
th,td{padding:10px 16px;text-align:left;vertical-align:top;border-bottom:1px solid var(--line);
overflow-wrap:anywhere;min-width:118px;max-width:320px}
tr>:first-child{position:sticky;left:0;min-width:170px;background:#fff}
tr:last-child>*{border-bottom:0}
thead th{color:var(--muted);font-weight:600;font-size:12.5px;background:#fcfcfd}
tbody th{font-weight:600}
.swatch{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:8px}
.id{color:var(--muted);font:12.5px ui-monospace,"DejaVu Sans Mono",monospace}
.pill{display:inline-block;padding:1px 10px;border-radius:99px;font-size:12.5px;background:#eef1f5;color:#475467}
.pill.completed{background:#e3f5ec;color:#0b6b43}.pill.running{background:#e6efff;color:#2049b0}
.pill.failed,.pill.damaged{background:#fdeaea;color:#a62121}.pill.interrupted,.pill.stalled{background:#fff1dc;color:#8a4b05}
thead tr>*{vertical-align:bottom}thead tr>:first-child{background:#fcfcfd}
.best{color:var(--best);font-weight:700}
.small{font-weight:400;color:var(--muted);font-size:12.5px}
tr.differs>*{background:var(--tint)}tr.differs>th{box-shadow:inset 3px 0 var(--mark)}
tr.same>*{color:var(--muted);font-weight:400}
tr.differs td.absent,tr.same td.absent{color:#98a2b3}
figure{margin:0 0 18px;background:#fff;border:1px solid var(--line);border-radius:12px;padding:8px}
figure img{display:block;max-width:100%;height:auto;margin:0 auto}
footer{margin-top:44px;color:var(--muted);font-size:13px}
a{color:#2049b0}
@media print{body{background:#fff}main{padding:0}figure,.card{break-inside:avoid}}
"""


def report_page(experiments: Sequence[ComparedExperiment], pictures: Mapping[str, bytes], summary: bytes) -> str:
    """Write the page. All text of users is escaped; the policy in it forbids scripts and the network."""
    shown = labels(compared.experiment for compared in experiments)
    count = f"{len(experiments)} experiment{'s' if len(experiments) != 1 else ''}"
    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    body = "".join(
        (
            f"<header><h1>Comparison of {count}</h1><p class=note>Made with neural on {made}</p></header>",
            _overview(experiments),
            _best(experiments, shown),
            _hyperparameters(experiments, shown),
            _charts(pictures),
            _data(summary),
        )
    )
    page = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" '
        f'content="{_POLICY}"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Comparison of {count}</title><style>{_STYLE}</style></head><body><main>{body}</main></body></html>\n"
    )
    return page.encode("utf-8", "replace").decode("utf-8")


def _text(text: str, length: int = _CELL) -> str:
    """Escape, cut in the middle, and isolate the direction, so that no name can turn its neighbours around."""
    return f"<bdi>{html.escape(shorten(text, length))}</bdi>"


def _name(label: str, place: int) -> str:
    return f'<span class=swatch style="background:{colour_of(place)}"></span>{_text(label, 80)}'


def _table(head: Sequence[str], rows: Sequence[str]) -> str:
    cells = "".join(f"<th scope=col>{cell}</th>" for cell in head)
    return f"<div class=card><table><thead><tr>{cells}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"


def _overview(experiments: Sequence[ComparedExperiment]) -> str:
    rows = []
    for place, compared in enumerate(experiments):
        record = compared.experiment
        points = sum(len(series) for series in compared.series.values())
        status = html.escape(record.status, quote=True)
        rows.append(
            f"<tr><th scope=row>{_name(record.name or 'unnamed', place)}</th>"
            f"<td class=id>{_text(record.experiment_id)}</td>"
            f'<td><span class="pill {status}">{status}</span></td><td>{_when(record.start_time)}</td>'
            f"<td>{_duration(record)}</td><td>{len(compared.series):,}</td><td>{points:,}</td></tr>"
        )
    head = ["Experiment", "Id", "Status", "Started (UTC)", "Duration", "Metrics", "Points"]
    return f"<section><h2>Overview</h2><p class=note></p>{_table(head, rows)}</section>"


def _when(moment: str | None) -> str:
    return "—" if not moment else _text(moment[:16].replace("T", " "))


def _duration(record: Experiment) -> str:
    try:
        start, end = datetime.fromisoformat(record.start_time or ""), datetime.fromisoformat(record.end_time or "")
        seconds = max(timedelta(0), end - start).total_seconds()
    except (ValueError, TypeError):  # not ended, not ISO 8601, or one of the two without a zone
        return "—"
    hours, minutes = divmod(int(seconds) // 60, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {int(seconds) % 60:02d} s"


def _best(experiments: Sequence[ComparedExperiment], shown: Sequence[str]) -> str:
    rows = []
    for metric in dict.fromkeys(name for compared in experiments for name in compared.series):
        found = [best_of(c.series[metric], metric) if metric in c.series else None for c in experiments]
        there = [best for best in found if best is not None]
        if there:
            rows.append(_best_row(metric, found, there))
    if not rows:
        return ""
    head = ["Metric", *(_name(label, place) for place, label in enumerate(shown))]
    note = "Best finite value and the step where it came first; the direction is told from the metric's name."
    return f"<section><h2>Best metrics</h2><p class=note>{note}</p>{_table(head, rows)}</section>"


def _best_row(metric: str, found: Sequence[Best | None], there: Sequence[Best]) -> str:
    lower = there[0].mode == "min"
    winner = (min if lower else max)(best.value for best in there)
    arrow = "↓ lower is better" if lower else "↑ higher is better"
    cells = "".join(_best_cell(best, winner, alone=len(found) == 1) for best in found)
    return f"<tr><th scope=row>{_text(metric, 80)}<br><span class=small>{arrow}</span></th>{cells}</tr>"


def _best_cell(best: Best | None, winner: float, *, alone: bool) -> str:
    if best is None:
        return "<td class=absent>—</td>"
    step = "" if best.step is None else f"<br><span class=small>step {best.step:,}</span>"
    mark = " class=best" if best.value == winner and not alone else ""
    return f"<td><span{mark}>{number(best.value, 5)}</span>{step}</td>"


def _hyperparameters(experiments: Sequence[ComparedExperiment], shown: Sequence[str]) -> str:
    found = parameters(experiments)
    if not found:
        return ""
    rows = []
    for row in found:
        cells = "".join(
            "<td class=absent>—</td>" if text is None else f"<td>{_text(text)}</td>" for text in short_texts(row.texts)
        )
        mark = "differs" if row.differs else "same"
        rows.append(f"<tr class={mark}><th scope=row>{_text(row.name, 80)}</th>{cells}</tr>")
    differing = sum(row.differs for row in found)
    note = f"{differing} of {len(found)} differ; they come first and are marked." if differing else "All are the same."
    head = ["Hyperparameter", *(_name(label, place) for place, label in enumerate(shown))]
    return f"<section><h2>Hyperparameters</h2><p class=note>{note}</p>{_table(head, rows)}</section>"


def _charts(pictures: Mapping[str, bytes]) -> str:
    figures = "".join(
        f'<figure><img alt="{html.escape(key.replace("_", " "), quote=True)}" src="{_data_uri("image/png", png)}">'
        "</figure>"
        for key, png in pictures.items()
        if not key.startswith("hyperparameters")
    )
    return f"<section><h2>Charts</h2><p class=note></p>{figures}</section>" if figures else ""


def _data(summary: bytes) -> str:
    link = f'<a download="summary.json" href="{_data_uri("application/json", summary)}">summary.json</a>'
    return (
        f"<footer>The numbers of this page: {link}. All points are in metrics.csv, "
        "all hyperparameters in hyperparameters.csv beside it.</footer>"
    )


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
