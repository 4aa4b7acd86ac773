"""What the papers say is what the code does."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PAPERS = [ROOT / name for name in subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
    cwd=ROOT, capture_output=True, text=True, check=False,
).stdout.split()]  # fmt: skip


def test_the_example_environment_names_every_setting_and_no_other():
    lines = (ROOT / ".env.example").read_text().splitlines()
    named = {match[1] for line in lines if (match := re.match(r"#?([A-Z_]+)=", line))}
    settings = re.findall(
        r"^\| `([A-Z_]+)` \|", (ROOT / "docs/reference/settings.md").read_text(), re.MULTILINE
    )
    assert named == set(settings)


def test_the_example_environment_shows_the_defaults():
    example = ROOT / ".env.example"
    assert Settings(_env_file=example, home=Path("x")) == Settings(_env_file=None, home=Path("x"))


def test_the_reference_is_what_the_code_says():
    """Asked of a process of its own: other tests register policies."""
    asked = "import json; from docs.reference.__main__ import pages; print(json.dumps(pages()))"
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    pages = json.loads(done.stdout)
    stale = [name for name, text in pages.items() if (ROOT / "docs/reference" / name).read_text() != text]
    assert stale == [], "make reference"
    assert {page.name for page in (ROOT / "docs/reference").glob("*.md")} == set(pages)


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: str(paper.relative_to(ROOT)))
def test_every_link_of_a_paper_leads_somewhere(paper):
    text = re.sub(r"```.*?```", "", paper.read_text(), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)|(?:src|srcset)=\"([^\"]+)\"", text)
    paths = [a or b for a, b in links if not (a or b).startswith(("http:", "https:", "mailto:"))]
    assert [path for path in paths if not (paper.parent / path).exists()] == []


def test_the_index_of_papers_names_every_page():
    index = (ROOT / "docs/README.md").read_text()
    pages = [page.relative_to(ROOT / "docs") for page in PAPERS if page.is_relative_to(ROOT / "docs")]
    left_out = [str(page) for page in pages if f"({page})" not in index and page.parts[0] != "decisions"]
    assert left_out in ([], ["README.md"])
