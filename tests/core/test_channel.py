"""What the companion says to its trainer."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest

from neural_core._delivery.channel import Hearing, Telling


@pytest.fixture
def pipe() -> Iterator[tuple[Hearing, int]]:
    """Give the trainer's end of a pipe, and the descriptor of the other."""
    hearing, telling = os.pipe()
    ear = Hearing(hearing)
    yield ear, telling
    ear.close()
    os.close(telling)


def warn(companion: Telling, text: str) -> None:
    """Let a companion warn."""
    companion.handle(logging.LogRecord("neural", logging.WARNING, "", 0, text, None, None))


def test_greeting_and_warnings(pipe: tuple[Hearing, int]) -> None:
    """The greeting comes first and is no warning; a warning comes once, of a plugin that raises again the first."""
    ear, descriptor = pipe
    assert (ear.sentences(), ear.greeted) == ([], False)
    companion = Telling(descriptor)
    assert (ear.sentences(), ear.greeted) == ([], True)
    for text in (
        "größe: 1\nof two lines",
        "größe: 2",
        "größe: 2",
        "plugin 'a' raised X in b: 1",
        "plugin 'a' raised X in b: 2",
    ):
        warn(companion, text)
    assert ear.sentences() == ["größe: 1\nof two lines", "größe: 2", "plugin 'a' raised X in b: 1"]
    assert ear.sentences() == []
    os.close(companion._pipe)


def test_noise(pipe: tuple[Hearing, int]) -> None:
    """What another program prints there is neither a greeting nor a warning; half a line waits for its end."""
    ear, descriptor = pipe
    os.write(descriptor, b'usage: -P\n\xff\x00\n{"a": 1}\n3\n"hal')
    assert (ear.sentences(), ear.greeted) == ([], False)
    os.write(descriptor, b'f"\n')
    assert ear.sentences() == ["half"]


def test_nobody_waits(pipe: tuple[Hearing, int]) -> None:
    """A companion whose trainer does not listen goes on, and so does one whose trainer has gone."""
    ear, descriptor = pipe
    companion = Telling(descriptor)
    for at in range(5_000):
        warn(companion, f"warning {at} of very many")
    said = ear.sentences()
    assert said[0] == "warning 0 of very many"
    assert len(said) < 5_000
    ear.close()
    warn(companion, "the last one")
    os.close(companion._pipe)
