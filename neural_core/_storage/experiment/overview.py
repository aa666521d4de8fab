"""One row of a list of experiments, read without changing anything."""

from __future__ import annotations

from pathlib import Path

from neural_core._storage import liveness
from neural_core._storage.clock import iso_time
from neural_core._storage.experiment import summary
from neural_core._storage.experiment.documents import read_document
from neural_core._storage.experiment.plain import flatten, from_plain
from neural_core._storage.experiment.reader import RunReader
from neural_core._storage.experiment.state import OPEN_STATES, State, load_state
from neural_core._storage.folder import is_experiment
from neural_core._storage.journal.facts_file import parts_among
from neural_core._storage.journal.part_bytes import PartNames
from neural_core.errors import DamagedError
from neural_core.records import Damage, Experiment, MetricInfo, RunRow

__all__ = ["RowReader", "experiment_record", "hyperparameters_of", "is_experiment", "seen_status"]


def hyperparameters_of(state: State) -> dict[str, object]:
    """Give the hyperparameters as they were logged."""
    return {key: from_plain(value) for key, value in state.hyperparameters.items()}


def seen_status(directory: Path, state: State) -> str:
    """Give the status by evidence: ``interrupted`` when the writer of an unfinished experiment is gone."""
    if state.status not in OPEN_STATES:
        return state.status
    here = state.writer.get("host") == liveness.this_process()["host"]
    match liveness.writer_state(state.writer, None if here else last_sign(directory)):
        case "dead":
            return "interrupted"
        case "stalled":
            return "stalled"
    return state.status


def last_sign(directory: Path) -> float | None:
    """Give the Unix time at which a writer last touched a file of the experiment."""
    times = [
        path.stat().st_mtime for path in [directory / "metadata.json", *directory.glob("metrics/*")] if path.exists()
    ]
    return max(times, default=None)


def experiment_record(directory: Path, state: State) -> Experiment:
    """Give the record of an experiment with its status as seen now."""
    return Experiment(
        experiment_id=state.experiment_id or directory.name,
        uid=state.uid,
        name=state.name,
        directory=directory,
        status=seen_status(directory, state),
        start_time=state.start_time,
        end_time=state.end_time,
        hyperparameters=hyperparameters_of(state),
        tags=dict(state.tags),
        notes=state.notes,
    )


class RowReader:
    """Reads the row of one experiment; kept, it reads again only what is new.

    Attributes:
        final: after `read`: only a replaced ``metadata.json`` can change the row.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.final = False
        self._reader: RunReader | None = None

    def read(self) -> RunRow:
        """Give the row; a damaged experiment gives one with status ``damaged`` and the error."""
        try:
            row = self._read_final()
            return self._read_live() if row is None else row
        except (OSError, DamagedError) as error:
            self.final, self._reader = False, None  # what failed half-way is looked at anew next time
            return self._row(self._identity(), {}, 0, str(error))

    def _identity(self) -> State:
        """Give what the documents alone tell, so that a damaged experiment keeps its id and its name."""
        try:
            return load_state(self.directory, ())[0]
        except (OSError, DamagedError):
            return State()

    def _read_final(self) -> RunRow | None:
        """Read a finished experiment from its documents alone; None when it has to be read from its journal."""
        try:
            if read_document(self.directory / "metadata.json").get("final") is not True:
                return None
            digest = read_document(self.directory / "summary.json")
        except (OSError, DamagedError):
            return None
        state, damage = load_state(self.directory, ())
        if damage or not state.final or self._has_more_than(state):
            return None
        self.final, self._reader = True, None
        count = digest.get("artifacts")
        return self._row(
            state, summary.from_document(digest.get("metrics")), count if isinstance(count, int) else 0, None
        )

    def _has_more_than(self, state: State) -> bool:
        """Tell whether a part is there that the documents do not know: those of another copy were put over them."""
        compacted, journals = parts_among(PartNames(self.directory / "metrics").look())
        return not compacted | journals <= state.journal.get("metadata", {}).keys()

    def _read_live(self) -> RunRow:
        self.final = False
        if self._reader is None:
            self._reader = RunReader(self.directory)
        self._reader.refresh()
        state, damage = self._reader.state()
        infos = {info.name: info for info in self._reader.metrics()}
        return self._row(state, infos, len(state.artifacts), _sentence([*damage, *self._reader.damage]))

    def _row(self, state: State, metrics: dict[str, MetricInfo], artifacts: int, error: str | None) -> RunRow:
        return RunRow(
            experiment_id=state.experiment_id or self.directory.name,
            uid=state.uid,
            name=state.name or self.directory.name,
            status="damaged" if error else seen_status(self.directory, state),
            start_time=state.start_time or _folder_time(self.directory),
            end_time=state.end_time,
            folder=self.directory.name,
            params=dict(flatten(hyperparameters_of(state))),
            metrics=metrics,
            tags=dict(state.tags),
            notes=state.notes,
            artifacts=artifacts,
            error=error,
            color=state.color,
        )


def _folder_time(directory: Path) -> str:
    try:
        return iso_time(directory.stat().st_mtime)
    except OSError:
        return iso_time(0)


def _sentence(damage: list[Damage]) -> str | None:
    if not damage:
        return None
    more = f" (and {len(damage) - 1} more)" if len(damage) > 1 else ""
    return f"{damage[0].file}: {damage[0].problem}{more}"
