from importlib.metadata import entry_points, version

import neural_tensorboard


def test_installed_version() -> None:
    """The distribution neural-tensorboard is installed at version 0.1."""
    assert version("neural-tensorboard").startswith("0.1.")


def test_typed_module_with_a_description() -> None:
    """The module says what it is."""
    assert neural_tensorboard.__doc__


def test_promises_no_backend_it_does_not_have() -> None:
    """No entry point of neural leads to this version, which has nothing behind it."""
    groups = [group for group in entry_points().groups if group.startswith("neural.")]
    assert not [e for group in groups for e in entry_points(group=group) if e.module.startswith("neural_tensorboard")]
