"""Every word in the name of a module or class of app/ is a term of the glossary, or a common technical word."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text()
TERMS, _, COMMON = GLOSSARY.partition("\n## Common technical words\n")
MODULES = [path for path in sorted((ROOT / "app").rglob("*.py")) if "generated" not in path.parts]


def words(text):
    """The words of a snake_case or CamelCase name, or of a text, in lower case and in the singular."""
    parts = re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+", text)
    return {singular(part.lower()) for part in parts}


def singular(word):
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "ches", "shes", "xes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def plain(text):
    """Without hyphens and with product names as one word: ETag, P(best), OpenAPI."""
    for name in ("ETag", "OpenAPI", "OpenFeature", "OFREP", "JSON", "UCB1", "CLV"):
        text = text.replace(name, name.lower())
    return text.replace("hold-out", "holdout hold out").replace("roll-up", "rollup roll up")


ENTRIES = re.findall(r"^\*\*([^*]+)\*\*: ", TERMS, re.MULTILINE)
SUBTERMS = re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", TERMS)
KNOWN = words(plain(" ".join([*ENTRIES, *SUBTERMS]))) | words(plain(COMMON))


def names(module):
    """The name of a module, of its folder, and of its classes."""
    classes = [
        node.name for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.ClassDef)
    ]
    return [module.stem, module.parent.name, *classes]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_word_of_a_name_stands_in_the_glossary(module):
    unknown = {name: missing for name in names(module) if (missing := words(plain(name)) - KNOWN)}
    assert unknown == {}


def test_every_entry_has_a_definition():
    bold = re.findall(r"^\*\*.*$", TERMS, re.MULTILINE)
    assert len(bold) == len(ENTRIES) > 100
    assert [entry for entry in bold if not re.fullmatch(r"\*\*[^*]+\*\*: .{10,}", entry)] == []


def test_no_term_stands_there_twice():
    terms = [term.strip() for entry in ENTRIES for term in entry.split(",")]
    assert sorted({term for term in terms if terms.count(term) > 1}) == []


def test_the_common_words_are_one_paragraph_of_words_separated_by_commas():
    listed = [word.strip() for word in COMMON.strip().split(",")]
    assert all(re.fullmatch(r"[A-Za-z]+", word) for word in listed)
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SlowClientProtocol", {"slow", "client", "protocol"}),
        ("UCB1", {"ucb"}),
        ("HTTPError", {"http", "error"}),
        ("daily_metrics", {"daily", "metric"}),
        ("policies", {"policy"}),
        ("processes", {"process"}),
    ],
)
def test_names_are_split_into_words(name, expected):
    assert words(name) == expected
