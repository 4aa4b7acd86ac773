"""The dashboard's own files: compressed once, served at a path that contains a digest of their content."""

import gzip
import hashlib
import posixpath
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, Request, Response

from app.errors import NotFound
from app.web import vega_bundle

router = APIRouter(include_in_schema=False)
FOLDER = Path(__file__).parent / "dashboard"
CONTENT_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
PRELOADED = ["prefetch.js", "main.js", "pages/experiments.js", "pages/experiment/today.js"]
"""The entry points, then the two pages most visits begin with: preloading them saves round trips."""
DOC_COMMENT = re.compile(rb"^[ ]*/\*\*.*?\*/\n", re.MULTILINE | re.DOTALL)
"""A comment on lines of its own; they are a sixth of the code and are not sent."""
IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The dashboard's files as gzip, by path, and a digest of all of them."""

    digest: str
    files: dict[str, bytes]

    @property
    def base_path(self) -> str:
        """Return the path below which exactly this content is served."""
        return f"/static/dashboard/{self.digest}"


@lru_cache(maxsize=1)
def dashboard() -> Dashboard:
    """Return the dashboard's files, read once per process."""
    paths = sorted(path for path in FOLDER.rglob("*") if path.suffix in CONTENT_TYPES)
    contents = {
        path.relative_to(FOLDER).as_posix(): DOC_COMMENT.sub(b"", path.read_bytes()) for path in paths
    }
    digest = hashlib.sha256(repr(contents).encode()).hexdigest()[:12]
    return Dashboard(digest, {name: gzip.compress(text, 9, mtime=0) for name, text in contents.items()})


@lru_cache(maxsize=1)
def index() -> bytes:
    """Return the dashboard's HTML as gzip; it preloads what most visits show first, and nothing else."""
    current, bundle = dashboard(), vega_bundle.name()
    links = [
        f'<link rel="modulepreload" href="{current.base_path}/{name}">' for name in with_imports(PRELOADED)
    ]
    if bundle is not None:  # by far the largest file goes first: the others arrive while it is loading
        links.insert(0, f'<link rel="modulepreload" id="vega" href="/static/{bundle}">')
    page = (FOLDER / "index.html").read_text(encoding="utf-8")
    page = page.replace("{{base}}", current.base_path).replace("{{modules}}", "\n  ".join(links))
    return gzip.compress(page.encode(), 9, mtime=0)


def with_imports(modules: list[str]) -> list[str]:
    """Return modules and all that they import statically, directly or not, without dynamic imports."""
    found, pending = [*modules], [*modules]
    while pending:
        name = pending.pop()
        text = gzip.decompress(dashboard().files[name]).decode()
        paths = re.findall(r'^(?:import|export) (?:.*?from )?"(\..*?)";$', text, re.MULTILINE | re.DOTALL)
        imported = [posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) for path in paths]
        new = [path for path in dict.fromkeys(imported) if path not in found]
        pending += new
        found += new
    return found


# Coroutines, because handing each of thirty small files to a thread would take longer than sending them.
@router.get("/static/dashboard/{digest}/{name:path}")
async def dashboard_file(digest: str, name: str, request: Request) -> Response:
    """Return a file of the dashboard."""
    current = dashboard()
    content = current.files.get(name) if digest == current.digest else None
    if content is None:
        raise NotFound("there is no such file of this dashboard: reload the page")
    return gzip_response(content, CONTENT_TYPES[Path(name).suffix], request, IMMUTABLE)


@router.get("/static/vega-{digest}.js")
async def chart_library(digest: str, request: Request) -> Response:
    """Return Vega-Lite."""
    content = vega_bundle.compressed(f"vega-{digest}.js")
    if content is None:
        raise NotFound("Vega-Lite has not been built here: python -m app.web.vega_bundle")
    return gzip_response(content, CONTENT_TYPES[".js"], request, IMMUTABLE)


def gzip_response(content: bytes, media_type: str, request: Request, headers: dict[str, str]) -> Response:
    """Return gzip content, decompressed for clients that do not accept it."""
    headers = headers | {"Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(gzip.decompress(content), headers=headers, media_type=media_type)
    return Response(content, headers=headers | {"Content-Encoding": "gzip"}, media_type=media_type)
