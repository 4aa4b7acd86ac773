"""The dashboard's files, and Vega-Lite built from its wheel; no browser is needed."""

import gzip
import re
import sys
from importlib.metadata import PackageNotFoundError
from types import SimpleNamespace

import pytest

from app.web import dashboard_assets, vega_bundle


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setattr(vega_bundle, "FOLDER", tmp_path / "generated")
    return vega_bundle.FOLDER


@pytest.fixture
def bundled(monkeypatch):
    """The calls of the wheel, which would take seconds."""
    calls = []

    def javascript_bundle(module: str, version: str) -> str:
        calls.append((module, version))
        return "bundle"

    monkeypatch.setitem(sys.modules, "vl_convert", SimpleNamespace(javascript_bundle=javascript_bundle))
    return calls


def test_vega_lite_is_built_once_and_older_bundles_are_removed(folder, bundled):
    folder.mkdir()
    (folder / "vega-000000000000.js.gz").write_bytes(b"older")
    vega_bundle.make()
    vega_bundle.make()
    assert bundled == [(vega_bundle.MODULE, vega_bundle.VEGA_LITE)]
    assert [path.name for path in folder.iterdir()] == [f"{vega_bundle.name()}.gz"]
    assert gzip.decompress(vega_bundle.compressed(vega_bundle.name())) == b"bundle"


def test_another_version_has_another_name(monkeypatch):
    before = vega_bundle.name()
    monkeypatch.setattr(vega_bundle, "version", lambda _: "999.0")
    assert vega_bundle.name() != before


def test_without_the_wheel_there_are_no_charts_and_nothing_is_built(monkeypatch, folder, bundled):
    def missing(_):
        raise PackageNotFoundError

    monkeypatch.setattr(vega_bundle, "version", missing)
    vega_bundle.make()
    assert (vega_bundle.name(), bundled, folder.exists()) == (None, [], False)


def test_the_page_preloads_what_is_shown_first_and_no_other_page():
    found = dashboard_assets.with_imports(dashboard_assets.PRELOADED)
    assert {"main.js", "api.js", "components/charts/chart.js", "pages/experiment/today.js"} <= set(found)
    assert not {"pages/plan.js", "pages/experiment/history.js", "components/data/upload-panel.js"} & set(
        found
    )
    assert len(found) == len(set(found))


def test_only_comments_are_left_out_of_what_is_sent():
    for name, content in dashboard_assets.dashboard().files.items():
        source = (dashboard_assets.FOLDER / name).read_text()
        sent = gzip.decompress(content).decode()
        lines = [line for line in source.splitlines() if not re.match(r" *(/\*\*| \*)", line)]
        assert sent.splitlines() == (lines if name.endswith(".js") else source.splitlines())


@pytest.mark.parametrize("name", ["dashboard/000000000000/no.js", "vega-000000000000.js"])
def test_a_file_of_another_version_is_not_found(client, name):
    assert client.get(f"/static/{name}").status_code == 404


def test_a_client_that_takes_no_gzip_gets_the_same_page(client):
    plain = client.get("/", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert plain.content == gzip.decompress(dashboard_assets.index())
