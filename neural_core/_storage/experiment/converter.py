"""The one converter between records and the strict JSON of documents."""

from __future__ import annotations

import functools
from typing import Any

from cattrs.preconf.json import JsonConverter, make_converter

from neural_core._storage.experiment.plain import from_plain, to_plain

__all__ = ["converter"]


@functools.cache
def converter() -> JsonConverter:
    """Give the converter; NaN and the infinities, which JSON lacks, are marked as hyperparameters mark them."""
    made = make_converter()
    made.register_unstructure_hook(float, to_plain)
    made.register_structure_hook(float, _number)
    return made


def _number(value: Any, _: type[float]) -> float:
    return float(from_plain(value))
