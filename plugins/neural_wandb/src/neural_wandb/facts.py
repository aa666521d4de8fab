"""What W&B's files say of a run, apart from its rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from attrs import Factory, define

from neural_core.records import Status
from neural_wandb.names import RUN, STEP, TAKEN, config_name
from neural_wandb.run_log import RunLog
from neural_wandb.values import as_mapping, leaves, plain, put, said_in

__all__ = ["Facts", "read_facts"]

_STATUSES: dict[str, Status] = {"completed": "completed", "failed": "failed", "interrupted": "interrupted"}
_INTERRUPTS = (130, 255)
"""Exit codes: of a shell, and of W&B, for a process that was interrupted."""
_LEFT_OUT = {
    "stats": "system metrics",
    "output": "console lines",
    "output_raw": "console lines",
    "output_logger": "console lines",
    "tbrecord": "TensorBoard logs",
    "alert": "alerts",
    "use_artifact": "artifacts that were only used",
    "noop_link_artifact": "links of artifacts",
}


@define
class Facts:
    """What is known of one run after all of its files were read.

    Attributes:
        run_id: W&B's id.
        run: the run's last record.
        config: as it is at the end, W&B's own keys included; `ends` the summary's items likewise, by name.
        artifacts: (folder of the run, record) of each.
        files: (folder of the run, path below its ``files``) of each.
        exit_code: of the last folder, None when nobody said that the run ended.
        has_axis: whether our step is the x axis.
        started: Unix seconds, when the first folder was begun; `runtime` seconds of the last one.
        left_out: kind in the plural → how many records cannot be brought in.
    """

    run_id: str = ""
    run: Any = None
    config: dict[str, Any] = Factory(dict)
    ends: dict[tuple[str, ...], Any] = Factory(dict)
    artifacts: list[tuple[Path, Any]] = Factory(list)
    files: list[tuple[Path, str]] = Factory(list)
    exit_code: int | None = None
    has_axis: bool = False
    started: float | None = None
    runtime: int = 0
    left_out: Counter[str] = Factory(Counter)

    @property
    def about(self) -> Mapping[str, Any]:
        """What we said of the experiment, empty for a run that is not of ours."""
        about = self.config.get(RUN)
        return about if isinstance(about, Mapping) and "uid" in about else {}

    @property
    def name(self) -> str:
        """Display name."""
        return str(self.run.display_name or self.run_id)

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """The config, without what W&B and we keep there."""
        in_full = as_mapping(self.about.get("hyperparameters"))
        others = {"_wandb", RUN, *map(config_name, in_full)}
        return {name: plain(value) for name, value in self.config.items() if name not in others} | in_full

    @property
    def tags(self) -> dict[str, str]:
        """Tags; of a run that is not of ours also where it stood in W&B."""
        if self.about:
            return {str(name): str(text) for name, text in as_mapping(self.about.get("tags")).items()}
        keys = ("entity", "project", "run_group", "job_type")
        places = {f"wandb.{key}": str(getattr(self.run, key)) for key in keys if getattr(self.run, key)}
        return {**dict.fromkeys(self.run.tags, ""), **places}

    @property
    def status(self) -> Status:
        """How the run ended; one without an end was interrupted."""
        if self.about:
            return _STATUSES.get(str(self.about.get("status")), "interrupted")
        if self.exit_code is None or self.exit_code in _INTERRUPTS:
            return "interrupted"
        return "completed" if self.exit_code == 0 else "failed"

    @property
    def metrics(self) -> dict[str, str]:
        """Name in W&B → name of the metric, where they differ."""
        return {str(name): str(true) for name, true in as_mapping(self.about.get("metrics")).items()}

    def values_of_the_end(self, logged: Iterable[str]) -> dict[str, float]:
        """Give the numbers of the summary that no row has: what a script set itself. Others are counted."""
        ends: dict[str, float] = {}
        said = [item for item in said_in(self.ends.values()).items() if item[0] not in logged and item[0] not in TAKEN]
        for name, value in (leaf for item in said for leaf in leaves(*item)):
            if value is None or name in logged:
                continue
            if isinstance(value, float | bool):
                ends[name] = float(value)
            else:
                self.left_out["values of the summary"] += 1
        return ends


def read_facts(files: Iterable[Path]) -> Facts:
    """Read the files of one run, in their order.

    Raises:
        DamagedError: one is no run log.
        OSError: one cannot be read.
    """
    facts = Facts()
    for file in files:
        facts.exit_code = None
        with RunLog(file) as log:
            for record in log.records(recover=True):
                _take(facts, file.parent, str(record.WhichOneof("record_type")), record)
            if log.damaged:
                facts.left_out["damaged places"] += log.damaged
    return facts


def _take(facts: Facts, folder: Path, kind: str, record: Any) -> None:
    match kind:
        case "run":
            _take_run(facts, record.run)
        case "config":
            _configure(facts, record.config)
        case "summary":
            facts.ends |= {_path(item): item for item in record.summary.update}
            for item in record.summary.remove:
                facts.ends.pop(_path(item), None)
        case "metric":
            facts.has_axis = facts.has_axis or record.metric.step_metric == STEP
        case "artifact":
            facts.artifacts.append((folder, record.artifact))
        case "files":
            facts.files += [(folder, item.path) for item in record.files.files]
        case "exit":
            facts.exit_code, facts.runtime = record.exit.exit_code, record.exit.runtime
        case _ if kind in _LEFT_OUT:
            facts.left_out[_LEFT_OUT[kind]] += 1


def _take_run(facts: Facts, run: Any) -> None:
    facts.run, facts.run_id = run, run.run_id
    facts.started = facts.started or run.start_time.seconds + run.start_time.nanos / 1e9
    _configure(facts, run.config)


def _path(item: Any) -> tuple[str, ...]:
    return tuple(item.nested_key) or (item.key,)


def _configure(facts: Facts, config: Any) -> None:
    for item in config.update:
        put(facts.config, item)
    for item in config.remove:
        facts.config.pop(_path(item)[0], None)
