"""Tags, notes and the name, as MLflow has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from neural_core.records import Annotations, Experiment
from neural_mlflow.finding import NAME
from neural_mlflow.texts import OLDEST, ORIGINAL, as_json, clean, short_name, tag_key

if TYPE_CHECKING:
    from neural_mlflow.run import MlflowRun

__all__ = ["DOCUMENT", "NOTE", "change", "whole"]

DOCUMENT = "neural/annotations.json"
"""Has the texts whole that were too long for a tag."""
NOTE = "mlflow.note.content"


def change(run: MlflowRun, annotations: Annotations, experiment: Experiment, *, rename: bool) -> set[str]:
    """Change tags, description and name of a run; give what had to be done to some: ``renamed``, ``shortened``.

    Args:
        run: where to.
        annotations: what changed.
        experiment: with the change: what of it is long stands whole in the document.
        rename: False when the user chose another name for the run.

    Raises:
        RefusedError: MLflow did not take it.
    """
    tags, removed = _tags_of(run, annotations)
    if annotations.name is not None and rename:
        run.update(name=short_name(annotations.name))
    if any(len(text) > OLDEST.tag for text in tags.values()):
        every, _ = _tags_of(run, Annotations(experiment.tags, experiment.notes, experiment.name))
        run.store_text(as_json({key: text for key, text in every.items() if len(text) > OLDEST.tag}), DOCUMENT)
    run.set_tags(tags)
    run.remove_tags(removed)
    renamed = {"renamed"} if any(key.startswith(ORIGINAL) for key in tags) else set[str]()
    return renamed | {"shortened" for text in tags.values() if len(text) > run.limits.tag}


def whole(tags: Mapping[str, str], document: Mapping[str, Any]) -> dict[str, str]:
    """Give tags as they were before some were shortened: the document may have older texts as well."""
    return {key: _whole(text, str(document.get(key, ""))) for key, text in tags.items()}


def _whole(text: str, known: str) -> str:
    return known if text.endswith("…") and known.startswith(text[:-1]) else text


def _tags_of(run: MlflowRun, annotations: Annotations) -> tuple[dict[str, str], list[str]]:
    tags, removed = dict[str, str](), []
    for name, text in annotations.tags.items():
        key = tag_key(name, run.beside(run.tags, tags))
        if text is None:
            removed.append(key)
            continue
        tags[key] = clean(text)
        if key != name:
            tags[f"{ORIGINAL}{key}"] = clean(name)
    if annotations.notes is not None:
        tags[NOTE] = clean(annotations.notes)
    if annotations.name is not None:
        tags[NAME] = clean(annotations.name)
    return tags, removed
