"""A browser for benchmarks, and the scripts that take times inside its pages."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# The stores and the server of the browser tests serve here as well.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "plugins" / "neural_ui" / "tests" / "browser"))

__all__ = ["Chromium", "frames", "timed"]

VIEW = {"width": 1440, "height": 900}
READY_MS = 120_000

_TIMED = """async work => {
    const frame = () => new Promise(done => requestAnimationFrame(done));
    const start = performance.now();
    const until = await (new Function('return (' + work + ')')())();
    while (until && !until()) await frame();
    await frame();
    await frame();
    return performance.now() - start;
}"""


class Chromium:
    """Starts browsers with an empty profile each."""

    def __init__(self, playwright: Any) -> None:
        """Find the system's Chromium.

        Raises:
            RuntimeError: there is none.
        """
        found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        if found is None:
            raise RuntimeError("these benchmarks need Chromium: apt-get install chromium")
        self._path, self._playwright = found, playwright

    @contextlib.contextmanager
    def fresh(self) -> Iterator[Browser]:
        """Give a browser that has seen nothing yet."""
        from page import ARGUMENTS

        browser = self._playwright.chromium.launch(executable_path=self._path, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()

    def first_charts(self, address: str, measure: str) -> tuple[float, float]:
        """Load a page twice; give the milliseconds that `measure` resolves to, of a cold and of a warm cache."""
        with self.fresh() as browser:
            context = browser.new_context(viewport=VIEW)  # type: ignore[arg-type]
            times = []
            for _ in range(2):
                page = context.new_page()
                page.goto(address, wait_until="commit")
                times.append(float(page.evaluate(measure)))
                page.close()
            return times[0], times[1]

    @contextlib.contextmanager
    def open(self, address: str) -> Iterator[Page]:
        """Give one of our pages, ready."""
        with self.fresh() as browser:
            page = browser.new_page(viewport=VIEW, bypass_csp=True)  # type: ignore[arg-type]  # the clocks are scripts
            page.goto(address)
            page.locator('body[data-state="ready"]').wait_for(timeout=READY_MS)
            yield page


def timed(page: Page, work: str) -> float:
    """Give the milliseconds from calling `work` until two frames after what it returns is true.

    Args:
        page: one of ours.
        work: a script, ``() => { …; return () => condition; }``; without a condition the next frames count.
    """
    return float(page.evaluate(_TIMED, work))


def frames(page: Page, step: str, count: int) -> list[float]:
    """Do something once per frame; give the milliseconds of each frame."""
    found: list[float] = page.evaluate(
        """async ([step, count]) => {
            const work = new Function('at', step);
            const frame = () => new Promise(done => requestAnimationFrame(done));
            const times = [];
            await frame();
            let before = performance.now();
            for (let at = 0; at < count; at += 1) {
                work(at);
                await frame();
                const now = performance.now();
                times.push(now - before);
                before = now;
            }
            return times;
        }""",
        [step, count],
    )
    return found
