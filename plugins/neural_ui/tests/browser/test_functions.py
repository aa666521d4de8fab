"""The pure functions of the page's scripts, run where they live."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

RUN = """({
  id: "a1b2", name: "resnet50-AdamW", ordinal: 3, status: "completed", started: 0, ended: 60, error: null,
  params: {"optim.lr": 5e-4, optimizer: "AdamW", depth: 50, flag: true},
  tags: {paper: "icml", team: "vision"},
  metrics: {"val/loss": {count: 9, last: 0.5, lastStep: 8, min: 0.4, minStep: 6, max: 2, maxStep: 0}},
})"""


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", True),
        ("resnet", True),
        ("adamw icml", True),
        ("lr<1e-3", True),
        ("lr>1e-3", False),
        ("learning_rate<1", False),
        ("depth=50", True),
        ("depth!=50", False),
        ("depth>=50", True),
        ("optimizer=adamw", True),
        ("flag=true", True),
        ("val/loss<0.45", True),
        ("duration>30", True),
        ("status:completed", True),
        ("status:failed", False),
        ("tag:paper", True),
        ("tag:paper=icml", True),
        ("tag:paper=iclr", False),
        ("-tag:team", False),
        ("-debug", True),
        ("/resnet(50|101)/", True),
        ("/^adamw/", False),
        ('"resnet50-AdamW"', True),
        ("missing<3", False),
    ],
)
def test_search_language(page: Page, search: str, found: bool) -> None:
    """Each word of the search language shows what its help says."""
    assert page.evaluate(f"search => neural.filter.parse(search).test({RUN})", search) is found


@pytest.mark.parametrize("search", ["/(/", "lr<abc"])
def test_search_tells_what_it_cannot_read(page: Page, search: str) -> None:
    """A word that cannot be read shows nothing less: the problem is told in a sentence."""
    problem, shown = page.evaluate(
        f"search => {{ const one = neural.filter.parse(search); return [one.problem, one.test({RUN})]; }}", search
    )
    assert problem.endswith(".")
    assert shown is True


def test_smoothing_keeps_a_constant(page: Page) -> None:
    """Smoothing a constant gives the constant from the first point on: the start is not pulled to zero."""
    values = page.evaluate("[...neural.smoothing.ema([0, 1, 5, 6, 100], [3, 3, 3, 3, 3], 20)]")
    assert values == pytest.approx([3] * 5)


def test_smoothing_is_a_matter_of_x(page: Page) -> None:
    """The same curve in twice as many points is smoothed to the same values: what counts is x, not the index."""
    apart = page.evaluate(
        """() => {
          const curve = (n) => {
            const x = Float64Array.from({length: n}, (_, i) => 1000 * (i + 0.5) / n);
            return neural.smoothing.ema(x, x.map(v => Math.sin(v / 150)), 80)[n - 1];
          };
          return Math.abs(curve(500) - curve(4000));
        }"""
    )
    assert apart < 0.01


def test_smoothing_leaves_gaps(page: Page) -> None:
    """A value that is not a number stays a gap and does not touch the others."""
    assert page.evaluate(
        "(() => { const [a, b, c] = neural.smoothing.ema([0, 1, 2], [1, NaN, 1], 5);"
        " return [a, Number.isNaN(b), c]; })()"
    ) == [1, True, pytest.approx(1)]


@pytest.mark.parametrize(("wanted", "index"), [(-5, 0), (0, 0), (4, 1), (6, 2), (7, 2), (99, 3)])
def test_nearest(page: Page, wanted: float, index: int) -> None:
    """The nearest point is found, at the ends too."""
    assert page.evaluate(f"neural.stats.nearest(Float64Array.of(0, 4, 7, 20), {wanted})") == index


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.93121", "0.9312"),
        ("12345", "12,345"),
        ("1.5e-7", "1.5e\u22127"),
        ("NaN", "NaN"),
        ("-Infinity", "\u2212\u221e"),
        ("null", "\u2013"),
        ("0", "0"),
        ("-2.5", "\u22122.500"),
    ],
)
def test_numbers(page: Page, value: str, text: str) -> None:
    """Numbers are short, exact enough, and never lie about what they are."""
    assert page.evaluate(f"neural.format.number({value})") == text


def test_groups_have_mean_and_deviation(page: Page) -> None:
    """A group's line is the mean over its runs in each cell, its band one deviation or the extremes."""
    merge = """agg => {
      const run = (y) => ({x: Float64Array.of(0, 10), mean: Float64Array.from(y)});
      const one = neural.grouping.merge([run([1, 2]), run([3, 6])], null, agg);
      return [[...one.mean], [...one.min], [...one.max], [...one.n]];
    }"""
    assert page.evaluate(merge, "minmax") == [[2, 4], [1, 2], [3, 6], [2, 2]]
    mean, low, high, _ = page.evaluate(merge, "std")
    assert mean == [2, 4]
    assert (low[0], high[0]) == pytest.approx((2 - 2**0.5, 2 + 2**0.5))


