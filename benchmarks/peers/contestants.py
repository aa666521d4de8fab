"""Who takes part: neural, the bare write, and the peers, each with what it needs and how it is kept to itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

__all__ = ["BARE", "CONTESTANTS", "NEURAL", "Contestant"]

BARE = "bare"
NEURAL = "neural"


@frozen
class Contestant:
    """One column of the tables.

    Attributes:
        name: a word for options and for `peers.json`.
        title: for people.
        client: the module of `benchmarks.peers.clients` whose class `Client` speaks to it.
        module: what a script imports.
        requirements: what pip installs; empty for what runs in the present environment.
        options: arguments of its `Client`.
        switches: environment variables that keep it offline, quiet and without telemetry.
        parts: the parts it takes part in; all when empty.
        remarks: part → what must be said of it there.
    """

    name: str
    title: str
    client: str
    module: str = ""
    requirements: tuple[str, ...] = ()
    options: Mapping[str, Any] = {}
    switches: Mapping[str, str] = {}
    parts: tuple[str, ...] = ()
    remarks: Mapping[str, str] = {}

    @property
    def distribution(self) -> str:
        """Give the name of what is installed; empty for what comes with Python."""
        return self.requirements[0] if self.requirements else "neural-core" if self.is_ours else ""

    @property
    def is_ours(self) -> bool:
        """Tell whether this is neural, in whatever manner."""
        return self.client == "neural_client"

    @property
    def is_peer(self) -> bool:
        """Tell whether this is another tool."""
        return not self.is_ours and self.name != BARE


_BESIDE = {"NEURAL_FINISH_SECONDS": "1000", "MLFLOW_DISABLE_TELEMETRY": "true", "WANDB_MODE": "offline"}
_REPLACES = {"artifacts": "the second file takes the place of the first"}
_HUB = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "GRADIO_ANALYTICS_ENABLED": "False"}

CONTESTANTS = (
    Contestant(BARE, "bare write", "bare_client"),
    Contestant(NEURAL, "neural", "neural_client", "neural_core", options={"auto_visualize": False}),
    Contestant(
        "neural-plots",
        "neural, plots drawn",
        "neural_client",
        "neural_core",
        options={"auto_visualize": True},
        parts=("startup", "calls", "loop"),
    ),
    Contestant(
        "neural-mirrors",
        "neural, three mirrors",
        "neural_client",
        "neural_core",
        options={"auto_visualize": False, "backend": ["mlflow", "wandb", "tensorboard"]},
        switches={**_BESIDE, "WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false"},
        parts=("loop",),
    ),
    Contestant(
        "mlflow",
        "MLflow (SQLite)",
        "mlflow_client",
        "mlflow",
        ("mlflow",),
        switches={"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"},
        remarks=_REPLACES,
    ),
    Contestant(
        "wandb",
        "W&B (offline)",
        "wandb_client",
        "wandb",
        ("wandb",),
        switches={"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false"},
        remarks={"kills": "an offline run has no reader: its rows are counted in its file"},
    ),
    Contestant("tensorboardx", "tensorboardX", "tensorboardx_client", "tensorboardX", ("tensorboardX", "tensorboard")),
    Contestant(
        "aim",
        "Aim",
        "aim_client",
        "aim",
        ("aim",),
        switches={"AIM_UI_TELEMETRY_ENABLED": "0"},
        remarks={**_REPLACES, "reading": "its runs are indexed before they are read, which is not counted"},
    ),
    Contestant(
        "trackio",
        "Trackio",
        "trackio_client",
        "trackio",
        ("trackio",),
        switches=_HUB,
        remarks={"kills": "a thread stores twice a second what was logged"},
    ),
    Contestant("dvclive", "DVCLive", "dvclive_client", "dvclive", ("dvclive",), switches={"DVC_NO_ANALYTICS": "true"}),
    Contestant(
        "sacred",
        "Sacred (files)",
        "sacred_client",
        "sacred",
        ("sacred",),
        remarks={
            **_REPLACES,
            "calls": "it waits 2 s for its last write, and loses a longer one when the script exits",
            "kills": "metrics are stored every 10 s",
            "reading": "it has no reader: its documented JSON files are loaded",
        },
    ),
)
