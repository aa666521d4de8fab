"""Hyperparameters in the config: what W&B would refuse or change has another form there, and stands in full beside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from neural_wandb.names import config_name, legible

__all__ = ["as_config", "as_value", "in_full"]

_REFERENCES = ('"wandb-artifact://', '"artifactVersion"')
"""W&B takes a text or mapping with one of these for an artifact, and asks its server for it."""


def as_config(hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Give keys and values for the config."""
    return {config_name(name): as_value(value) for name, value in hyperparameters.items()}


def as_value(value: Any) -> Any:
    """Give a value as W&B can keep it: NaN and infinities, which are no JSON, as texts.

    What W&B would take for an artifact of its own, or whose characters it cannot hold, is JSON text as a whole.
    """
    text = json.dumps(value, ensure_ascii=False)
    is_odd = legible(text) != text or any(mark in text for mark in _REFERENCES)
    return json.dumps(value) if is_odd else json.loads(text, parse_constant=str)


def in_full(hyperparameters: Mapping[str, Any]) -> str:
    """Give those that the config does not hold as they are, as JSON text; empty for none."""
    changed = {
        name: value for name, value in hyperparameters.items() if config_name(name) != name or as_value(value) != value
    }
    return json.dumps(changed) if changed else ""
