"""The training step of the benchmarks, in Python alone: it also runs beside the peers, which have only that."""

from __future__ import annotations

import time

__all__ = ["STEP_SECONDS", "compute", "work_of_a_step"]

STEP_SECONDS = 200e-6


def compute(work: int) -> int:
    """Be the training step: Python that keeps the interpreter to itself."""
    total = 0
    for number in range(work):
        total += number & 7
    return total


def work_of_a_step() -> int:
    """Give how much `compute` has to do in a training step of 0.2 ms."""
    rounds, fastest = 100_000, float("inf")
    for _ in range(9):
        start = time.perf_counter()
        compute(rounds)
        fastest = min(fastest, time.perf_counter() - start)
    return max(1, int(rounds * STEP_SECONDS / fastest))
