"""Times as W&B wants them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

__all__ = ["unix_time"]


def unix_time(text: Any) -> float | None:
    """Give Unix seconds for ISO 8601 text, None for anything else."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except (TypeError, ValueError):
        return None
