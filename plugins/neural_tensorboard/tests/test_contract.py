"""The TensorBoard backend keeps the contract of backends."""

from __future__ import annotations

import struct
from pathlib import Path

from event_files import Loaded, run_folder
from neural_tensorboard import TensorBoardBackend

from neural_core.records import Experiment
from neural_core.testing import BackendContract, ReadBack


class TestTensorBoardBackend(BackendContract):
    """Every test of the contract, read back with TensorBoard's EventAccumulator."""

    exactly_once = True

    def make_backend(self, tmp_path: Path) -> TensorBoardBackend:
        """Give a backend that writes below `tmp_path`."""
        return TensorBoardBackend(log_dir=tmp_path / "runs")

    def read_back(self, tmp_path: Path, experiment: Experiment) -> ReadBack:
        """Read the run's folder as TensorBoard does."""
        run = Loaded.of(run_folder(tmp_path / "runs", experiment.experiment_id))
        artifacts = [tag.removeprefix("artifacts/") for tag in run.text_tags() if tag.startswith("artifacts/")]
        return ReadBack(run.points(), run.hparams(), artifacts, run.table("neural/status").get("status"))

    def stored_value(self, value: float) -> float:
        """Give the value as float32, which is what TensorBoard keeps."""
        rounded: float = struct.unpack("<f", struct.pack("<f", value))[0]
        return rounded
