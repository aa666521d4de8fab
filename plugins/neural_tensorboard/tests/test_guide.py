"""The guide's TensorBoard block, run as written."""

from __future__ import annotations

import re
from pathlib import Path

from boards import tensorboard
from event_files import Loaded

from neural_core.testing import run_script, wait_for

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "guide.md"
BEFORE = "from neural.tracking import ExperimentTracker\nloss = 0.5\n"


def test_the_block_and_its_command(tmp_path: Path) -> None:
    """The guide's block writes 100 values, and its `tensorboard --logdir` shows them."""
    block = re.search(r"### TensorBoard Integration\n\n```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert block
    experiment_id = run_script(f"{BEFORE}{block[1]}print(tracker.experiment_id)", cwd=tmp_path).strip()
    command = re.search(r"# tensorboard --logdir=(\S+)", block[1])
    assert command
    log_dir = tmp_path / command[1]
    loaded = Loaded.of(log_dir / experiment_id)
    assert loaded.scalars("loss") == [(step, 0.5) for step in range(100)]
    assert loaded.table("neural/status")["status"] == "completed"
    with tensorboard(log_dir, fast=True) as board:
        tags = wait_for(lambda: board.get("/data/plugin/scalars/tags"))
        assert {run: list(of_run) for run, of_run in tags.items()} == {experiment_id: ["loss"]}
