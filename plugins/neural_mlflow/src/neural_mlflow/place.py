"""Where a run goes: the tracking URI, made absolute, and what may be said of it."""

from __future__ import annotations

import importlib.metadata
import os
import re
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit
from urllib.request import url2pathname

from attrs import frozen

from neural_mlflow.texts import artifact_segment

__all__ = ["DEFAULT_DATABASE", "Place", "hide_password", "path_in"]

DEFAULT_DATABASE = "mlflow.db"
_DATABASES = {".db", ".sqlite", ".sqlite3"}
_SQLITE = re.compile(r"(sqlite(?:\+\w+)?):///(?P<path>[^?]*)(?P<query>\?.*)?", re.DOTALL)
_NOT_IN_A_URI = re.compile(r"[%?]")
_PASSWORD = re.compile(r"(\w://[^/@\s:]*):(?!\d+/)[^@\s]*@(?:[^/?@\s]*@)*")


@frozen
class Place:
    """An MLflow tracking store.

    Attributes:
        uri: as MLflow takes it; a path in it is absolute.
        folder: of a file store, such as ``./mlruns``; None for every other.
        database: the file of a SQLite store, None for every other.
    """

    uri: str
    folder: Path | None = None
    database: Path | None = None

    @classmethod
    def of(cls, given: str | os.PathLike[str] | None = None) -> Place:
        """Find the place: what was given, else MLFLOW_TRACKING_URI, else ``sqlite:///mlflow.db`` in this folder.

        Args:
            given: a tracking URI, the path of a SQLite file (``.db``, ``.sqlite``) or of a folder, or None.
        """
        text = os.fspath(given) if given else os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_DATABASE
        if "://" not in text and Path(text).suffix in _DATABASES:
            return cls.of_database(Path(text))
        if match := _SQLITE.fullmatch(text):
            path = unquote(match["path"]) if _is_quoted(match["path"]) else match["path"]
            if not path or path == ":memory:":
                return cls(text)
            return cls.of_database(Path(path), match[1], match["query"] or "")
        if text.startswith("file:"):
            return cls.of_folder(Path(path_in(text) or "mlruns"))
        if "://" in text or text.split(":")[0] in ("databricks", "databricks-uc", "uc"):
            return cls(text)
        return cls.of_folder(Path(text))

    @classmethod
    def of_database(cls, file: Path, scheme: str = "sqlite", query: str = "") -> Place:
        """Give the SQLite store in a file; `query` is what stands behind the path in its URI."""
        path = str(file.absolute())
        if _is_quoted(path):
            path = _NOT_IN_A_URI.sub(lambda found: quote(found[0]), path)
        return cls(f"{scheme}:///{path}{query}", database=file.absolute())

    @classmethod
    def of_folder(cls, folder: Path) -> Place:
        """Give the file store in a folder."""
        folder = folder.expanduser().absolute()
        return cls(folder.as_uri(), folder=folder)

    def artifacts_of(self, name: str) -> str | None:
        """Say where a new MLflow experiment keeps artifacts: beside the SQLite file; None leaves it to MLflow."""
        if self.database is None:
            return None
        return (self.database.parent / "mlartifacts" / artifact_segment(name)).as_uri()

    @property
    def is_here(self) -> bool:
        """Tell whether it is on this machine, so that no URL stands between."""
        return self.folder is not None or self.database is not None

    def __str__(self) -> str:
        """Say where it is, without passwords."""
        return hide_password(self.uri)


def _is_quoted(path: str) -> bool:
    """Tell whether a database's URI has this path in quotes: SQLAlchemy takes them away from 2.1 on, never before."""
    if not _NOT_IN_A_URI.search(path):
        return False
    major, minor = importlib.metadata.version("sqlalchemy").split(".")[:2]
    return (int(major), int(minor)) >= (2, 1)


def path_in(uri: str) -> str:
    """Give the path in a URI as this system writes paths; of a text without a scheme, as MLflow does, the whole."""
    parts = urlsplit(uri)
    return url2pathname(parts.path if parts.scheme else uri)


def hide_password(text: str) -> str:
    """Give a text in which no URI has a password."""
    return _PASSWORD.sub(r"\1:***@", text)
