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
    "TAG_LENGTH",
    "TAKEN",
    "artifact_alias",
    "artifact_name",
    "config_name",
    "figure_name",
    "legible",
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
TAKEN = frozenset({"_step", "_timestamp", "_runtime", "_wandb"})
"""Keys of W&B's own in each row."""
TAG_LENGTH = 64
_OTHER = "~2"
_NAME_LENGTH = 128


def legible(text: str) -> str:
    """Give text without halves of characters, which no file of W&B's can hold."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def metric_name(name: str) -> str:
    """Give the name under which a metric is logged: its own, but for those that W&B or we use otherwise."""
    plain = legible(name)
    is_taken = plain != name or name in TAKEN or name.startswith(OWN) or name.endswith(_OTHER)
    return f"{plain}{_OTHER}" if is_taken else name


def config_name(name: str) -> str:
    """Give the key of the config for a hyperparameter: its own where W&B, which drops outer dashes, leaves it so."""
    plain = legible(name).strip("-")
    is_taken = plain != name or name in ("", "_wandb", RUN) or name.endswith(_OTHER)
    return f"{plain}{_OTHER}" if is_taken else name


def figure_name(name: str) -> str:
    """Give the name of a figure, of which W&B makes that of a file: its own unless it is too long or unprintable."""
    return name if name.isprintable() and len(name.encode()) <= _NAME_LENGTH else artifact_name(name)


def tag_texts(tags: Mapping[str, str]) -> list[str]:
    """Give W&B's tags, which are texts of 1 to 64 characters: ``name`` or ``name:text``, cut where too long."""
    texts = [legible(f"{name}:{text}" if text else name) for name, text in tags.items()]
    return list(dict.fromkeys(text[:TAG_LENGTH] for text in texts if text))


def artifact_name(name: str) -> str:
    """Give the name of an artifact: letters, digits, dots, dashes; changed ones end in a checksum, to stay apart."""
    plain = re.sub(r"[^\w.-]", "-", name, flags=re.ASCII)
    if plain == name and name.strip(".") and len(name) <= _NAME_LENGTH:
        return name
    mark = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{plain[: _NAME_LENGTH - len(mark) - 1]}-{mark}"


def artifact_alias(artifact: ArtifactVersion) -> str | None:
    """Give the alias of our version; ``v1``, ``v2`` are W&B's own count, which begins at 0 and skips equal content."""
    return None if artifact.version is None else f"version-{artifact.version}"
