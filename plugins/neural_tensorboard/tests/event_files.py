"""What these tests share: event files read back with TensorBoard's own reader."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata as hparams
from tensorboard.util import tensor_util

Point = tuple[str, int, float]


@frozen
class Loaded:
    """A run as TensorBoard reads it; nothing is sampled away."""

    accumulator: EventAccumulator

    @classmethod
    def of(cls, folder: Path) -> Loaded:
        """Read all event files of a folder."""
        everything = {"scalars": 0, "tensors": 0, "images": 0}
        return cls(EventAccumulator(str(folder), size_guidance=everything).Reload())

    @property
    def tags(self) -> list[str]:
        """The tags of all scalars."""
        return sorted(self.accumulator.Tags()["scalars"])

    def scalars(self, tag: str) -> list[tuple[int, float]]:
        """Give (step, value) in the order of the file."""
        return [(event.step, event.value) for event in self.accumulator.Scalars(tag)]

    def times(self, tag: str) -> list[float]:
        """Give the wall times in the order of the file."""
        return [event.wall_time for event in self.accumulator.Scalars(tag)]

    def points(self) -> list[Point]:
        """Give (metric, step, value), metric by metric."""
        return [(tag, step, value) for tag in self.tags for step, value in self.scalars(tag)]

    def text(self, tag: str) -> list[str]:
        """Give the newest text of a tag, the cells of a table one after the other."""
        array = tensor_util.make_ndarray(self.accumulator.Tensors(tag)[-1].tensor_proto)
        return [cell.decode() for cell in array.flatten()]

    def table(self, tag: str) -> dict[str, str]:
        """Give the newest table of a tag."""
        cells = self.text(tag)
        return dict(zip(cells[::2], cells[1::2], strict=True))

    def text_tags(self) -> list[str]:
        """Give the tags of the TEXT dashboard."""
        return sorted(self.accumulator.PluginTagToContent("text"))

    def hparams(self) -> dict[str, object]:
        """Give the hyperparameters of the HPARAMS dashboard."""
        content = self.accumulator.PluginTagToContent("hparams").get(hparams.SESSION_START_INFO_TAG)
        if content is None:
            return {}
        values = hparams.parse_session_start_info_plugin_data(content).hparams
        return {name: getattr(value, value.WhichOneof("kind")) for name, value in values.items()}

    def status(self) -> int | None:
        """Give the status of the HPARAMS dashboard."""
        content = self.accumulator.PluginTagToContent("hparams").get(hparams.SESSION_END_INFO_TAG)
        return None if content is None else hparams.parse_session_end_info_plugin_data(content).status


def run_folder(log_dir: Path, experiment_id: str) -> Path:
    """Give the only folder of an experiment."""
    (folder,) = log_dir.glob(f"*/{experiment_id}")
    return folder
