"""TensorBoard's event files, written by tensorboardX and read by TensorBoard."""

from __future__ import annotations

from typing import Any, ClassVar

from benchmarks.peers.clients import base

_READER = "tensorboard.backend.event_processing.event_multiplexer"
_ALL = {"scalars": 0}
"""Keep every point: TensorBoard's reader keeps a sample by itself."""


class Client(base.Client):
    """A folder of event files for each run, below ./runs."""

    without: ClassVar = {"store": "it has none"}

    def load(self) -> None:
        """Import the writer."""
        base.tool("tensorboardX")

    def load_reader(self) -> None:
        """Import the reader."""
        base.tool(_READER)

    def start(self, name: str) -> base.Log:
        """Open a writer."""
        self._writer = base.tool("tensorboardX").SummaryWriter(f"runs/{name}")
        add = self._writer.add_scalar

        def log(metrics: base.Metrics, step: int) -> None:
            for metric, value in metrics.items():
                add(metric, value, step)

        return log

    def finish(self) -> None:
        """Close it."""
        self._writer.close()

    def read(self) -> base.Points:
        """Load the only run."""
        reader = _reader()
        (name,) = reader.Runs()
        points = reader.Scalars(name, base.METRIC)
        return [point.step for point in points], [point.value for point in points]

    def listed(self) -> dict[str, float]:
        """Load all runs."""
        reader = _reader()
        return {name: reader.Scalars(name, base.METRIC)[-1].value for name in reader.Runs()}


def _reader() -> Any:
    reader = base.tool(_READER).EventMultiplexer(size_guidance=_ALL)
    reader.AddRunsFromDirectory("runs")
    reader.Reload()
    return reader
