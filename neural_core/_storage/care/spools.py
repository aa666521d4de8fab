"""What only passes through to a backend, and goes when it has arrived."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from neural_core._storage.experiment.state import DOCUMENTS

__all__ = ["remove_spool"]

_FOLDERS = ("metrics", "plots", "artifacts", "versions", "delivery")


def remove_spool(directory: Path) -> None:
    """Remove what is ours; what a backend wrote beside it, such as a CSV file, is the user's and stays."""
    for name in _FOLDERS:
        shutil.rmtree(directory / name, ignore_errors=True)
    with contextlib.suppress(OSError):  # it is gone already, or is not empty
        for name in (*DOCUMENTS, "summary"):
            (directory / f"{name}.json").unlink(missing_ok=True)
        directory.rmdir()
