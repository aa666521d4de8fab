"""What the surroundings say: disabled mode, ranks, and the record of where an experiment ran."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any

__all__ = ["attached_directory", "describe", "is_disabled", "rank_from_environment", "rank_tags", "warn_about_rank"]

_log = logging.getLogger("neural")
_RANKS = ("RANK", "SLURM_PROCID")
_JOBS = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID")
_warned = False


def is_disabled() -> bool:
    """Tell whether NEURAL_MODE=disabled makes every call a no-op."""
    return os.environ.get("NEURAL_MODE", "").lower() == "disabled"


def attached_directory() -> Path | None:
    """Give the experiment that NEURAL_EXPERIMENT_DIR names, to which this process adds."""
    directory = os.environ.get("NEURAL_EXPERIMENT_DIR")
    return Path(directory) if directory else None


def rank_from_environment() -> int:
    """Give the rank of this process in its job, 0 when there is none."""
    for name in _RANKS:
        text = os.environ.get(name, "")
        if text.isdecimal():
            return int(text)
    return 0


def rank_tags() -> dict[str, str]:
    """Give rank and job id as tags, for a job of several processes."""
    tags = {"rank": str(rank_from_environment())} if any(name in os.environ for name in _RANKS) else {}
    job = next((os.environ[name] for name in _JOBS if os.environ.get(name)), None)
    return {**tags, "job": job} if job else tags


def warn_about_rank(directory: Path) -> None:
    """Say once that this rank makes an experiment of its own, and the line that would join it to rank 0's."""
    global _warned
    size = os.environ.get("WORLD_SIZE", "")
    if not _warned and size.isdecimal() and int(size) > 1 and rank_from_environment() > 0:
        _warned = True
        _log.warning(
            "rank %d of %s made an experiment of its own (%s). To log all ranks into one, give them its folder: "
            "ExperimentTracker.attach(experiment_dir), or NEURAL_EXPERIMENT_DIR in their environment",
            rank_from_environment(),
            size,
            directory,
        )


def _system() -> str:
    if hasattr(os, "uname"):
        name = os.uname()
        return f"{name.sysname} {name.release} {name.machine}"
    return sys.platform


def describe() -> dict[str, Any]:
    """Give where an experiment runs: versions, system, script. No command line: it may hold secrets."""
    from neural_core import __version__

    version = ".".join(map(str, sys.version_info[:3]))

    return {
        "neural": __version__,
        "python": version,
        "system": _system(),
        "script": Path(sys.argv[0]).name if sys.argv else "",
    }
