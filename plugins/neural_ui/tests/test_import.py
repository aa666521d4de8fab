from importlib.metadata import entry_points, version

import neural_ui


def test_installed_version() -> None:
    """The distribution neural-ui is installed at version 0.1."""
    assert version("neural-ui").startswith("0.1.")


def test_typed_module_with_a_description() -> None:
    """The module says what it is."""
    assert neural_ui.__doc__


def test_entry_point() -> None:
    """The entry point of the group neural.ui leads to the page."""
    (point,) = entry_points(group="neural.ui")
    assert point.load() is neural_ui.ExperimentComparisonUI
