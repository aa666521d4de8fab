"""Find an experiment by its id, and tell whether it is in use."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from neural_core._storage import liveness
from neural_core._storage.experiment.overview import last_sign
from neural_core._storage.experiment.reader import RunReader
from neural_core._storage.experiment.state import OPEN_STATES, journals_of
from neural_core._storage.folder import SPOOLS, is_experiment
from neural_core._storage.index.base_index import Index
from neural_core.errors import (
    AmbiguousExperimentError,
    ArgumentTypeError,
    ExperimentInUseError,
    ExperimentNotFoundError,
)

__all__ = ["existing_experiment", "find_experiment", "find_row", "is_live", "refuse_live"]


def existing_experiment(directory: Path) -> Path:
    """Give the folder as an absolute path.

    Raises:
        ExperimentNotFoundError: it is no experiment.
    """
    path = directory.expanduser().absolute()
    if not is_experiment(path):
        raise ExperimentNotFoundError(f"{path} is no experiment: give the folder that holds metadata.json", str(path))
    return path


def find_experiment(base_dir: Path, experiment_id: str) -> Path:
    """Give the folder of the experiment with this id, a unique beginning of it, or this path; also of a spool.

    Raises:
        ExperimentNotFoundError: there is none.
        AmbiguousExperimentError: there are several.
    """
    if isinstance(experiment_id, str) and os.sep in experiment_id:
        return existing_experiment(Path(experiment_id))
    with contextlib.closing(Index(base_dir)) as index:
        try:
            return find_row(index, base_dir, experiment_id)
        except ExperimentNotFoundError:
            spool = _find_spool(base_dir / SPOOLS, experiment_id)
            if spool is None:
                raise
            return spool


def _find_spool(spools: Path, experiment_id: str) -> Path | None:
    with contextlib.suppress(ExperimentNotFoundError), contextlib.closing(Index(spools)) as index:
        return find_row(index, spools, experiment_id)
    return None


def find_row(index: Index, base_dir: Path, experiment_id: str) -> Path:
    """As `find_experiment`, with an index that is open already."""
    if not isinstance(experiment_id, str):
        raise ArgumentTypeError(f"experiment_id is text, not {type(experiment_id).__name__}")
    index.refresh()
    rows = index.find(experiment_id)
    if len(rows) == 1:
        return base_dir / rows[0].folder
    if rows:
        names = [row.folder for row in rows]
        raise AmbiguousExperimentError(
            f"{experiment_id!r} is the id of {len(rows)} experiments in {base_dir}: {', '.join(names[:5])}", names
        )
    raise ExperimentNotFoundError(
        f"no experiment in {base_dir} has the id {experiment_id!r}: "
        "`neural ls` shows those that there are (an id may be cut after 4 characters or more)",
        experiment_id,
    )


def is_live(directory: Path) -> bool:
    """Tell whether a process may still write the experiment: its owner, a rank, a worker."""
    reader = RunReader(directory, verify=False)
    state, _ = reader.state()
    if state.status in OPEN_STATES and liveness.writer_state(state.writer, last_sign(directory)) == "alive":
        return True
    journals = {path.stem: path for path in journals_of(directory)}
    return any(
        liveness.part_state(part.stem, part.header, journals[part.stem].stat().st_mtime) == "alive"
        for part in reader.parts
        if part.stem in journals
    )


def refuse_live(directory: Path, remedy: str) -> None:
    """Refuse an experiment that a process still writes.

    Raises:
        ExperimentInUseError: it does.
    """
    if is_live(directory):
        raise ExperimentInUseError(f"{directory} is being written by a living process. {remedy}")
