"""Lists of many runs: the newest are there at once, and then all of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from page import NewPage, Serve, UiPage
from playwright.sync_api import Route, expect


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


CHOSEN = "[...neural.state.get().selected]"
NEWEST = "neural.runs.all().sort((a, b) => b.ordinal - a.ordinal).slice(0, 10).map(run => run.id)"


@pytest.fixture
def late(new_page: NewPage, serve: Serve, store_1000_runs: Path) -> UiPage:
    """A page whose server has not read the newest runs when it is asked first, as where old folders were touched."""
    url = serve(store_1000_runs)
    new_page(url).open()  # the server knows every run now
    late = new_page(url)

    def answer(route: Route) -> None:
        response = route.fetch()
        content = response.json()
        runs = {field: values[250:] for field, values in content["runs"].items()}
        route.fulfill(response=response, json=content | {"runs": runs, "cursor": "", "pending": 750})

    late.page.route("**/api/v1/runs?newest=500", answer)
    return late


def test_a_run_that_is_read_late_may_be_the_newest(late: UiPage) -> None:
    """Who has chosen nothing sees the newest ten runs as soon as all are read, in whatever order that was."""
    page = late.open()
    assert page.evaluate(CHOSEN) == page.evaluate(NEWEST)
    expect(page.locator("#run-counts")).to_have_text("10 of 1,000 selected")


def test_a_choice_waits_for_runs_that_are_read_late(late: UiPage) -> None:
    """Runs of a link, and those chosen last, stay selected when they are read late; one that is nowhere does not."""
    page = late.open()
    newest = page.evaluate(NEWEST)
    late.open(f"?runs={newest[3]},000000000000")
    assert page.evaluate(CHOSEN) == [newest[3]]
    page.evaluate(f"neural.state.select({newest[4:6]})")
    late.open()
    assert page.evaluate(CHOSEN) == newest[4:6]
    late.open("?runs=000000000000")
    assert page.evaluate(CHOSEN) == newest[4:6]


def test_the_drawer_of_a_link_waits_for_its_run(late: UiPage) -> None:
    """A link to one run opens it also when it is read late; one that is nowhere opens nothing."""
    newest = late.open().evaluate(NEWEST)
    page = late.open(f"?run={newest[2]}")
    expect(page.locator("#drawer")).to_be_visible()
    assert late.open("?run=000000000000").evaluate("neural.state.get().run") == ""
    expect(page.locator("#drawer")).to_be_hidden()


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
