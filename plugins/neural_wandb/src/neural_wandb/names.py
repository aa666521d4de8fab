"""Names: ours in W&B, and what becomes of names and texts that W&B has no room for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from neural_core.records import ArtifactVersion

__all__ = [
    "FIGURES",
    "LARGEST",
    "OWN",
    "RUN",
    "SMALLEST",
    "STEP",
    "artifact_alias",
    "artifact_name",
    "config_name",
    "metric_name",
    "tag_texts",
]

OWN = "neural/"
STEP = "neural/step"
"""The metric that carries our step, and the x axis of all others."""
RUN = "neural/run"
"""The key of the config that says which experiment this is, and holds in full what W&B shortens."""
SMALLEST, LARGEST = "neural/min/", "neural/max/"
"""Keys of the summary."""
FIGURES = "figures/"
_TAKEN = frozenset({"_step", "_timestamp", "_runtime", "_wandb"})
_TAG_LENGTH = 64
_NAME_LENGTH = 128


def metric_name(name: str) -> str:
    """Give the name under which a metric is logged: its own, but for those that W&B or we use otherwise."""
    return f"{name}~2" if name in _TAKEN or name.startswith(OWN) else name


def config_name(name: str) -> str:
    """Give the key of the config for a hyperparameter: its own, but for the two that W&B and we use otherwise."""
    return f"{name}~2" if name in ("_wandb", RUN) else name


def tag_texts(tags: Mapping[str, str]) -> list[str]:
    """Give W&B's tags, which are texts of 1 to 64 characters: ``name`` or ``name:text``, cut where too long."""
    texts = [f"{name}:{text}" if text else name for name, text in tags.items()]
    return list(dict.fromkeys(text[:_TAG_LENGTH] for text in texts if text))


def artifact_name(name: str) -> str:
    """Give the name of an artifact: letters, digits, dots, dashes; changed ones end in a checksum, to stay apart."""
    plain = re.sub(r"[^\w.-]", "-", name, flags=re.ASCII)
    if plain == name and 0 < len(name) <= _NAME_LENGTH:
        return name
    mark = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{plain[: _NAME_LENGTH - len(mark) - 1]}-{mark}"


def artifact_alias(artifact: ArtifactVersion) -> str | None:
    """Give the alias of our version; ``v1``, ``v2`` are W&B's own count, which begins at 0 and skips equal content."""
    return None if artifact.version is None else f"version-{artifact.version}"
