"""Every benchmark can be loaded: the statements and names it takes from the service are still there."""

from importlib import import_module
from pkgutil import walk_packages

import pytest

import benchmarks

MODULES = [module.name for module in walk_packages(benchmarks.__path__, "benchmarks.")]


@pytest.mark.parametrize("name", [name for name in MODULES if not name.endswith("__main__")])
def test_a_benchmark_module_can_be_imported(name):
    import_module(name)
