"""The package as it is installed elsewhere: typed, alone, and no larger than it says."""

import ast
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import groundhog_client

pytestmark = pytest.mark.system

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built offline from a copy: building leaves folders behind."""
    folder = tmp_path_factory.mktemp("wheel")
    copied = shutil.copytree(PROJECT, folder / "copy", ignore=shutil.ignore_patterns("*.egg-info", "build"))
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--wheel-dir", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(copied)], check=True, timeout=120)
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_the_wheel_is_typed_and_holds_every_module(wheel):
    source = PROJECT / "src"
    modules = {path.relative_to(source).as_posix() for path in source.rglob("*.py")}
    assert set(wheel.namelist()) >= modules | {"groundhog_client/py.typed"}


def test_the_wheel_needs_httpx2_and_nothing_else(wheel):
    name = next(name for name in wheel.namelist() if name.endswith("METADATA"))
    lines = wheel.read(name).decode().splitlines()
    assert [line for line in lines if line.startswith("Requires-Dist")] == ["Requires-Dist: httpx2>=2.16"]
    assert f"Version: {groundhog_client.__version__}" in lines


def test_no_module_imports_what_is_not_there():
    for path in (PROJECT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            found = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            found += [node.module] if isinstance(node, ast.ImportFrom) else []
            roots = {name.partition(".")[0] for name in found}
            assert roots <= sys.stdlib_module_names | {"httpx2", "groundhog_client"}, path


def test_the_public_names_are_sorted_there_and_say_what_they_are():
    names = groundhog_client.__all__
    assert names == sorted(names)
    for name in names:
        if name != "__version__":
            assert getattr(groundhog_client, name).__doc__, name


def test_no_private_name_is_public():
    public = {name for name in vars(groundhog_client) if not name.startswith("_")}
    assert public | {"__version__"} == set(groundhog_client.__all__)


def test_help_shows_what_an_operation_takes_and_gives():
    output = subprocess.run(
        [sys.executable, "-c", "import groundhog_client; help(groundhog_client.Client.read_allocation)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "read_allocation(self, /, experiment_id: str, *, for_date" in output
    assert "Allocation" in output
    assert "Return each variant's percent of traffic" in output
