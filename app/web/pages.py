"""Pages for people: the dashboard and the API's own, every asset from here, none from elsewhere."""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from app.web import assets

router = APIRouter(include_in_schema=False)
router.include_router(assets.router)
PAGES = Path(__file__).parent / "pages"
STATIC = Path(__file__).parent / "static"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
RELAXED = POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'").replace(
    "script-src 'self'", "script-src 'self' blob:; worker-src 'self' blob:"
)
"""Swagger UI and ReDoc write styles into the page; ReDoc searches in a worker."""


def api_page_assets() -> Path:
    """Return the folder of Swagger UI and ReDoc, which come as files of the fastapi-offline wheel."""
    spec = find_spec("fastapi_offline")
    assert spec is not None, "fastapi-offline is a locked dependency"
    return Path(next(iter(spec.submodule_search_locations or ()))) / "static"


def mount_assets(app: FastAPI) -> None:
    """Serve the files that the pages need."""
    app.mount("/static/api", StaticFiles(directory=api_page_assets()), name="api-page-assets")
    app.mount("/static", StaticFiles(directory=STATIC), name="static")


def _headers(policy: str) -> dict[str, str]:
    return {
        "Cache-Control": "no-cache",
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def _api_page(name: str) -> HTMLResponse:
    return HTMLResponse((PAGES / f"{name}.html").read_text(encoding="utf-8"), headers=_headers(RELAXED))


@lru_cache(maxsize=1)
def _redoc() -> str:
    """Return ReDoc with our picture in place of its logo, which it would fetch from its makers."""
    script = (api_page_assets() / "redoc.standalone.js").read_text(encoding="utf-8")
    return script.replace("https://cdn.redoc.ly/redoc/logo-mini.svg", "/static/groundhog.svg")


@router.get("/static/redoc.js")
def redoc_script() -> Response:
    """Return ReDoc itself."""
    return Response(_redoc(), media_type="text/javascript", headers={"Cache-Control": "max-age=3600"})


@router.get("/")
async def dashboard_page(request: Request) -> Response:
    """Return the dashboard; its pages are addressed behind the #."""
    return assets.packed(assets.index(), "text/html; charset=utf-8", request, _headers(POLICY))


@router.get("/docs")
def swagger_page() -> HTMLResponse:
    """Return Swagger UI."""
    return _api_page("docs")


@router.get("/redoc")
def redoc_page() -> HTMLResponse:
    """Return ReDoc."""
    return _api_page("redoc")
