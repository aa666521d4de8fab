"""The guide's script: ``python neural/tracking/comparison_ui.py --port 8052 --base-dir ./neural_experiments``."""

from __future__ import annotations

import argparse
import sys

from neural_core import ExperimentComparisonUI, ExperimentManager
from neural_core.errors import NeuralError

_PORT = 8052


def main() -> int:
    """Read the arguments and serve the page; an error is one sentence."""
    parser = argparse.ArgumentParser(description="Compare experiments in the browser.")
    parser.add_argument("--port", type=int, help=f"port to serve on (default: {_PORT}, or the next that is free)")
    parser.add_argument("--base-dir", default="neural_experiments", help="folder of the experiments")
    parser.add_argument("--debug", action="store_true", help="tell more in the terminal")
    arguments = parser.parse_args()
    asked = {"exact_port": True} if arguments.port == _PORT else {}  # another port is never exchanged
    try:
        page = ExperimentComparisonUI(
            ExperimentManager(arguments.base_dir), _PORT if arguments.port is None else arguments.port
        )
        page.run(debug=arguments.debug, **asked)
    except NeuralError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a script talks to its terminal
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
