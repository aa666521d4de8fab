"""The guide's script: ``python neural/tracking/comparison_ui.py --port 8052 --base-dir ./neural_experiments``."""

from __future__ import annotations

import argparse
import sys

from neural_core import launch_comparison_ui
from neural_core.errors import NeuralError


def main() -> int:
    """Read the arguments and serve the page; an error is one sentence."""
    parser = argparse.ArgumentParser(description="Compare experiments in the browser.")
    parser.add_argument("--port", type=int, default=8052, help="port to serve on (default: 8052)")
    parser.add_argument("--base-dir", default="neural_experiments", help="folder of the experiments")
    parser.add_argument("--debug", action="store_true", help="tell more in the terminal")
    arguments = parser.parse_args()
    try:
        launch_comparison_ui(base_dir=arguments.base_dir, port=arguments.port, debug=arguments.debug)
    except NeuralError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a script talks to its terminal
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
