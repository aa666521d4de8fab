"""Builds the documentation as a site: `python -m docs.site`, from the root of a checkout.

The pages are put together in build/docs/, and Zensical makes site/ of them. A warning is an error. With `--serve` the
site is shown on this machine, and built again when a page changes.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from docs.site.assemble import DOCS, OUTSIDE, ROOT, BrokenLinkError, assemble

CONFIGURATION = "zensical.toml"
LOOK_EVERY = 1.0  # seconds between two looks for a changed page


def build(project: Path) -> Path:
    """Build the site in a folder of its own, and give the folder with index.html.

    Raises:
        BrokenLinkError: a page links to a file that is no page of the site.
        subprocess.CalledProcessError: Zensical has found something wrong, and said what.
    """
    _prepare(project)
    shutil.rmtree(project / "site", ignore_errors=True)
    # Clean: the cache goes by the pages, and does not know when a docstring has changed.
    subprocess.run([*_zensical("build"), "--strict", "--clean"], cwd=project, check=True)
    return project / "site"


def serve(project: Path, arguments: Sequence[str]) -> int:
    """Show the site until Ctrl-C; a page that changes is built again."""
    _prepare(project)
    server = subprocess.Popen([*_zensical("serve"), *arguments], cwd=project)
    seen = _times()
    try:
        while server.poll() is None:
            time.sleep(LOOK_EVERY)
            if (now := _times()) != seen:
                seen = now
                assemble(project / "pages")
    except KeyboardInterrupt:
        pass
    return server.wait()


def _prepare(project: Path) -> None:
    project.mkdir(parents=True, exist_ok=True)
    shutil.copy(DOCS / "site" / CONFIGURATION, project)
    assemble(project / "pages")


def _zensical(verb: str) -> list[str]:
    return [sys.executable, "-m", "zensical", verb]


def _times() -> list[int]:
    """When the pages changed last."""
    places = [*(path for path in DOCS.rglob("*") if path.is_file()), *(ROOT / place for place in OUTSIDE)]
    return [path.stat().st_mtime_ns for path in places]


def main() -> int:
    """Build or serve; give the exit status."""
    parser = argparse.ArgumentParser(prog="python -m docs.site", description="Build the documentation.")
    parser.add_argument("--serve", action="store_true", help="show it on this machine while you write")
    arguments, further = parser.parse_known_args()
    project = ROOT / "build" / "docs"
    try:
        if arguments.serve:
            return serve(project, further)
        made = build(project)
    except BrokenLinkError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a script talks to its terminal
        return 1
    except subprocess.CalledProcessError as error:
        return error.returncode
    shutil.rmtree(ROOT / "site", ignore_errors=True)
    shutil.move(made, ROOT / "site")
    return 0


if __name__ == "__main__":
    sys.exit(main())
