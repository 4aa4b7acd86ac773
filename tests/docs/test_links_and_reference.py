"""Links of the documentation resolve, generated pages are current, and what a document names exists."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from app.settings import ServiceSettings

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
FILES = [ROOT / name for name in subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
    cwd=ROOT, capture_output=True, text=True, check=False,
).stdout.split("\n") if name and (ROOT / name).is_file()]  # fmt: skip
PAGES = [path for path in FILES if path.suffix == ".md"]
TESTS = [path for path in FILES if path.name.startswith("test_") and path.suffix == ".py"]
TOP = r"(?:app|benchmarks|deploy|docs|examples|migrations|requirements|sdk|tests)"
PATH = re.compile(rf"`({TOP}/[A-Za-z0-9_./-]*[A-Za-z0-9_])(?:/|`|\s)")


def test_the_example_environment_names_every_setting_and_no_other():
    lines = (ROOT / ".env.example").read_text().splitlines()
    named = {match[1] for line in lines if (match := re.match(r"#?([A-Z_]+)=", line))}
    settings = re.findall(r"^\| `([A-Z_]+)` \|", (DOCS / "reference/settings.md").read_text(), re.MULTILINE)
    assert named == set(settings)


def test_the_example_environment_shows_the_defaults():
    example = ROOT / ".env.example"
    assert ServiceSettings(_env_file=example, home=Path("x")) == ServiceSettings(
        _env_file=None, home=Path("x")
    )


def test_the_generated_pages_are_current():
    """In a process of its own: other tests register policies."""
    command = "import json; from docs.reference.__main__ import pages; print(json.dumps(pages()))"
    done = subprocess.run(
        [sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=True
    )
    pages = json.loads(done.stdout)
    stale = [name for name, text in pages.items() if (DOCS / "reference" / name).read_text() != text]
    assert stale == [], "make reference"


def test_every_page_that_says_so_is_generated():
    command = "import json; from docs.reference.__main__ import pages; print(json.dumps(list(pages())))"
    done = subprocess.run(
        [sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=True
    )
    marked = {
        document.name
        for document in PAGES
        if "generated from the code by `make reference`" in document.read_text()
    }
    assert marked == set(json.loads(done.stdout))


def anchors(document):
    """The fragments that a document's headings have, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", PAGES, ids=lambda document: str(document.relative_to(ROOT)))
def test_every_link_of_a_page_resolves(document):
    text = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"", text)
    local = [a or b for a, b in links if not (a or b).startswith(("http:", "https:", "mailto:"))]
    for link in local:
        path, _, fragment = link.partition("#")
        target = document.parent / path if path else document
        assert target.exists(), link
        if fragment:
            assert fragment in anchors(target), link


def test_the_index_lists_every_page():
    index = (DOCS / "README.md").read_text()
    pages = [document.relative_to(DOCS) for document in PAGES if document.is_relative_to(DOCS)]
    unlisted = [
        str(document)
        for document in pages
        if f"({document})" not in index and document.parts[0] != "decisions"
    ]
    assert unlisted == ["README.md"]


def test_every_page_is_in_the_folder_of_its_kind():
    kinds = {document.relative_to(DOCS).parts[0] for document in PAGES if document.is_relative_to(DOCS)}
    assert kinds == {
        "README.md",
        "glossary.md",
        "how-to",
        "explanation",
        "reference",
        "benchmarks",
        "decisions",
    }


@pytest.mark.parametrize("document", PAGES, ids=lambda document: str(document.relative_to(ROOT)))
def test_every_file_of_the_code_that_a_page_names_exists(document):
    paths = [path.partition("*")[0] for path in PATH.findall(document.read_text())]
    assert [path for path in paths if not (ROOT / path).exists() and "NOUN" not in path] == []


ARCHITECTURE = (DOCS / "explanation/architecture.md").read_text()


def test_every_file_of_the_picture_of_a_request_exists():
    drawn = re.findall(r"\[\"([a-z_]+/[a-z_/]+\.py)<br>", ARCHITECTURE)
    assert len(drawn) == 11
    assert [path for path in drawn if not (ROOT / "app" / path).exists()] == []


@pytest.mark.parametrize(
    ("package", "container"), [("all", "app"), ("services", "app.services"), ("bandits", "app.bandits")]
)
def test_the_order_of_packages_is_the_one_that_import_linter_checks(package, container):
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    checked = next(contract["layers"] for contract in contracts if contract.get("containers") == [container])
    shown = re.search(rf"^- {package}: `([^`]+)`", ARCHITECTURE, re.MULTILINE)[1]
    assert " ".join(shown.split()) == " > ".join(layer for layer in checked if layer != "__main__")


@pytest.mark.parametrize("document", PAGES, ids=lambda document: str(document.relative_to(ROOT)))
def test_every_test_that_a_page_names_exists(document):
    text = document.read_text()
    files = re.findall(r"\b(test_\w+\.py)\b", text)
    assert set(files) - {path.name for path in TESTS} == set()
    functions = set(re.findall(r"`(test_\w+)`", text))
    code = "\n".join(path.read_text() for path in TESTS) if functions else ""
    assert [name for name in functions if f"def {name}(" not in code] == []
