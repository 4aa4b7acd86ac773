"""The check of the dashboard's JavaScript structure finds what it should find, and the dashboard passes it."""

import pytest

from tests.support.dashboard_imports import crowded_folders, import_problems, read_imports

MAIN = {"main.js": {"api.js", "router.js"}, "router.js": {"pages/one.js"}, "pages/one.js": {"dom.js"}}
LEAVES = {"api.js": set(), "dom.js": set()}


def problems(**changed: set[str]) -> list[str]:
    """Return the problems of a small dashboard in which some modules have other imports."""
    renamed = {name.replace("__", "/") + ".js": targets for name, targets in changed.items()}
    imports = {**MAIN, **LEAVES, **renamed}
    return import_problems({name: frozenset(targets) for name, targets in imports.items()})


def test_the_dashboard_follows_the_rules():
    assert import_problems(read_imports()) == []


def test_a_small_dashboard_without_problems_has_none():
    assert problems() == []


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        pytest.param(
            {"pages__one": {"pages/two.js", "dom.js"}, "pages__two": {"pages/one.js"}},
            "import circle: pages/",
            id="two pages import each other",
        ),
        pytest.param({"api": {"pages/one.js"}}, "api.js imports pages/one.js, which is not", id="upwards"),
        pytest.param(
            {"dom": {"format.js"}, "format": set()}, "dom.js imports format.js", id="between leaves"
        ),
        pytest.param({"pages__one": {"dom.js", "nowhere.js"}}, "which does not exist", id="missing module"),
        pytest.param({"helpers": set()}, "helpers.js belongs to no layer", id="no layer"),
        pytest.param({"components__old": set()}, "components/old.js is never imported", id="not used"),
    ],
)
def test_a_broken_rule_is_reported(changed, problem):
    assert any(problem in sentence for sentence in problems(**changed))


def test_static_and_dynamic_imports_are_read(tmp_path):
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "one.js").write_text(
        'import {\n  h,\n} from "../dom.js";\nexport { a } from "./two.js";\n'
    )
    (tmp_path / "routes.js").write_text('import "./x.js";\nconst load = () => import("./pages/one.js");\n')
    assert read_imports(tmp_path) == {
        "pages/one.js": {"dom.js", "pages/two.js"},
        "routes.js": {"x.js", "pages/one.js"},
    }


def test_a_folder_of_fourteen_files_is_reported():
    assert crowded_folders([f"pages/{i}.js" for i in range(13)]) == []
    assert crowded_folders([f"pages/{i}.js" for i in range(14)]) == ["pages has 14 files, at most 13"]
