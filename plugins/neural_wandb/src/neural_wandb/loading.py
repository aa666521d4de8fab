"""Imports W&B, on use, as quiet as the user lets it be."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from typing import Any

from neural_core.errors import NotInstalledError

__all__ = ["load", "require"]


def require() -> None:
    """Say that W&B is missing, without importing it.

    Raises:
        NotInstalledError: it is not installed.
    """
    if importlib.util.find_spec("wandb") is None:
        raise NotInstalledError("W&B not installed. Install it with: pip install wandb")


def load(module: str = "wandb") -> Any:
    """Import a module of W&B's: quiet, and without reports to its makers, unless the user wants it otherwise.

    Raises:
        NotInstalledError: W&B is not installed.
    """
    if "wandb" not in sys.modules:  # a script that uses W&B itself keeps it as it is
        require()
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        os.environ.setdefault("WANDB_SILENT", "true")
    return importlib.import_module(module)
