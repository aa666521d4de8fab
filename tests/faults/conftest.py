"""Make the modules beside these tests importable by their plain names, as ``python tests/faults`` does."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
