"""The tests mirror the code: where they lie, what they import, how many files a folder has."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.support import ROOT

TESTS = ROOT / "tests"
MODULES = sorted(TESTS.rglob("*.py"))
MOST_FILES = 13


def folders(place: Path) -> list[Path]:
    return [path for path in sorted(place.iterdir()) if path.is_dir() and (path / "__init__.py").exists()]


def imported(module: Path) -> set[str]:
    """Return the names of the modules that a file imports, those inside functions included."""
    nodes = list(ast.walk(ast.parse(module.read_text())))
    whole = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    parts = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    return whole | {f"{node.module}.{alias.name}" for node in parts for alias in node.names}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(TESTS)))
def test_no_test_is_imported_by_another(module):
    of_tests = re.compile(r"tests\.(\w+\.)*(test_|conftest)")
    assert [name for name in sorted(imported(module)) if of_tests.match(name)] == []


@pytest.mark.parametrize("place", [TESTS, *folders(TESTS)], ids=lambda place: place.name)
def test_a_folder_holds_at_most_thirteen_files(place):
    modules = [path for path in place.rglob("*.py") if path.name != "__init__.py"]
    counts = Counter(path.parent.relative_to(TESTS) for path in modules)
    assert {str(folder): count for folder, count in counts.items() if count > MOST_FILES} == {}


@pytest.mark.parametrize("package", ["bandits", "simulation", "services"])
def test_every_folder_mirrors_a_package(package):
    mirrored = {folder.name for folder in folders(TESTS / package)}
    assert mirrored <= {folder.name for folder in folders(ROOT / "app" / package)}
