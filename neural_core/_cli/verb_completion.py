"""``neural completion``: the script that lets a shell complete verbs, options and ids."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

__all__ = ["command"]

_SHELLS = ("bash", "zsh", "fish")


_EPILOG = """
\b
bash:  eval "$(neural completion bash)"     in ~/.bashrc
zsh:   eval "$(neural completion zsh)"      in ~/.zshrc
fish:  neural completion fish | source      in ~/.config/fish/config.fish
"""


@click.command(epilog=_EPILOG)
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the script that completes verbs, options and experiment ids."""
    made = get_completion_class(shell)
    assert made is not None  # click knows the three
    complete = made(context.find_root().command, {}, "neural", "_NEURAL_COMPLETE")
    # Not `complete.source()`, which starts a shell to ask it for its version.
    click.echo(complete.source_template % complete.source_vars())
