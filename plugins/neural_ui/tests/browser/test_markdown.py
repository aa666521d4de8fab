"""Notes as Markdown: what becomes an element, and that nothing else does."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

BOX = """async text => {
    const box = document.createElement("div");
    box.append(await neural.markdown.render(text));
    return %s;
}"""
MARKUP = BOX % "box.innerHTML"
LINKS = BOX % "[...box.querySelectorAll('a')].map(a => [a.href, a.rel, a.target])"
SIZE = """async text => {
    const box = document.createElement("div");
    box.append(await neural.markdown.render(text.repeat(100_000)));
    const depth = one => (one === box ? 0 : 1 + depth(one.parentElement));
    const all = [...box.querySelectorAll("*")];
    return [all.length, Math.max(...all.map(depth))];
}"""


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("one\ntwo\n\nthree", "<p>one<br>two</p><p>three</p>"),
        ("# A\n### B **c**", "<h4>A</h4><h6>B <strong>c</strong></h6>"),
        (
            "*a* _b_ **c** __d__ ~~e~~",
            "<p><em>a</em> <em>b</em> <strong>c</strong> <strong>d</strong> <s>e</s></p>",
        ),
        ("***a*** **b *c* d**", "<p><em><strong>a</strong></em> <strong>b <em>c</em> d</strong></p>"),
        ("snake_case_name and 2 * 3 * 4", "<p>snake_case_name and 2 * 3 * 4</p>"),
        (r"\*not\* `f*g*` `` a`b ``", "<p>*not* <code>f*g*</code> <code>a`b</code></p>"),
        ("- a\n- b\n  - c\n- d", "<ul><li>a</li><li>b<ul><li>c</li></ul></li><li>d</li></ul>"),
        ("- [x] a\n- [ ] b", "<ul><li>☑ a</li><li>☐ b</li></ul>"),
        ("3. a\n4. b\nc", '<ol start="3"><li>a</li><li>b<br>c</li></ol>'),
        ("> a\n> - b\n---", "<blockquote><p>a</p><ul><li>b</li></ul></blockquote><hr>"),
        ("```py\nx = '<b>'\n```\nend", "<pre><code>x = '&lt;b&gt;'</code></pre><p>end</p>"),
        ("<b>bold</b> &amp;", "<p>&lt;b&gt;bold&lt;/b&gt; &amp;</p>"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
        ("![x](https://x.example/1.png)", '<p>!<a href="https://x.example/1.png"'),
        ("a|b\n-|-\n1|2", "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td>"),
    ],
)
def test_markdown(page: Page, text: str, markup: str) -> None:
    """Headings, lists, tables, quotes, code and emphasis become elements; markup stays text, pictures are links."""
    assert page.evaluate(MARKUP, text).startswith(markup)


def test_links(page: Page) -> None:
    """Addresses of the web become links that tell the other side nothing; every other address stays text."""
    text = "[a](https://x.example/1) https://x.example/2. [b](data:text/html,x) [c](/local) [d](HTTP://x.example)"
    links = page.evaluate(LINKS, text)
    assert [href for href, _, _ in links] == ["https://x.example/1", "https://x.example/2", "http://x.example/"]
    assert {(rel, target) for _, rel, target in links} == {("noopener noreferrer", "_blank")}


@pytest.mark.parametrize("text", ["*", "[", "_a", "`", "~~", "> ", "- \n", "  ", "***a", "[a](", "https://", "1. "])
def test_no_text_takes_long_to_read(page: Page, text: str) -> None:
    """Notes that mean harm are read with bounded work: a bounded number of elements, none of them deep in others."""
    elements, deepest = page.evaluate(SIZE, text)
    assert elements <= 25_000
    assert deepest <= 20
