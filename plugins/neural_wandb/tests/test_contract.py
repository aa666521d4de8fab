"""The W&B backend keeps the contract of backends, offline."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from neural_wandb import WandbBackend
from wandb_files import Written

from neural_core.records import Experiment
from neural_core.testing import BackendContract, ReadBack


class TestWandbBackend(BackendContract):
    """Every test of the contract, with files in a folder."""

    def make_backend(self, tmp_path: Path) -> WandbBackend:
        """Give a backend that writes below `tmp_path`."""
        return WandbBackend(mode="offline", dir=tmp_path)

    def read_back(self, tmp_path: Path, experiment: Experiment) -> ReadBack:
        """Read all folders of the run."""
        written = Written(tmp_path, experiment.experiment_id)
        names = [artifact.name for artifact in written.artifacts]
        figures = [name for row in written.history for name in row if name.startswith("figures/")]
        return ReadBack(
            points=written.points(),
            hyperparameters=set(flat(written.config)),
            artifacts=names + figures,
            status=written.about["status"],
        )


def flat(config: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """Give dotted names."""
    for name, value in config.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}"
