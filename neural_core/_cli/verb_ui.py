"""``neural ui``: the browser."""

from __future__ import annotations

from typing import Any

import click

from neural_core._cli.output import base_dir_option
from neural_core._manager import ExperimentManager
from neural_core._ui import DEFAULT_PORT, ExperimentComparisonUI

__all__ = ["command"]


@click.command()
@base_dir_option
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help=f"Port to serve on, 0 for any. [default: {DEFAULT_PORT}, or the next that is free]",
)
@click.option("--host", help="Address to bind to. [default: 127.0.0.1, this machine only]")
@click.option("--allow-remote", is_flag=True, help="Let other machines in; they need the token that is printed.")
@click.option("--open", "open_browser", is_flag=True, help="Open the page in the browser.")
@click.option("--debug", is_flag=True, help="Tell more in the terminal.")
def command(base_dir: str, port: int | None, debug: bool, **options: Any) -> None:
    """Serve a page that compares experiments, until Ctrl-C. It is the plugin neural-ui."""
    given = {name: value for name, value in options.items() if value}
    if port == DEFAULT_PORT:
        given["exact_port"] = True  # it was asked for, and is not only the default
    page: Any = ExperimentComparisonUI(ExperimentManager(base_dir), DEFAULT_PORT if port is None else port)
    page.run(debug=debug, **given)
