"""``neural import mlflow SOURCE``: find the runs of a tracking store. The source is read and never changed."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from neural_core.errors import ConfigurationError
from neural_core.importing import ForeignRun, import_command
from neural_mlflow.place import Place
from neural_mlflow.sdk import make_client, pages, require, spoken

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment, Run

__all__ = ["command", "runs_of"]

_PAGE = 200


def runs_of(source: str, experiment: str | None = None) -> Iterator[ForeignRun]:
    """Give the runs of a store that are not deleted, nor copies of its other runs, one after the other, oldest first.

    Args:
        source: a tracking URI, the file of a SQLite store, or a folder such as ``./mlruns``.
        experiment: name of the one MLflow experiment to take; None takes all.

    Raises:
        NotInstalledError: MLflow is not installed.
        ConfigurationError: there is no such store, or no such experiment.
        RefusedError: the store cannot be read.
    """
    from neural_mlflow.foreign import foreign_run, is_copy

    require()
    place = _place_of(source)
    with _opened(place) as client:
        for found in _experiments(client, place, experiment):
            runs = _runs(client, place, found) if place.folder is None else _runs_of_files(client, place, found)
            for run in runs:
                if isinstance(run, ForeignRun):
                    yield run
                elif not is_copy(client, run):
                    yield foreign_run(client, place, found, run)


def _place_of(source: str) -> Place:
    if Path(source).is_file():
        place = Place.of_database(Path(source))
    elif "://" not in source and not source.startswith("file:") and not Path(source).exists():
        raise ConfigurationError(f"{source}: no such file or folder; give a tracking URI, mlflow.db or a folder mlruns")
    else:
        place = Place.of(source)
    if place.database is not None:
        _check_database(place.database)
    if place.folder is not None and not any(place.folder.glob("*/meta.yaml")):
        raise ConfigurationError(f"{place.folder} is no file store of MLflow: no folder in it has a meta.yaml")
    return place


def _check_database(database: Path) -> None:
    """Look into the file before MLflow does: it would make its tables in any database."""
    try:
        with contextlib.closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error as error:
        raise ConfigurationError(f"{database} cannot be read as a SQLite database: {error}") from error
    if not {"experiments", "runs", "metrics"} <= tables:
        raise ConfigurationError(f"{database} is no database of MLflow: it has no tables of runs and metrics")


@contextlib.contextmanager
def _opened(place: Place) -> Iterator[MlflowClient]:
    """Open a store; a local one by a copy or by links, since MLflow adds to what it opens, even to read."""
    with tempfile.TemporaryDirectory(prefix="neural-import-", ignore_cleanup_errors=True) as scratch:
        if place.database is not None:
            opened = Place.of_database(_copied(place.database, Path(scratch)))
        elif place.folder is not None:
            opened = Place.of_folder(_linked(place.folder, Path(scratch)))
        else:
            opened = place
        yield make_client(opened)


def _copied(database: Path, scratch: Path) -> Path:
    copy = scratch / "copy.db"
    try:
        with (
            contextlib.closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as source,
            contextlib.closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
    except sqlite3.Error as error:
        raise ConfigurationError(f"{database} cannot be read as a SQLite database: {error}") from error
    return copy


def _linked(folder: Path, scratch: Path) -> Path:
    try:
        for path in folder.iterdir():
            if path.is_dir() and path.name != ".trash":
                (scratch / path.name).symlink_to(path, target_is_directory=True)
    except OSError:  # not every system lets everybody make links
        return folder
    return scratch


def _experiments(client: MlflowClient, place: Place, name: str | None) -> Iterator[Experiment]:
    from mlflow.entities import ViewType

    def read(token: str | None) -> Any:
        with spoken(place):
            return client.search_experiments(ViewType.ACTIVE_ONLY, max_results=_PAGE, page_token=token)

    names = []
    for experiment in chain.from_iterable(pages(read)):
        names.append(experiment.name)
        if name in (None, experiment.name):
            yield experiment
    if name is not None and name not in names:
        raise ConfigurationError(f"{place} has no experiment {name!r}; it has {', '.join(map(repr, sorted(names)))}")


def _runs(client: MlflowClient, place: Place, experiment: Experiment) -> Iterator[Run]:
    from mlflow.entities import ViewType

    def read(token: str | None) -> Any:
        with spoken(place):
            return client.search_runs(
                [experiment.experiment_id],
                run_view_type=ViewType.ACTIVE_ONLY,
                max_results=_PAGE,
                order_by=["attributes.start_time ASC"],
                page_token=token,
            )

    return chain.from_iterable(pages(read))


def _runs_of_files(client: MlflowClient, place: Place, experiment: Experiment) -> list[Run | ForeignRun]:
    """Read run by run: MLflow's search of a file store fails as a whole where one run is damaged."""
    from neural_mlflow.foreign import damages, unreadable_run

    assert place.folder is not None
    found: list[Run] = []
    unreadable: list[Run | ForeignRun] = []
    for folder in sorted(path.parent for path in (place.folder / experiment.experiment_id).glob("*/meta.yaml")):
        if not (folder / "artifacts").exists() and not (folder / "metrics").exists():
            continue  # datasets, traces and models have a meta.yaml, too
        try:
            run = client.get_run(folder.name)
        except damages() as error:
            unreadable.append(unreadable_run(folder.name, str(folder), error))
        else:
            if run.info.lifecycle_stage == "active":
                found.append(run)
    return [*sorted(found, key=lambda run: run.info.start_time or 0), *unreadable]


command = import_command(
    "mlflow",
    runs_of,
    help="Bring in the runs of an MLflow store: a tracking URI, mlflow.db, or a folder such as ./mlruns.",
    params=[click.Option(["--experiment"], metavar="NAME", help="Only the runs of this MLflow experiment.")],
)
