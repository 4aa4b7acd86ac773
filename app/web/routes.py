"""Routes of the pages for people: the dashboard, Swagger UI and ReDoc, every asset served from here."""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from app.web import dashboard_assets

router = APIRouter(include_in_schema=False)
router.include_router(dashboard_assets.router)
API_DOCS = Path(__file__).parent / "api_docs"
STATIC = Path(__file__).parent / "static"

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
API_DOCS_CSP = CONTENT_SECURITY_POLICY.replace(
    "style-src 'self'", "style-src 'self' 'unsafe-inline'"
).replace("script-src 'self'", "script-src 'self' blob:; worker-src 'self' blob:")
"""Swagger UI and ReDoc add inline styles to the page; ReDoc searches in a worker."""


def swagger_and_redoc_files() -> Path:
    """Return the folder of Swagger UI and ReDoc, which are files of the fastapi-offline wheel."""
    spec = find_spec("fastapi_offline")
    assert spec is not None, "fastapi-offline is a locked dependency"
    return Path(next(iter(spec.submodule_search_locations or ()))) / "static"


def mount_assets(app: FastAPI) -> None:
    """Serve the files that the pages need."""
    app.mount("/static/api", StaticFiles(directory=swagger_and_redoc_files()), name="api-docs-assets")
    app.mount("/static", StaticFiles(directory=STATIC), name="static")


def _headers(content_security_policy: str) -> dict[str, str]:
    return {
        "Cache-Control": "no-cache",
        "Content-Security-Policy": content_security_policy,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def _api_docs_page(name: str) -> HTMLResponse:
    return HTMLResponse(
        (API_DOCS / f"{name}.html").read_text(encoding="utf-8"), headers=_headers(API_DOCS_CSP)
    )


@lru_cache(maxsize=1)
def _redoc() -> str:
    """Return ReDoc with Groundhog's icon in place of its own logo, which it would load from its vendor."""
    script = (swagger_and_redoc_files() / "redoc.standalone.js").read_text(encoding="utf-8")
    return script.replace("https://cdn.redoc.ly/redoc/logo-mini.svg", "/static/groundhog.svg")


@router.get("/static/redoc.js")
def redoc_script() -> Response:
    """Return ReDoc itself."""
    return Response(_redoc(), media_type="text/javascript", headers={"Cache-Control": "max-age=3600"})


@router.get("/")
async def dashboard_page(request: Request) -> Response:
    """Return the dashboard; its pages are addressed by the URL's fragment."""
    headers = _headers(CONTENT_SECURITY_POLICY)
    return dashboard_assets.gzip_response(
        dashboard_assets.index(), "text/html; charset=utf-8", request, headers
    )


@router.get("/docs")
def swagger_page() -> HTMLResponse:
    """Return Swagger UI."""
    return _api_docs_page("swagger")


@router.get("/redoc")
def redoc_page() -> HTMLResponse:
    """Return ReDoc."""
    return _api_docs_page("redoc")
