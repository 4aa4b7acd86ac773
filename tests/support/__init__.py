"""What tests of several folders share: builders, clocks, services in processes, golden data; no tests."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
"""Real data and references, which are not part of this repository."""

LIMIT = 600
"""Seconds after which something hangs, however slow the machine is."""
