"""Measurements by command; they use the misbehaving upstreams of the tests."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The project's folder."""

sys.path.insert(0, str(ROOT / "tests"))
