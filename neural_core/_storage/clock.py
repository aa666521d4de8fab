"""Times as text."""

from __future__ import annotations

import datetime

__all__ = ["iso_time"]


def iso_time(seconds: float) -> str:
    """Give a Unix time as UTC ISO 8601 with microseconds, so that texts sort as times do."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="microseconds")
