"""Vega-Lite for the browser: made once from the wheel that carries it, never fetched and never committed.

``python -m app.web.charts`` makes it; ``make`` does that at set-up, and the launcher where it is missing.
"""

import gzip
import hashlib
import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

FOLDER = Path(__file__).parent / "generated"
WHEEL = "vl-convert-python"
VEGA_LITE = "6.4"
MODULE = "export {vegaEmbed};"
"""What the bundle gives: a module, because only modules are deferred and preloaded."""


def name() -> str | None:
    """Return the file name of the bundle, another one for every other content; None where the wheel is missing.

    musl has no build of the wheel: there the page shows its tables without charts.
    """
    try:
        made_of = f"{version(WHEEL)} {VEGA_LITE} {MODULE}"
    except PackageNotFoundError:
        return None
    return f"vega-{hashlib.sha256(made_of.encode()).hexdigest()[:12]}.js"


def compressed(file_name: str) -> bytes | None:
    """Return the bundle under this name, as gzip; None where it was not made."""
    path = FOLDER / f"{file_name}.gz"
    return path.read_bytes() if file_name == name() and path.exists() else None


def make() -> None:
    """Make the bundle unless it is there; older ones are removed."""
    made = name()
    if made is None or (FOLDER / f"{made}.gz").exists():
        return
    import vl_convert  # starts a JavaScript engine: nobody else should pay for it

    text = vl_convert.javascript_bundle(MODULE, VEGA_LITE)
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("vega-*.js.gz"):
        old.unlink(missing_ok=True)
    unfinished = FOLDER / f"{made}.{os.getpid()}"
    unfinished.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    unfinished.replace(FOLDER / f"{made}.gz")


if __name__ == "__main__":
    make()
