"""Experiments with assigned units, and what is stored of them."""

from tests.support.fixtures.events import assign, change_rows, held_out  # noqa: F401 - fixtures
