"""For tests of plugins: plugins that record and misbehave, a delivery to call, scripts, and the contract of a backend.

Nothing here is a mock. `deliver` tells a plugin what a real experiment holds, through the relay that tells it in a
training run; `BackendContract` is a class of tests that a backend's test file inherits. docs/hooks.md shows both.
`run_script` trains in a process of its own, and `wait_for` waits for what another process does.
"""

from neural_core._testing.backend import ReadBack
from neural_core._testing.contract import BackendContract
from neural_core._testing.delivering import Delivered, deliver, following
from neural_core._testing.misbehaving import CrashingPlugin, HangingPlugin, RaisingPlugin, SlowPlugin
from neural_core._testing.recording import EveryHook, HeardCall, RecordingPlugin
from neural_core._testing.scripts import run_script, start_script, wait_for

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
    "run_script",
    "start_script",
    "wait_for",
]
