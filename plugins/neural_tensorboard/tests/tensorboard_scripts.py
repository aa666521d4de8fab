"""What these tests share: where a delivery stands."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any


def cursor(experiment_dir: Path) -> dict[str, Any]:
    """Give what is known of the delivery of an experiment to TensorBoard, nothing when there is nothing yet."""
    for path in experiment_dir.glob("delivery/tensorboard-*.json"):
        with contextlib.suppress(FileNotFoundError):  # that of a trial, which has ended meanwhile
            found: dict[str, Any] = json.loads(path.read_text())
            return found
    return {}


def only(folder: Path) -> Path:
    """Give the only experiment of a base folder."""
    (directory,) = [path for path in folder.iterdir() if not path.name.startswith(".")]
    return directory
