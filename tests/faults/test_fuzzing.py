"""What the fuzzer tries for minutes, for a moment: mutated files of a small experiment."""

from __future__ import annotations

import pytest
from fuzz_target import Subject, fitting
from hypothesis import given, settings
from hypothesis import strategies as st

ODD = [b"\0\0", b"\xff\xff", b"\xff" * 8, b"[]", b"{}", b'""', b"null", b"-1", b"1e9999", b"[" * 500]
edits = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 40), st.sampled_from(ODD) | st.binary(max_size=9)), min_size=1, max_size=4
)


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """Give the experiments whose files are replaced."""
    return Subject(tmp_path_factory.mktemp("fuzz"))


def test_the_sound_ones_pass(subject: Subject) -> None:
    """Every file as it is, with its checksums and with newly computed ones, which are the same, passes."""
    for seed in subject.seeds():
        subject.try_input(seed)
        path = subject.files[seed[0] // 2]
        if path.suffix != ".parquet":
            assert fitting(seed[1:], document=path.suffix == ".json") == seed[1:]


@pytest.mark.fault("I10")
@given(st.integers(0, 255), edits)
@settings(max_examples=60)
def test_mutated_files(subject: Subject, choice: int, changes: list[tuple[float, int, bytes]]) -> None:
    """Whatever is cut out of a file and put into it, with checksums that fit or not, only what is allowed happens."""
    seed = bytearray(subject.seeds()[choice % len(subject.seeds())])
    for place, length, inserted in changes:
        at = 1 + int(place * (len(seed) - 1))
        seed[at : at + length] = inserted
    subject.try_input(bytes(seed))
