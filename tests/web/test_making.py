"""The dashboard's files, and Vega-Lite made from its wheel; no browser is needed."""

import gzip
import sys
from importlib.metadata import PackageNotFoundError
from types import SimpleNamespace

import pytest

from app.web import assets, charts


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setattr(charts, "FOLDER", tmp_path / "generated")
    return charts.FOLDER


@pytest.fixture
def bundled(monkeypatch):
    """What the wheel is asked for, instead of its seconds of work."""
    asked = []

    def javascript_bundle(module: str, version: str) -> str:
        asked.append((module, version))
        return "bundle"

    monkeypatch.setitem(sys.modules, "vl_convert", SimpleNamespace(javascript_bundle=javascript_bundle))
    return asked


def test_vega_lite_is_made_once_and_older_ones_are_removed(folder, bundled):
    folder.mkdir()
    (folder / "vega-000000000000.js.gz").write_bytes(b"older")
    charts.make()
    charts.make()
    assert bundled == [(charts.MODULE, charts.VEGA_LITE)]
    assert [path.name for path in folder.iterdir()] == [f"{charts.name()}.gz"]
    assert gzip.decompress(charts.compressed(charts.name())) == b"bundle"


def test_another_version_has_another_name(monkeypatch):
    before = charts.name()
    monkeypatch.setattr(charts, "version", lambda _: "999.0")
    assert charts.name() != before


def test_without_the_wheel_there_are_no_charts_and_nothing_is_made(monkeypatch, folder, bundled):
    def missing(_):
        raise PackageNotFoundError

    monkeypatch.setattr(charts, "version", missing)
    charts.make()
    assert (charts.name(), bundled, folder.exists()) == (None, [], False)


def test_the_page_fetches_at_once_what_is_shown_first_and_no_other_page():
    found = assets.imported(assets.FIRST)
    assert {"main.js", "api.js", "charts.js", "components/table.js", "pages/today.js"} <= set(found)
    assert not {"pages/plan.js", "pages/history.js", "components/upload.js"} & set(found)
    assert len(found) == len(set(found))


def test_every_module_that_is_imported_is_there():
    modules = [name for name in assets.dashboard().files if name.endswith(".js")]
    assert set(assets.imported(modules)) == set(modules)
