"""Hyperparameters as MLflow has them: flat, text, and never changed once they are there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from neural_mlflow.texts import ORIGINAL, Limits, as_json, clean, flat, key_of, short

if TYPE_CHECKING:
    from neural_mlflow.run import MlflowRun, Said

__all__ = ["DOCUMENT", "NEWEST", "WHOLE", "log"]

DOCUMENT = "neural/hyperparameters.json"
"""Has all of them as they were logged, when MLflow could not take one as it is."""
WHOLE = "neural.hyperparameters"
"""The tag that says where that document is; from then on it has later ones, too."""
NEWEST = "neural.hyperparameter."
"""So begins the tag that has the newest value of one that changed."""


def log(run: MlflowRun, new: Mapping[str, Any], every: Mapping[str, Any]) -> set[str]:
    """Log what is new; give what had to be done to some: ``renamed``, ``shortened``, ``changed``.

    Args:
        run: where to.
        new: nested as it was logged.
        every: all hyperparameters of the experiment, with the new ones.

    Raises:
        RefusedError: MLflow did not take them.
    """
    pairs, done = list(flat(new)), set[str]()

    def make(limits: Limits) -> Said:
        params: dict[str, str] = {}
        tags: dict[str, str] = {}
        for name, text in pairs:
            done.update(_add(run, name, text, limits, params, tags))
        if done:
            tags[WHOLE] = DOCUMENT
        return params, tags

    run.say(make)
    if WHOLE in run.tags:
        run.store_text(as_json(every), DOCUMENT)
    return done


def _add(
    run: MlflowRun, name: str, text: str, limits: Limits, params: dict[str, str], tags: dict[str, str]
) -> Iterable[str]:
    key, value = key_of(name, limits, run.beside(run.params, params)), short(text, limits.value)
    newest = key_of(f"{NEWEST}{key}", limits, run.beside(run.tags, tags))
    if key != name:
        tags[f"{ORIGINAL}{key}"] = short(clean(name), limits.tag)
        yield "renamed"
    if value != text:
        yield "shortened"
    first = run.params.get(key, params.get(key))
    if first is None:
        params[key] = value
    elif first != value or newest in run.tags or newest in tags:
        tags[newest] = short(text, limits.tag)
        yield "changed"
