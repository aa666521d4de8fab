"""No test of this folder sees a login or a setting of the user's, and none leaves W&B's service behind."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session", autouse=True)
def own_wandb() -> Iterator[None]:
    """Give W&B folders of the session's own, and end its service with the session."""
    with tempfile.TemporaryDirectory(prefix="neural-test-wandb-") as folder, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("WANDB_")]:
            patch.delenv(name)
        for name in ("CONFIG", "CACHE", "DATA"):
            patch.setenv(f"WANDB_{name}_DIR", str(Path(folder, name)))
        patch.setenv("WANDB_ERROR_REPORTING", "false")
        patch.setenv("NETRC", str(Path(folder, "netrc")))
        yield
        if "wandb" in sys.modules:
            sys.modules["wandb"].teardown()
