"""Checks the structure of the dashboard's JavaScript: ``python -m tests.support.dashboard_imports``.

Every module belongs to a layer, imports only from lower layers or its own group of the layer, is part of no import
circle, and can be reached from the entry points; a folder has at most 13 files.
"""

import posixpath
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from tests.support import ROOT

DASHBOARD = ROOT / "app" / "web" / "dashboard"
LAYERS = (
    ("main.js",),
    ("prefetch.js",),
    ("router.js", "routes.js"),
    ("pages/",),
    ("components/",),
    ("api.js",),
    ("addresses.js", "dom.js", "format.js", "prefetched.js"),
)
"""From the top down. Groups of one layer do not import each other; a folder's modules do."""
ENTRY_POINTS = frozenset({"main.js", "prefetch.js"})
MAX_FILES = 13
IMPORT = re.compile(r'^(?:import|export)\b[^;]*?"(\.[^"]+)";|\bimport\("(\.[^"]+)"\)', re.MULTILINE)

Imports = Mapping[str, frozenset[str]]
"""The modules that each module imports, statically or dynamically, as paths below the dashboard's folder."""


def read_imports(folder: Path = DASHBOARD) -> Imports:
    """Return the imports of every JavaScript module in a folder."""
    found = {}
    for path in sorted(folder.rglob("*.js")):
        name = path.relative_to(folder).as_posix()
        paths = [static or dynamic for static, dynamic in IMPORT.findall(path.read_text(encoding="utf-8"))]
        found[name] = frozenset(
            posixpath.normpath(posixpath.join(posixpath.dirname(name), one)) for one in paths
        )
    return found


def import_problems(imports: Imports) -> list[str]:
    """Return what is wrong with the imports, in sentences; nothing if they follow the rules."""
    wrong = [
        sentence
        for module, targets in imports.items()
        for target in sorted(targets)
        if (sentence := _import_problem(imports, module, target))
    ]
    wrong += [f"{module} belongs to no layer" for module in imports if _group(module) is None]
    wrong += [f"{module} is never imported" for module in imports if module not in _reachable(imports)]
    return wrong + list(_circle(imports))


def crowded_folders(files: list[str]) -> list[str]:
    """Return a sentence for each folder with more files than a reader can take in."""
    counts = Counter(posixpath.dirname(file) or "the dashboard's folder" for file in files)
    return [f"{folder} has {n} files, at most {MAX_FILES}" for folder, n in counts.items() if n > MAX_FILES]


def _import_problem(imports: Imports, module: str, target: str) -> str | None:
    if target not in imports:
        return f"{module} imports {target}, which does not exist"
    importer, imported = _group(module), _group(target)
    if importer is None or imported is None or imported[0] > importer[0]:
        return None
    if importer == imported and importer[1].endswith("/"):
        return None
    return f"{module} imports {target}, which is not in a lower layer"


def _group(module: str) -> tuple[int, str] | None:
    """Return the layer of a module, counted from the top, and its group there."""
    for depth, layer in enumerate(LAYERS):
        for group in layer:
            if module == group or (group.endswith("/") and module.startswith(group)):
                return depth, group
    return None


def _reachable(imports: Imports) -> set[str]:
    found: set[str] = set()
    pending = [module for module in ENTRY_POINTS if module in imports]
    while pending:
        module = pending.pop()
        found.add(module)
        pending += [target for target in imports.get(module, ()) if target not in found]
    return found


def _circle(imports: Imports) -> Iterator[str]:
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        yield "import circle: " + " <- ".join(error.args[1])


def main() -> None:
    """Print what is wrong and exit with 1, or print how much was checked."""
    imports = read_imports()
    files = [path.relative_to(DASHBOARD).as_posix() for path in DASHBOARD.rglob("*") if path.is_file()]
    wrong = import_problems(imports) + crowded_folders(files)
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"the dashboard's {len(imports)} modules follow the rules")  # noqa: T201


if __name__ == "__main__":
    main()
