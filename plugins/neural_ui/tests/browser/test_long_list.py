"""Lists of many runs: the newest are there at once, and then all of them."""

from __future__ import annotations

from pathlib import Path

from page import NewPage, Serve
from playwright.sync_api import expect


def test_the_newest_runs_come_first(new_page: NewPage, serve: Serve, store_1000_runs: Path) -> None:
    """Of a thousand runs the page asks for the newest, draws, and then has all, in whatever answers they come."""
    many = new_page(serve(store_1000_runs))
    page = many.open()
    asked = [request for request in many.requests if "/api/v1/runs" in request]
    assert asked[0] == "GET /api/v1/runs?newest=500"
    assert page.evaluate("[neural.runs.all().length, neural.runs.whole()]") == [1_000, True]
    expect(page.locator("#run-counts")).to_have_text("10 of 1,000 selected")


def test_an_old_run_of_a_link_is_there(new_page: NewPage, serve: Serve, store_1000_runs: Path) -> None:
    """A link to a run that is not among the newest shows it, and no other."""
    url = serve(store_1000_runs)
    oldest = new_page(url).open().evaluate("neural.runs.all().find(run => run.ordinal === 0).id")
    linked = new_page(url)
    page = linked.open(f"?runs={oldest}")
    assert page.evaluate("[...neural.state.get().selected]") == [oldest]
    linked.until("neural.cards.visible().every(card => card.built && card.built.lines.length === 1)")


def test_rows_stay_while_the_list_scrolls(new_page: NewPage, serve: Serve, store_1000_runs: Path) -> None:
    """A row that stays in sight while the list scrolls is not made anew, and the rows stand in their order."""
    many = new_page(serve(store_1000_runs))
    page = many.open()
    kept = page.evaluate(
        "(() => { const row = document.querySelectorAll('.run-row')[8]; neural.$('run-list').scrollTop = 64;"
        " neural.runlist.draw(true); return row.isConnected; })()"
    )
    assert kept
    for top in (640, 320, 0):
        page.evaluate(f"neural.$('run-list').scrollTop = {top}")
        many.until(
            "(rows => rows.every((row, at) => row.dataset.id === neural.selection.rows()[+row.ariaPosInSet - 1].id"
            " && (at === 0 || +row.ariaPosInSet === +rows[at - 1].ariaPosInSet + 1)))"
            f"([...document.querySelectorAll('.run-row')]) && neural.$('run-list').scrollTop === {top}"
        )
