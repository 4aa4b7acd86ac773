"""The documentation uses the standard terms: some phrases are rejected, each with what to write instead."""

import ast
import io
import re
from pathlib import Path
from tokenize import COMMENT, generate_tokens

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHANGELOG = ROOT / "CHANGELOG.md"
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    CHANGELOG,
    *sorted((ROOT / "docs").rglob("*.md")),
]
REJECTED = {
    r"papers?": "documentation, page",
    r"figures?": "metric, number, value",
    r"told": "reported, said",
    r"refus(?:e|es|ed|al|als|ing)": "reject",
    r"who(?:m)?ever": "the client, the user",
    r"somebody|anybody": "a client, a user",
    r"for ever|forever": "permanently",
    r"(?:its|the) limit \d": "threshold",
    r"(?:go|goes|going|went) on": "continue",
    r"unripe": "immature",
    r"of ours": "internal",
    r"kept": "cached, stored",
    r"on the way|on their way": "implicitly, in transit",
    r"mend(?:ed|s|ing)?": "fix",
    r"str(?:ike|ikes|uck) down|struck": "fail",
    r"h[au]ng up": "close the connection",
    r"as often as one likes": "at any time",
    r"stands? apart": "counted separately",
    r"in (?:its|their) words": "",
}


def prose(path):
    """A page without its code: shown answers and identifiers keep the words that the API has."""
    text = path.read_text()
    if path == CHANGELOG:
        text = text.partition("## Unreleased")[2].partition("\n## ")[0]
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"`[^`]*`", "", text))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_has_none_of_the_rejected_phrases(path):
    text = prose(path)
    found = {
        text[max(0, match.start() - 30) : match.end() + 30]: instead
        for phrase, instead in REJECTED.items()
        for match in re.finditer(rf"\b(?:{phrase})\b", text, re.IGNORECASE)
    }
    assert found == {}


WEB = [path for path in sorted((ROOT / "app/web").rglob("*.*")) if path.suffix in {".js", ".html", ".css"}]
STANDARD_NAMES = re.compile(r"""["']figure(?:\.\w+)?["']|\{ figure: |\{ kept \}|kept\.""")
"""HTML's element, and what the API calls the value of a stop rule and the accepted decisions of a replay."""


@pytest.mark.parametrize("path", WEB, ids=lambda path: str(path.relative_to(ROOT / "app/web")))
def test_the_dashboard_has_none_of_the_rejected_phrases(path):
    text = STANDARD_NAMES.sub("", path.read_text())
    assert [
        match[0] for phrase in REJECTED for match in re.finditer(rf"\b(?:{phrase})\b", text, re.IGNORECASE)
    ] == []


IN_CODE = {
    **REJECTED,
    r"promis(?:e|es|ed)": "floor, fixed share",
    r"faults?": "error",
    r"standings?": "interim result, leaderboard",
    r"humble": "unprivileged",
    r"caller's": "of the principal, of the API key",
}
API_WORDS = {"refused", "figure", "fault", "standing", "kept", "anybody"}
"""Values and fields of the API and the tables."""
RENAMED = {"sdk/python/src/groundhog_client/__init__.py": ["Figure", "Refusal"]}
"""Names of version 0.1.0 that the client still knows."""
CODE = [path for folder in ("app", "sdk/python/src", "benchmarks") for path in (ROOT / folder).rglob("*.py")]
QUOTED = re.compile(r"\b(?:figure 1|refused:|figure\.chart|new promise)", re.IGNORECASE)
"""A figure of a publication, an explanation of the API's word, and words of HTML and JavaScript."""


def texts(path):
    """Docstrings, comments and messages of a module, without what stands between backticks."""
    code = path.read_text()
    comments = [
        token.string for token in generate_tokens(io.StringIO(code).readline) if token.type == COMMENT
    ]
    strings = [
        node.value
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value not in API_WORDS
    ]
    return re.sub(r"`+[^`]*`+", "", "\n".join([*comments, *strings]))


def test_docstrings_comments_and_messages_have_none_of_the_rejected_phrases():
    phrases = re.compile(rf"\b(?:{'|'.join(IN_CODE)})\b", re.IGNORECASE)
    found = {path: phrases.findall(QUOTED.sub("", texts(path))) for path in sorted(CODE)}
    assert {str(path.relative_to(ROOT)): words for path, words in found.items() if words} == RENAMED


NAMES = re.compile(r"(?:^|_)(?:told|kept|faults?|figures?|refusals?|whoever)(?:_|$)", re.IGNORECASE)
"""Words that no name of a benchmark has; the API's own are fields of its answers, so strings."""


def names(path):
    """Names that a module gives: of functions, classes, parameters, attributes and variables."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def test_names_of_the_benchmarks_have_none_of_the_rejected_words():
    found = {
        path: sorted(set(filter(NAMES.search, names(path)))) for path in (ROOT / "benchmarks").rglob("*.py")
    }
    assert {str(path.relative_to(ROOT)): words for path, words in found.items() if words} == {}


def test_a_rejected_phrase_would_be_found():
    assert re.search(r"\b(?:refus(?:e|es|ed|al|als|ing))\b", "which lines are refused")
    assert "told" not in prose(ROOT / "README.md")


RELABELLED = {"groundhog_allocations_total", "groundhog_replica_reads_total"}
SUFFIXES = {".md", ".yml", ".yaml", ".json", ".example"}


def test_old_names_of_series_and_settings_stand_in_the_page_about_upgrading_only():
    upgrading = ROOT / "docs/how-to/upgrading.md"
    renamed = upgrading.read_text().partition("## Renamed settings")[2].partition("\n## The contract")[0]
    old = set(re.findall(r"^\| `([A-Za-z_]+)", renamed, re.MULTILINE)) - RELABELLED
    assert len(old) == 10
    deployed = [*(ROOT / "deploy").rglob("*.*"), ROOT / ".env.example", ROOT / "docker-compose.yml"]
    others = {*PAGES, *deployed} - {upgrading, CHANGELOG}
    texts = {path: path.read_text() for path in others if path.suffix in SUFFIXES}
    assert [(path, name) for path in texts for name in old if re.search(rf"\b{name}\b", texts[path])] == []
