"""What becomes of errors: one sentence and a status."""

from __future__ import annotations

from flask import Blueprint, Response

from neural_core.errors import (
    ArgumentError,
    ArtifactNotFoundError,
    DamagedError,
    EditConflictError,
    ExperimentInUseError,
    ExperimentNotFoundError,
)
from neural_ui._api._answers import error_answer
from neural_ui._api._arguments import RefusedError

__all__ = ["add_errors"]

# Sentences of ours for errors whose own text may name a folder of this machine.
_SENTENCES: dict[type[Exception], tuple[int, str]] = {
    ArtifactNotFoundError: (404, "there is no such file here"),
    ExperimentNotFoundError: (404, "no experiment here has this id: it was deleted or moved"),
    EditConflictError: (409, "somebody else edited this experiment in between: look at it again"),
    ExperimentInUseError: (409, "this experiment is being written, or its place is taken: nothing was moved"),
    DamagedError: (422, "this experiment is damaged: `neural verify` says where"),
}


def add_errors(api: Blueprint) -> None:
    """Add the answers to errors."""

    @api.errorhandler(RefusedError)
    def refused(error: RefusedError) -> Response:
        return error_answer(str(error), error.status)

    @api.errorhandler(ArgumentError)
    def wrong(error: ArgumentError) -> Response:
        return error_answer(str(error), 400)

    @api.errorhandler(OSError)
    def disk(error: OSError) -> Response:
        return error_answer(f"the disk refuses: {error.strerror or 'nobody knows why'}", 503)

    for kind, (status, sentence) in _SENTENCES.items():
        _add(api, kind, status, sentence)


def _add(api: Blueprint, kind: type[Exception], status: int, sentence: str) -> None:
    @api.errorhandler(kind)
    def answer(error: Exception) -> Response:
        return error_answer(sentence, status)
