"""MLflow itself: made ready and opened on use, and what it raises."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neural_core.errors import DeliveryError, NotInstalledError
from neural_mlflow.place import Place, hide_password
from neural_mlflow.texts import Limits

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["RefusedError", "alone", "installed_limits", "make_client", "pages", "patient", "require", "spoken"]

REQUEST_SECONDS = 15
UPLOAD_SECONDS = 120
_REASON_LENGTH = 400
_TIMEOUT = "MLFLOW_HTTP_REQUEST_TIMEOUT"
_own_timeout: str | None = None
"""What this module set the timeout of requests to; None where the user has."""


class RefusedError(DeliveryError):
    """MLflow, or what is between, said no.

    Attributes:
        code: MLflow's error code, such as ``RESOURCE_DOES_NOT_EXIST``; empty when nobody answered.
    """

    def __init__(self, sentence: str, code: str = "") -> None:
        """Keep the sentence and the code."""
        super().__init__(sentence)
        self.code = code

    @property
    def is_missing(self) -> bool:
        """Tell whether what was asked for is not there."""
        return self.code == "RESOURCE_DOES_NOT_EXIST"

    @property
    def is_double(self) -> bool:
        """Tell whether an older MLflow fails since its database has a point already, which newer ones pass over."""
        return any(word in str(self) for word in ("IntegrityError", "UniqueViolation", "UNIQUE"))

    @property
    def is_invalid(self) -> bool:
        """Tell whether a text or a name was not taken; MLflow says the same of runs that are deleted."""
        return self.code == "INVALID_PARAMETER_VALUE" and "'active' state" not in str(self)


def require() -> None:
    """Say that MLflow is missing, without importing it.

    Raises:
        NotInstalledError: it is not installed.
    """
    if importlib.util.find_spec("mlflow") is None:
        raise NotInstalledError("MLflow not installed. Install it with: pip install mlflow")


def make_client(place: Place, timeout: float | None = None) -> MlflowClient:
    """Give a client of its own for a place; nothing of MLflow's global state is touched.

    Args:
        place: the tracking store; a SQLite file that is not there is made.
        timeout: seconds for one HTTP request; None takes `REQUEST_SECONDS`.

    Raises:
        RefusedError: the place cannot be opened.
    """
    _set_environment(place, timeout)
    from mlflow import MlflowClient

    with spoken(place), alone(place):
        _look_at(place)
        client = MlflowClient(tracking_uri=place.uri, registry_uri=place.uri)
    _remove_mistaken(place)
    return client


def _set_environment(place: Place, timeout: float | None) -> None:
    """Set what MLflow reads from the environment of this process only, where the user has not set it."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    if place.folder is not None:
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
    if os.environ.get("NEURAL_COMPANION") == "0":
        return  # this is the user's process: its requests to MLflow are none of our business
    global _own_timeout
    if os.environ.get(_TIMEOUT, _own_timeout) == _own_timeout:
        _own_timeout = str(REQUEST_SECONDS if timeout is None else max(round(timeout), 1))
        os.environ[_TIMEOUT] = _own_timeout
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")  # the relay tries again
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")


@contextlib.contextmanager
def patient() -> Iterator[None]:
    """Give a server more time for an upload: it may answer only after it has passed the file on."""
    if _own_timeout is None or os.environ.get(_TIMEOUT) != _own_timeout:
        yield
        return
    os.environ[_TIMEOUT] = str(max(UPLOAD_SECONDS, int(_own_timeout)))
    try:
        yield
    finally:
        os.environ[_TIMEOUT] = _own_timeout


@contextlib.contextmanager
def alone(place: Place) -> Iterator[None]:
    """Let one process at a time make tables or experiments: where two do, MLflow fails, or in files makes two."""
    try:
        import fcntl
    except ImportError:  # no such locks on this system: the loser of a race tries again
        fcntl = None  # type: ignore[assignment]
    store = place.folder or place.database
    if store is None or fcntl is None:
        yield
        return
    store.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(store.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _look_at(place: Place) -> None:
    """Find out at once that a SQLite file cannot be opened: MLflow would try ten times, for a hundred seconds."""
    if place.database is not None:
        with contextlib.closing(sqlite3.connect(place.database)) as connection:
            connection.execute("PRAGMA schema_version")


def _remove_mistaken(place: Place) -> None:
    """Remove an empty folder: MLflow makes that of a SQLite file by the path as it is quoted in the URI, too."""
    quoted = Path(place.uri.partition(":///")[2].partition("?")[0]).parent
    if place.database is not None and quoted != place.database.parent:
        with contextlib.suppress(OSError):
            os.removedirs(quoted)


def pages(read: Callable[[str | None], Any]) -> Iterator[Any]:
    """Give the pages of an answer of MLflow's one after the other; `read` takes the token of a page, None at first."""
    token = None
    while True:
        page = read(token)
        yield page
        token = page.token
        if not token:
            return


def installed_limits() -> Limits:
    """Give the limits that the installed MLflow knows."""
    from mlflow.utils import validation

    takes: Any = getattr(validation, "validate_param_and_metric_name", None)
    return Limits(
        value=int(getattr(validation, "MAX_PARAM_VAL_LENGTH", 6_000)),
        tag=int(getattr(validation, "MAX_TAG_VAL_LENGTH", 5_000)),
        colon=bool(takes is not None and takes("a:b")),
    )


@contextlib.contextmanager
def spoken(place: Place) -> Iterator[None]:
    """Turn what MLflow raises into one sentence without passwords.

    Raises:
        RefusedError: MLflow, its server, its database or the network raised.
    """
    try:
        yield
    except _failures() as error:
        reason = hide_password(" ".join(str(error).split()))
        if len(reason) > _REASON_LENGTH:
            reason = f"{reason[:_REASON_LENGTH]}…"
        raise RefusedError(f"MLflow at {place}: {reason}", str(getattr(error, "error_code", ""))) from error


def _failures() -> tuple[type[Exception], ...]:
    """Give what MLflow raises, or lets through: of its database, or of a library that a store needs."""
    from mlflow.exceptions import MlflowException

    of_databases = getattr(sys.modules.get("sqlalchemy.exc"), "SQLAlchemyError", sqlite3.Error)
    return MlflowException, OSError, ImportError, sqlite3.Error, of_databases
