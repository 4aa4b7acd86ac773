"""Vega-Lite for the browser: built once from the wheel that contains it, never downloaded and never committed.

``python -m app.web.vega_bundle`` builds it; ``make`` does so at set-up, and the launcher where it is missing.
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
"""What the bundle exports. It is a module because only modules are deferred and preloaded."""


def name() -> str | None:
    """Return the bundle's file name, which changes with its content; None where the wheel is missing.

    musl has no build of the wheel: there the dashboard shows its tables without charts.
    """
    try:
        source = f"{version(WHEEL)} {VEGA_LITE} {MODULE}"
    except PackageNotFoundError:
        return None
    return f"vega-{hashlib.sha256(source.encode()).hexdigest()[:12]}.js"


def compressed(file_name: str) -> bytes | None:
    """Return the bundle of this name as gzip; None where it has not been built."""
    path = FOLDER / f"{file_name}.gz"
    return path.read_bytes() if file_name == name() and path.exists() else None


def make() -> None:
    """Build the bundle unless it exists; older ones are removed."""
    bundle = name()
    if bundle is None or (FOLDER / f"{bundle}.gz").exists():
        return
    import vl_convert  # starts a JavaScript engine: imported only where it is needed

    text = vl_convert.javascript_bundle(MODULE, VEGA_LITE)
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("vega-*.js.gz"):
        old.unlink(missing_ok=True)
    unfinished = FOLDER / f"{bundle}.{os.getpid()}"
    unfinished.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    unfinished.replace(FOLDER / f"{bundle}.gz")


if __name__ == "__main__":
    make()
