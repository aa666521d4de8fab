"""A plugin of pytest that runs tests of certain names only: ``FAULTS_ONLY`` has one on each line."""

from __future__ import annotations

import os

import pytest

__all__ = ["pytest_collection_modifyitems"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the others out; a name with its parameters in brackets is that case alone."""
    names = os.environ["FAULTS_ONLY"].splitlines()
    chosen = [item for item in items if item.name in names or item.name.partition("[")[0] in names]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen
