"""The page with the measured values: docs/benchmarks/performance.md."""

import datetime as dt
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks import wrk
from benchmarks.attachments import Attachment
from benchmarks.measurement import HEADER, Measurement, cores
from benchmarks.service import Service

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks" / "performance.md"
PICTURES = "../img"
PACKAGES = ("fastapi", "uvicorn", "pydantic", "sqlalchemy", "psycopg", "numpy")

INTRODUCTION = """# Performance

Written by `make bench ARGS=--write` (needs `wrk`); do not edit. Every result is a ratio of two things measured
alternately within one run, so that it means the same on another machine; the absolute values beside it do not. The
median of the repetitions is compared with the target.

Requests per second are divided by those of a bare FastAPI route: one route without middleware, in a process of its
own, behind the same uvicorn. One service process (uvicorn, uvloop, httptools), or two where a line says so, and an
embedded PostgreSQL with the settings of `make run`, which commits to disk, share the machine with the program that
measures.
"""


def table(measurements: Sequence[Measurement]) -> str:
    """Return measurements as a Markdown table."""
    return "\n".join([HEADER, *(measurement.row() for measurement in measurements)])


def write(results: Mapping[str, Sequence[Measurement | Attachment]], surroundings: str) -> None:
    """Replace the page with the results of a whole run, a section for every question, and draw its pictures."""
    sections = [_section(question, found) for question, found in results.items() if found]
    PAGE.write_text("\n".join([INTRODUCTION, f"{surroundings}\n", *sections]))


def _section(question: str, found: Sequence[Measurement | Attachment]) -> str:
    parts = [f"## {question}", table([one for one in found if isinstance(one, Measurement)])]
    for exhibit in (one for one in found if isinstance(one, Attachment)):
        exhibit.draw(PAGE.parent / PICTURES)
        parts.append(exhibit.markdown(PICTURES))
    return "\n\n".join(parts) + "\n"


def surroundings(service: Service) -> str:
    """Return what the measurements depend on: the day, the cores, the versions."""
    with service.connect() as connection:
        postgres = connection.info.parameter_status("server_version")
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{dt.datetime.now(dt.UTC):%Y-%m-%d}, {cores()} cores ({platform.machine()}), "
        f"one-minute load {os.getloadavg()[0]:.1f} before the start, "
        f"Python {platform.python_version()}, PostgreSQL {postgres}, {packages}, {_wrk()}."
    )


def _wrk() -> str:
    if not wrk.installed():
        return "without wrk"
    said = subprocess.run(
        ["wrk", "-v"], check=False, capture_output=True, text=True
    ).stdout  # it exits with 1
    return " ".join(said.split()[:2])
