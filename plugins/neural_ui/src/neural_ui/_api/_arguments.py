"""Arguments of the interface: read from the query, refused in one sentence."""

from __future__ import annotations

import math

from flask import request

__all__ = ["RefusedError", "metric_names", "number", "run_ids", "whole"]

MOST_RUNS = 100
MOST_TEXT = 10_000


class RefusedError(Exception):
    """A request that is not answered.

    Attributes:
        status: of the answer.
    """

    def __init__(self, sentence: str, status: int = 400) -> None:
        """Keep the sentence and the status."""
        super().__init__(sentence)
        self.status = status


def run_ids() -> list[str]:
    """Give the ids in ``runs=``, each once.

    Raises:
        RefusedError: there is none, or there are too many.
    """
    ids = list(dict.fromkeys(part for part in request.args.get("runs", "").split(",") if part))
    if not ids:
        raise RefusedError("runs= is empty: give ids, separated by commas")
    if len(ids) > MOST_RUNS:
        raise RefusedError(f"runs= names {len(ids)} experiments: give at most {MOST_RUNS}")
    return ids


def metric_names() -> list[str]:
    """Give every ``metric=``."""
    return [name[:MOST_TEXT] for name in request.args.getlist("metric")]


def number(name: str) -> float | None:
    """Give a finite number, None when it is not there.

    Raises:
        RefusedError: it is no number.
    """
    text = request.args.get(name)
    if text is None or text == "":
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise RefusedError(f"{name}= is no finite number")
    return value


def whole(name: str, default: int, low: int, high: int) -> int:
    """Give a whole number, brought into its limits.

    Raises:
        RefusedError: it is no number.
    """
    value = number(name)
    return default if value is None else int(min(max(value, low), high))