def test_groups_of_runs_that_log_differently_often(page: Page) -> None:
    """A run that logs seldom counts between its points too, so that the mean does not jump from point to point."""
    values = page.evaluate(
        """() => {
          const run = (x, y) => ({x: Float64Array.from(x), mean: Float64Array.from(y)});
          const often = run([0, 1, 2, 3, 4], [1, 1, 1, 1, 1]);
          const seldom = run([0, 4], [3, 3]);
          const one = neural.grouping.merge([often, seldom], 1, "std");
          return [[...one.mean], [...one.n]];
        }"""
    )
    assert values == [[2] * 5, [2] * 5]


def test_cells_of_csv_are_no_formulas(page: Page) -> None:
    """A text that a spreadsheet would run is quoted; numbers stay numbers."""
    assert page.evaluate("neural.exporting.cell('=cmd()')") == "'=cmd()"
    assert page.evaluate("neural.exporting.cell(-1.5)") == "-1.5"
    assert page.evaluate("neural.exporting.cell('a,\"b')") == '"a,""b"'


@pytest.mark.fault("U07")
def test_texts_for_plotly_are_literal(page: Page) -> None:
    """What Plotly would read as markup, formula or template reaches it escaped."""
    text = page.evaluate("neural.format.plotly('<b>x</b> $y$ %{z}')")
    assert text == "&lt;b&gt;x&lt;/b&gt; &#36;y&#36; %&#123;z}"


def test_tints_mark_shared_values(page: Page) -> None:
    """In the diff the baseline's value has no tint, values shared by runs have one of their own, others a plain one."""
    assert page.evaluate("neural.diff.tints(['a', 'b', 'a', 'b', 'c'])") == [0, 1, 0, 1, "own"]


@pytest.mark.parametrize(
    "state",
    [
        "?tab=best&smooth=30&x=wall&zoom=1.5~9&runs=abc,def&group=tag:paper&logs=%5B%22a,b%22%5D&link=0&logx=1",
        "?q=lr%3C1e-3&sort=name&up=1&band=all&y=log&columns=3&base=abc",
    ],
)
def test_address_and_state_are_inverse(page: Page, state: str) -> None:
    """A view survives its way through the address."""
    there = """(text) => {
      const state = {...neural.state.defaults, selected: new Set(), ...neural.url.fromQuery(text)};
      return neural.url.toQuery(state);
    }"""
    once = page.evaluate(there, state)
    assert page.evaluate(there, f"?{once}") == once
    assert len(once) > 20


def test_chosen_columns_are_written_short(page: Page) -> None:
    """The address has the chosen columns, or those left out, whichever is shorter, and they are read again."""
    script = """shown => {
        const keys = ["name", "tags", "p:a,b", "best:é"];
        const text = neural.tablerows.textOf(new Set(shown), keys);
        return [text, [...neural.tablerows.chosenOf(text, keys)]];
    }"""
    assert page.evaluate(script, ["name", "tags", "p:a,b", "best:é"]) == ["", ["name", "tags", "p:a,b", "best:é"]]
    assert page.evaluate(script, ["name", "tags"]) == ["name,tags", ["name", "tags"]]
    assert page.evaluate(script, ["name", "p:a,b", "best:é"]) == ["-tags", ["name", "p:a,b", "best:é"]]
