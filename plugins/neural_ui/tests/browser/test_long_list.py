"""Lists of many runs: the newest are there at once, and then all of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from asking import ask
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
    while json.loads(ask(url, "/api/v1/runs").body)["pending"]:
        pass  # the server reads on with every answer
    late = new_page(url)

    def first(route: Route) -> None:
        response = route.fetch()
        content = response.json()
        runs = {field: values[253:] for field, values in content["runs"].items()}
        ordinals = list(range(999, 752, -1))  # those not read are taken for the oldest
        params = [one | {"lr": 0.01 * (1 + at % 2)} for at, one in enumerate(runs["params"])]
        metrics = [{name: row for name, row in one.items() if name != "loss"} for one in runs["metrics"]]
        runs |= {"ordinal": ordinals, "params": params, "metrics": metrics}
        cursor = content["cursor"].split("-")[0] + "-0"
        route.fulfill(response=response, json=content | {"runs": runs, "cursor": cursor, "pending": 753})

    def rest(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, json=response.json() | {"grown": []})  # rows that are read first have not

    late.page.route("**/api/v1/runs?newest=500", first)
    late.page.route("**/api/v1/changes?cursor=*-0", rest)
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


def test_runs_that_are_read_late_are_drawn(late: UiPage) -> None:
    """Charts show a selected run that is read late, and every line has the colour that its run has in the end."""
    every = late.open().evaluate("neural.runs.all().sort((a, b) => b.ordinal - a.ordinal).map(run => run.id)")
    wanted = [every[3], every[300], every[301]]
    late.open(f"?runs={','.join(wanted)}&group=param:seed&charts=loss")
    late.until("neural.cards.get('loss')?.built?.lines.length === 3")
    expect(late.page.get_by_role("list", name="Groups").get_by_role("listitem")).to_have_count(3)
    late.open(f"?runs={','.join(wanted)}&charts=metric_0")
    late.until(
        "neural.cards.get('metric_0')?.built?.lines.length === 3 && neural.cards.get('metric_0').built.lines.every("
        "line => line.color === neural.colors.of(neural.runs.get(line.id)))"
    )


def test_what_is_chosen_by_rule_is_chosen_among_all_runs(late: UiPage) -> None:
    """The metric of the list, the parameter of the scatter and a logarithmic axis are those that all runs ask for."""
    page = late.open("?tab=hyperparameters")
    expect(page.locator("#list-metric")).to_contain_text("loss")
    expect(page.locator("#scatter-param")).to_have_value("lr")
    expect(page.get_by_role("button", name="log lr")).to_have_attribute("aria-pressed", "true")


def test_what_is_shown_while_runs_are_read_is_no_choice(late: UiPage) -> None:
    """Loading the page again while runs are still being read does not make a choice of what it showed by then."""
    late.page.route("**/api/v1/changes?cursor=*-0", lambda route: None)
    late.page.goto(late.url)
    late.wait_ready()
    late.page.evaluate("neural.url.flush()")
    assert late.page.evaluate("[neural.state.get().selected.size, location.search]") == [10, ""]


def test_a_list_that_was_not_read_to_its_end_is_read_again(
    new_page: NewPage, serve: Serve, store_1000_runs: Path
) -> None:
    """When the answer with all runs is lost, the page asks for them again by itself."""
    many = new_page(serve(store_1000_runs))
    with many.expecting("ERR_FAILED|Failed to load"):
        many.page.route("**/api/v1/runs", lambda route: route.abort(), times=1)
        many.open()
        many.page.evaluate("neural.live.ask()")
        many.until("neural.runs.all().length === 1000")


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
