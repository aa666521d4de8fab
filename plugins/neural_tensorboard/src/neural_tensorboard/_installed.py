"""Whether TensorBoard is there; asking imports nothing."""

from __future__ import annotations

from importlib import util

from neural_core.errors import NotInstalledError

__all__ = ["require_tensorboard"]


def require_tensorboard() -> None:
    """Refuse to work without TensorBoard.

    Raises:
        NotInstalledError: it is missing.
    """
    if util.find_spec("tensorboard") is None:
        raise NotInstalledError("TensorBoard not installed: pip install tensorboard")
