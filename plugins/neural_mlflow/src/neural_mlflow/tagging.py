"""Tags, notes and the name, as MLflow has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neural_core.records import Annotations
from neural_mlflow.finding import NAME
from neural_mlflow.texts import ORIGINAL, as_json, clean, short_name, tag_key

if TYPE_CHECKING:
    from neural_mlflow.run import MlflowRun

__all__ = ["DOCUMENT", "NOTE", "change"]

DOCUMENT = "neural/annotations.json"
"""Has the texts whole that were too long for a tag."""
NOTE = "mlflow.note.content"


def change(run: MlflowRun, annotations: Annotations, *, rename: bool) -> bool:
    """Change tags, description and name of a run; tell whether a text had to be shortened.

    Args:
        run: where to.
        annotations: what changed.
        rename: False when the user chose another name for the run.

    Raises:
        RefusedError: MLflow did not take it.
    """
    tags, removed = _tags_of(annotations)
    if annotations.notes is not None:
        tags[NOTE] = clean(annotations.notes)
    if annotations.name is not None:
        tags[NAME] = clean(annotations.name)
        if rename:
            run.update(name=short_name(annotations.name))
    long = {key: text for key, text in tags.items() if len(text) > run.limits.tag}
    if long:
        run.store_text(as_json(long), DOCUMENT)
    run.set_tags(tags)
    run.remove_tags(removed)
    return bool(long)


def _tags_of(annotations: Annotations) -> tuple[dict[str, str], list[str]]:
    tags, removed = {}, []
    for name, text in annotations.tags.items():
        key = tag_key(name)
        if text is None:
            removed.append(key)
            continue
        tags[key] = clean(text)
        if key != name:
            tags[f"{ORIGINAL}{key}"] = clean(name)
    return tags, removed
