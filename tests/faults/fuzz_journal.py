"""Run the fuzzer atheris on the readers of an experiment; ``python3 dev.py faults --fuzz 60`` starts it.

``python tests/faults/fuzz_journal.py -max_total_time=60``: the arguments are libFuzzer's. An input that is not
answered as `fuzz_target` allows is kept as ``crash-…``, ``timeout-…`` or ``oom-…`` in the working folder.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["neural_core"]):
    from fuzz_target import Subject

SECONDS_FOR_ONE = 20
MEGABYTES = 1_500


def main() -> None:
    """Fuzz until the time is over; libFuzzer then ends the process, which leaves a temporary folder behind."""
    folder = Path(tempfile.mkdtemp(prefix="neural-fuzz-"))
    os.environ["NEURAL_CACHE_DIR"] = str(folder / "cache")
    subject = Subject(folder / "store")
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(subject.seeds()):
        (corpus / str(number)).write_bytes(seed)
    limits = [f"-timeout={SECONDS_FOR_ONE}", f"-rss_limit_mb={MEGABYTES}", "-max_len=8192"]
    atheris.Setup([sys.argv[0], *limits, *sys.argv[1:], str(corpus)], subject.try_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
