"""``python -m neural_ui``: serves the page where the `neural` command is not on the path."""

from __future__ import annotations

import argparse
import sys

from neural_core import ExperimentManager
from neural_core.errors import NeuralError
from neural_ui._comparison_ui import DEFAULT_PORT, ExperimentComparisonUI


def main() -> int:
    """Read the arguments and serve the page; an error is one sentence."""
    parser = argparse.ArgumentParser(prog="python -m neural_ui", description="Compare experiments in the browser.")
    parser.add_argument("--base-dir", default="neural_experiments", help="folder of the experiments")
    parser.add_argument("--port", type=int, help=f"port to serve on, 0 for any (default: {DEFAULT_PORT} or the next)")
    parser.add_argument("--host", default="127.0.0.1", help="address to bind to (default: 127.0.0.1)")
    parser.add_argument("--allow-remote", action="store_true", help="let other machines in, with a token")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    parser.add_argument("--debug", action="store_true", help="tell more in the terminal")
    given = parser.parse_args()
    port = DEFAULT_PORT if given.port is None else given.port
    try:
        page = ExperimentComparisonUI(ExperimentManager(given.base_dir), port)
        page.run(
            given.debug, given.host, given.allow_remote, open_browser=given.open, exact_port=given.port is not None
        )
    except NeuralError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a script talks to its terminal
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
