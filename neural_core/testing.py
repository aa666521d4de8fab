"""For tests of plugins: plugins that record and misbehave, a delivery to call, and the contract of a backend.

Nothing here is a mock. `deliver` tells a plugin what a real experiment holds, through the relay that tells it in a
training run; `BackendContract` is a class of tests that a backend's test file inherits. docs/hooks.md shows both.
"""

from neural_core._testing.backend import ReadBack
from neural_core._testing.contract import BackendContract
from neural_core._testing.delivering import Delivered, deliver, following
from neural_core._testing.misbehaving import CrashingPlugin, HangingPlugin, RaisingPlugin, SlowPlugin
from neural_core._testing.recording import EveryHook, HeardCall, RecordingPlugin

__all__ = [
    "BackendContract",
    "CrashingPlugin",
    "Delivered",
    "EveryHook",
    "HangingPlugin",
    "HeardCall",
    "RaisingPlugin",
    "ReadBack",
    "RecordingPlugin",
    "SlowPlugin",
    "deliver",
    "following",
]
