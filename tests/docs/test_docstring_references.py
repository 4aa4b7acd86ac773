"""What a docstring or comment of the code names between backticks exists: modules, classes, functions, files."""

import ast
import keyword
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILES = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
    cwd=ROOT, capture_output=True, text=True, check=False,
).stdout.split("\n")  # fmt: skip
FILE_NAMES = {Path(name).name for name in FILES}
CODE = [ROOT / name for name in FILES if name.endswith(".py") and (ROOT / name).is_file()]
CHECKED = [path for path in CODE if path.relative_to(ROOT).parts[0] in {"app", "sdk", "migrations"}]
TREES = {path: ast.parse(path.read_text()) for path in CODE}


def docstrings(tree):
    """The texts that stand alone: docstrings of modules, classes and functions, and those below constants."""
    return [
        node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ]


def identifiers(tree):
    """Every name, attribute, argument and short text of the code, docstrings apart."""
    apart = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        for field in ("id", "attr", "arg", "name", "asname", "module"):
            found = getattr(node, field, None)
            if isinstance(found, str):
                yield from found.split(".")
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in apart:
            yield from re.findall(r"\w+", node.value)


def exists(name):
    """Whether it is a package, a module, or something that a module defines."""
    path, module = ROOT / name.replace(".", "/"), ROOT / (name.rpartition(".")[0].replace(".", "/") + ".py")
    return (
        path.is_dir() or path.with_suffix(".py").exists() or name.rpartition(".")[2] in module_names(module)
    )


def module_names(path):
    return set(identifiers(TREES[path])) if path in TREES else set()


BROWSER = {"sendBeacon"}
KNOWN = {name for tree in TREES.values() for name in identifiers(tree)}
KNOWN |= {path.stem for path in CODE} | set(keyword.kwlist) | BROWSER


def unknown(paths, pattern, is_known):
    """What the docstrings of some files name that is not known, by file."""
    found = {
        str(path.relative_to(ROOT)): [
            name
            for text in docstrings(TREES[path])
            for name in re.findall(pattern, text)
            if not is_known(name)
        ]
        for path in paths
    }
    return {path: names for path, names in found.items() if names}


def test_every_name_in_a_docstring_exists():
    assert unknown(CHECKED, r"`([A-Za-z_]\w*)`", KNOWN.__contains__) == {}


def test_every_module_in_a_docstring_exists():
    assert unknown(CHECKED, r"`(app(?:\.\w+)+)", exists) == {}


def test_every_file_in_a_docstring_exists():
    assert unknown(CODE, r"\b(\w+\.(?:py|js))\b", (FILE_NAMES | {"test_file.py"}).__contains__) == {}
