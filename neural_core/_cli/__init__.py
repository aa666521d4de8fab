"""The `neural` command: one module for each verb, imported when it is called for."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command of this process's arguments, and exit with its status."""
    from neural_core._cli.group import cli

    cli(prog_name="neural")
