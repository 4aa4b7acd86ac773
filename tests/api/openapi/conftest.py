"""Tests out of the description, of which there is one for each operation."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from schemathesis.pytest import _test_builder as builder
from schemathesis.pytest.plugin import SchemathesisFunction

build_operation_test = builder.build_operation_test


def built_when_run(*, test_func: Callable[..., None], **of_operation: Any) -> Callable[..., None]:
    """Stand for the test of an operation: to draw all its examples takes longer than to run many another test.

    Every process of pytest-xdist collects every test, and runs a few of them.
    """

    def stand_in() -> Callable[..., None]:
        return build_operation_test(test_func=test_func, **of_operation)

    signature = inspect.signature(test_func)
    fixtures = [each for name, each in signature.parameters.items() if name != "case"]
    stand_in.__signature__ = signature.replace(parameters=fixtures)  # type: ignore[attr-defined]
    return stand_in


builder.build_operation_test = built_when_run


def pytest_runtest_setup(item: pytest.Item) -> None:
    if isinstance(item, SchemathesisFunction):
        item.obj = item.obj()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give each of schemathesis's tests an id of its own: pytest-xdist runs only one of those that share one."""
    if isinstance(item, SchemathesisFunction):
        item._id = item.parent.id.child(item.name)
