"""What stands in one event. Files may come from anybody: sizes are looked at before anything is unpacked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from google.protobuf.message import DecodeError
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
from tensorboard.util import tensor_util

from neural_tensorboard._description import EXPERIMENT

__all__ = [
    "hparams_of",
    "images_of",
    "name_of",
    "number_of",
    "pairs_of",
    "parsed",
    "plain_hparams",
    "strings_of",
]

_EXACT = 2**53
_BEGIN_OF_TIME = -62_135_596_800.0  # the year 1
_END_OF_TIME = 253_402_300_800.0  # the year 10000, which no date reaches
_SIZES = 2  # width and height stand before the images of a tensor


def parsed(record: bytes | None) -> Event | None:
    """Give a record as an event; None for a damaged one."""
    if record is None:
        return None
    try:
        event = Event.FromString(record)
    except DecodeError:
        return None
    return event if _BEGIN_OF_TIME <= event.wall_time < _END_OF_TIME else None  # neither is NaN


def name_of(event: Event) -> str | None:
    """Give the name of the experiment that neural wrote into this event, None when it did not."""
    for value in event.summary.value:
        if value.tag == EXPERIMENT:
            return dict(pairs_of(value.tensor)).get("name")
    return None


def number_of(tensor: TensorProto) -> float | int | None:
    """Give the number of a tensor that holds one; None for any other."""
    if math.prod(dimension.size for dimension in tensor.tensor_shape.dim) != 1:
        return None
    try:
        number = tensor_util.make_ndarray(tensor).item()
    except (TypeError, ValueError):  # a type or an amount of bytes that does not fit
        return None
    return number if isinstance(number, int | float) else None


def strings_of(tensor: TensorProto) -> list[str]:
    """Give the texts of a tensor, one after the other."""
    return [text.decode("utf-8", "replace") for text in tensor.string_val]


def pairs_of(tensor: TensorProto) -> list[tuple[str, str]]:
    """Give the rows of a table of two columns; none when it is no such table."""
    cells = strings_of(tensor)
    shape = [dimension.size for dimension in tensor.tensor_shape.dim]
    return list(zip(cells[::2], cells[1::2], strict=True)) if shape == [len(cells) / 2, 2] else []


def images_of(value: Summary.Value) -> Sequence[bytes]:
    """Give the encoded images of a value, whichever way they were written."""
    if value.WhichOneof("value") == "image":
        return [value.image.encoded_image_string]
    return list(value.tensor.string_val)[_SIZES:]


def hparams_of(value: Summary.Value) -> HParamsPluginData | None:
    """Give what a value says of hyperparameters; None when it cannot be read."""
    try:
        return HParamsPluginData.FromString(value.metadata.plugin_data.content)
    except DecodeError:
        return None


def plain_hparams(data: HParamsPluginData) -> dict[str, Any]:
    """Give the hyperparameters of a run; TensorBoard has doubles only, so whole numbers are taken for integers."""
    return {name: _plain(value) for name, value in data.session_start_info.hparams.items()}


def _plain(value: Any) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() and abs(number) <= _EXACT else number
    if kind in ("string_value", "bool_value"):
        return getattr(value, kind)
    if kind == "list_value":
        return [_plain(one) for one in value.list_value.values]
    return None
