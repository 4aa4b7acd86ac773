"""What a docstring or comment of the code names between backticks exists: modules, classes, functions, files."""

import ast
import keyword
import re
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILES = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
    cwd=ROOT, capture_output=True, text=True, check=False,
).stdout.split("\n")  # fmt: skip
FILE_NAMES = {Path(name).name for name in FILES}
CODE = [ROOT / name for name in FILES if name.endswith(".py") and (ROOT / name).is_file()]
CHECKED = [path for path in CODE if path.relative_to(ROOT).parts[0] in {"app", "sdk", "migrations"}]
NAMED = ("id", "attr", "arg", "name", "asname", "module")
BROWSER = {"sendBeacon"}


def is_text(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


@cache
def read(path):
    """A file's docstrings, and every name, attribute, argument and word of a short text in the rest of it.

    It is read once and when it is asked for: every process that collects the tests imports this module.
    """
    nodes = list(ast.walk(ast.parse(path.read_text())))
    apart = {node.value for node in nodes if isinstance(node, ast.Expr)}
    fields = {getattr(node, field) for node in nodes for field in NAMED if field in node._fields}
    names = {part for field in fields if isinstance(field, str) for part in field.split(".")}
    texts = {node.value for node in nodes if is_text(node) and node not in apart}
    words = {word for text in texts for word in re.findall(r"\w+", text)}
    return [node.value for node in apart if is_text(node)], names | words


@cache
def known():
    identifiers = set().union(*(read(path)[1] for path in CODE))
    return identifiers | {path.stem for path in CODE} | set(keyword.kwlist) | BROWSER


def exists(name):
    """Whether it is a package, a module, or something that a module defines."""
    path, module = ROOT / name.replace(".", "/"), ROOT / (name.rpartition(".")[0].replace(".", "/") + ".py")
    return (
        path.is_dir() or path.with_suffix(".py").exists() or name.rpartition(".")[2] in module_names(module)
    )


def module_names(path):
    return read(path)[1] if path in CODE else set()


def unknown(paths, pattern, is_known):
    """What the docstrings of some files name that is not known, by file."""
    found = {
        str(path.relative_to(ROOT)): [
            name for text in read(path)[0] for name in re.findall(pattern, text) if not is_known(name)
        ]
        for path in paths
    }
    return {path: names for path, names in found.items() if names}


def test_every_name_in_a_docstring_exists():
    assert unknown(CHECKED, r"`([A-Za-z_]\w*)`", known().__contains__) == {}


def test_every_module_in_a_docstring_exists():
    assert unknown(CHECKED, r"`(app(?:\.\w+)+)", exists) == {}


def test_every_file_in_a_docstring_exists():
    assert unknown(CODE, r"\b(\w+\.(?:py|js))\b", (FILE_NAMES | {"test_file.py"}).__contains__) == {}
