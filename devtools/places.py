"""Where things are: the checkout, and its virtual environment."""
# As in dev.py: only the standard library, no syntax newer than Python 3.6, quoted annotations.

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def environment_folder() -> Path:
    """Say where the virtual environment is: the one that runs this, when it is the checkout's, else .venv."""
    running = Path(sys.prefix).resolve()
    inside = sys.prefix != sys.base_prefix and ROOT in running.parents
    return running if inside else ROOT / ".venv"


def environment_python() -> str:
    """Give the path of the environment's interpreter."""
    return str(environment_folder() / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
