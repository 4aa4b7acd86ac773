"""What is installed is what was chosen: pinned with hashes for every Python, under licences that were read."""

import re
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from docs.reference import licences

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKS = ["run", "dev", "sbom"]
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
ASKED = {
    "run": PROJECT["dependencies"] + PROJECT["optional-dependencies"]["build"],
    "dev": PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"],
    "sbom": (ROOT / "requirements/sbom.in").read_text().split(),
}


def entries(lock):
    """Every pin of a lock, with the text of its hashes."""
    text = (ROOT / f"requirements/{lock}.txt").read_text()
    for entry in re.split(r"\n(?=[A-Za-z0-9])", text):
        yield (
            Requirement(entry.partition("\\")[0].strip()),
            re.findall(r"--hash=sha256:[0-9a-f]{64}\b", entry),
        )


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_names_one_version_and_its_hashes(lock):
    for pin, hashes in entries(lock):
        assert re.fullmatch(r"==[^,]+", str(pin.specifier)), pin
        assert hashes, pin


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("lock", LOCKS)
def test_every_python_gets_one_version_of_everything_that_was_asked_for(lock, python):
    """That wheels of them are there is `make locks`, which asks the package index."""
    target = default_environment() | {"python_version": python, "python_full_version": f"{python}.1"}
    applying = [pin for pin, _ in entries(lock) if pin.marker is None or pin.marker.evaluate(target)]
    pinned = {canonicalize_name(pin.name): str(pin.specifier)[2:] for pin in applying}
    assert len(pinned) == len(applying)
    for wanted in map(Requirement, ASKED[lock]):
        if wanted.marker is None or wanted.marker.evaluate(target):
            assert wanted.specifier.contains(pinned[canonicalize_name(wanted.name)]), wanted


def test_what_runs_is_what_was_tested():
    pins = [
        {(pin.name, str(pin.specifier), str(pin.marker)) for pin, _ in entries(lock)}
        for lock in ("run", "dev")
    ]
    assert pins[0] <= pins[1]


@pytest.mark.parametrize("lock", ["run", "dev"])
def test_no_licence_came_in_that_nobody_has_read(lock):
    assert licences.unexpected(lock) == {}


@pytest.mark.skipif(
    (sys.platform, sys.version_info[:2]) != ("linux", (3, 11)),
    reason="other packages are installed elsewhere",
)
def test_the_page_of_licences_is_current():
    assert licences.PAGE.read_text() == licences.page(), "make licences"


def test_our_own_licence_is_where_it_is_looked_for():
    assert PROJECT["license"] == "MIT"
    assert (ROOT / "LICENSE").read_text().startswith("MIT License\n")


def test_check_and_sbom_are_goals_of_make():
    makefile = (ROOT / "Makefile").read_text()
    check = re.search(r"^check:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)[1]
    assert "-m pip check" in check
    assert "cyclonedx-py requirements requirements/run.txt" in makefile
