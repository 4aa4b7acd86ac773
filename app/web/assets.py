"""The dashboard's own files, compressed once, under an address that names their content and so never changes."""

import gzip
import hashlib
import posixpath
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, Request, Response

from app.errors import NotFound
from app.web import charts

router = APIRouter(include_in_schema=False)
DASHBOARD = Path(__file__).parent / "dashboard"
TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
FIRST = ["early.js", "addresses.js", "pages.js", "main.js", "pages/experiments.js", "pages/today.js"]
"""What asks the service at once, then the pages of which whoever comes sees one first: this saves round trips."""
FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The files of the dashboard as gzip by their path, and the digest of all of them."""

    digest: str
    files: dict[str, bytes]

    @property
    def address(self) -> str:
        """Return the path under which this very content is served."""
        return f"/static/dashboard/{self.digest}"


@lru_cache(maxsize=1)
def dashboard() -> Dashboard:
    """Return the dashboard's files, read once per process."""
    paths = sorted(path for path in DASHBOARD.rglob("*") if path.suffix in TYPES)
    contents = {path.relative_to(DASHBOARD).as_posix(): path.read_bytes() for path in paths}
    digest = hashlib.sha256(repr(contents).encode()).hexdigest()[:12]
    return Dashboard(digest, {name: gzip.compress(text, 9, mtime=0) for name, text in contents.items()})


@lru_cache(maxsize=1)
def index() -> bytes:
    """Return the dashboard's page as gzip; it fetches at once what is shown first, the rest later."""
    made, bundle = dashboard(), charts.name()
    links = [f'<link rel="modulepreload" href="{made.address}/{name}">' for name in imported(FIRST)]
    if bundle is not None:  # by far the largest comes first: the others arrive while it is on its way
        links.insert(0, f'<link rel="modulepreload" id="vega" href="/static/{bundle}">')
    page = (DASHBOARD / "index.html").read_text(encoding="utf-8")
    page = page.replace("{{address}}", made.address).replace("{{modules}}", "\n  ".join(links))
    return gzip.compress(page.encode(), 9, mtime=0)


def imported(modules: list[str]) -> list[str]:
    """Return modules with what they import, and so on, but not what is imported only when it is needed."""
    found, waiting = [*modules], [*modules]
    while waiting:
        name = waiting.pop()
        text = gzip.decompress(dashboard().files[name]).decode()
        paths = re.findall(r'^import .*?from "(\..*?)";$', text, re.MULTILINE | re.DOTALL)
        own = [posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) for path in paths]
        waiting += [path for path in own if path not in found]
        found += [path for path in own if path not in found]
    return found


# These are coroutines because a thread for each of thirty files would take longer than the files themselves.
@router.get("/static/dashboard/{digest}/{name:path}")
async def dashboard_file(digest: str, name: str, request: Request) -> Response:
    """Return a file of the dashboard."""
    made = dashboard()
    content = made.files.get(name) if digest == made.digest else None
    if content is None:
        raise NotFound("there is no such file of this dashboard: reload the page")
    return packed(content, TYPES[Path(name).suffix], request, {"Cache-Control": FOR_EVER})


@router.get("/static/vega-{made_of}.js")
async def chart_library(made_of: str, request: Request) -> Response:
    """Return Vega-Lite."""
    content = charts.compressed(f"vega-{made_of}.js")
    if content is None:
        raise NotFound("Vega-Lite was not made here: python -m app.web.charts")
    return packed(content, TYPES[".js"], request, {"Cache-Control": FOR_EVER})


def packed(content: bytes, media_type: str, request: Request, headers: dict[str, str]) -> Response:
    """Return what is kept as gzip, unpacked for whoever cannot read that."""
    headers = headers | {"Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(gzip.decompress(content), headers=headers, media_type=media_type)
    return Response(content, headers=headers | {"Content-Encoding": "gzip"}, media_type=media_type)
