"""``neural ui``: the browser."""

from __future__ import annotations

import click

from neural_core._cli.output import base_dir_option
from neural_core._ui import DEFAULT_PORT, launch_comparison_ui

__all__ = ["command"]


@click.command()
@base_dir_option
@click.option(
    "--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(0, 65535), help="Port to serve on."
)
@click.option("--debug", is_flag=True, help="Tell more in the terminal.")
def command(base_dir: str, port: int, debug: bool) -> None:
    """Serve a page that compares experiments, until Ctrl-C. It is the plugin neural-ui."""
    launch_comparison_ui(base_dir=base_dir, port=port, debug=debug)
