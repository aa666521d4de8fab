"""How far apart colours are for people who see red and green alike: OKLab after Machado's simulation (2009)."""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["least_distance", "run_colours"]

_PROTAN = [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
_DEUTAN = [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
_TO_LMS = [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
           [0.0883024619, 0.2817188376, 0.6299787005]]  # fmt: skip
_TO_LAB = [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
           [0.0259040371, 0.7827717662, -0.8086757660]]  # fmt: skip


def run_colours(style: str, theme: str) -> list[str]:
    """Give the ten colours of runs that a style sheet has for a theme."""
    dark = style.index('[data-bs-theme="dark"]')
    part = style[dark:] if theme == "dark" else style[:dark]
    return [found for at in range(10) for found in re.findall(rf"--run-{at}: (#[0-9a-f]{{6}});", part)]


def _linear(colour: str) -> NDArray[np.float64]:
    value = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _lab(rgb: NDArray[np.float64]) -> Any:
    return np.array(_TO_LAB) @ np.cbrt(np.array(_TO_LMS) @ rgb.clip(0, 1))


def least_distance(colours: list[str]) -> float:
    """Give the smallest distance of two of the colours, for protanopes or deuteranopes, whichever is smaller."""
    every = []
    for matrix in (_PROTAN, _DEUTAN):
        seen = [_lab(np.array(matrix) @ _linear(colour)) for colour in colours]
        every += [float(np.linalg.norm(a - b)) for a, b in itertools.combinations(seen, 2)]
    return min(every)
