"""Events as TensorBoard's dashboards read them: scalars, text, images and hyperparameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tensorboard.compat.proto.event_pb2 import Event, SourceMetadata
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.types_pb2 import DT_FLOAT, DT_STRING
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo, SessionStartInfo

from neural_tensorboard._names import as_text

__all__ = ["begin", "image", "scalars", "session_end", "session_start", "table", "text"]

SESSION_START = "_hparams_/session_start_info"
SESSION_END = "_hparams_/session_end_info"
HParam = bool | float | str


def begin(time: float) -> bytes:
    """Give the first event of every file. Its version says that steps which go back take no earlier ones along."""
    source = SourceMetadata(writer="neural_tensorboard")
    return _encoded(Event(wall_time=time, file_version="brain.Event:2", source_metadata=source))


def scalars(time: float, step: int, values: Iterable[tuple[str, float]]) -> bytes:
    """Give the scalars of one row as one event."""
    event = Event(wall_time=time, step=step)
    add = event.summary.value.add
    for tag, value in values:
        add(tag=tag, simple_value=value)
    return _encoded(event)


def text(tag: str, time: float, content: str) -> bytes:
    """Give a text, which TensorBoard shows as Markdown."""
    tensor = TensorProto(dtype=DT_STRING, tensor_shape=TensorShapeProto(), string_val=[as_text(content).encode()])
    return _tensor(tag, time, 0, "text", tensor)


def table(tag: str, time: float, rows: Sequence[tuple[str, str]], step: int = 0) -> bytes:
    """Give pairs of texts, which TensorBoard shows as a table."""
    cells = [as_text(cell).encode() for row in rows for cell in row]
    dimensions = [TensorShapeProto.Dim(size=len(rows)), TensorShapeProto.Dim(size=2)]
    tensor = TensorProto(dtype=DT_STRING, tensor_shape=TensorShapeProto(dim=dimensions), string_val=cells)
    return _tensor(tag, time, step, "text", tensor)


def image(tag: str, time: float, step: int, data: bytes, size: tuple[int, int], channels: int) -> bytes:
    """Give an encoded image.

    Args:
        tag: its name.
        time: Unix seconds.
        step: where it stands.
        data: the bytes of a PNG, JPEG, GIF or BMP file.
        size: width and height in pixels.
        channels: 1 for grey to 4 for colours with transparency.
    """
    picture = Summary.Image(width=size[0], height=size[1], colorspace=channels, encoded_image_string=data)
    return _summary(time, step, Summary.Value(tag=as_text(tag), image=picture))


def session_start(time: float, hparams: Mapping[str, HParam]) -> bytes:
    """Give the hyperparameters of a run, for the HPARAMS dashboard."""
    info = SessionStartInfo(start_time_secs=time)
    for name, value in hparams.items():
        slot = info.hparams[as_text(name)]
        if isinstance(value, bool):
            slot.bool_value = value
        elif isinstance(value, str):
            slot.string_value = as_text(value)
        else:
            slot.number_value = value
    return _hparams(SESSION_START, time, HParamsPluginData(session_start_info=info))


def session_end(time: float, status: int) -> bytes:
    """Give the end of a run with one of TensorBoard's statuses, for the HPARAMS dashboard."""
    info = SessionEndInfo(end_time_secs=time, status=status)
    return _hparams(SESSION_END, time, HParamsPluginData(session_end_info=info))


def _hparams(tag: str, time: float, data: HParamsPluginData) -> bytes:
    """TensorBoard keeps this kind of data in a tag's description; the tensor beside it is empty."""
    nothing = TensorProto(dtype=DT_FLOAT, tensor_shape=TensorShapeProto(dim=[TensorShapeProto.Dim(size=0)]))
    return _tensor(tag, time, 0, "hparams", nothing, _encoded(data))


def _tensor(tag: str, time: float, step: int, plugin: str, tensor: TensorProto, content: bytes = b"") -> bytes:
    described = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=plugin, content=content))
    return _summary(time, step, Summary.Value(tag=as_text(tag), metadata=described, tensor=tensor))


def _summary(time: float, step: int, value: Summary.Value) -> bytes:
    return _encoded(Event(wall_time=time, step=step, summary=Summary(value=[value])))


def _encoded(message: Event | HParamsPluginData) -> bytes:
    data: bytes = message.SerializeToString(deterministic=True)
    return data
