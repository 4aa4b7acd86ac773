"""Errors and answers cross from one process to another whole."""

import copy
import dataclasses
import datetime as dt
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from typing import get_args, get_origin, get_type_hints

import pytest

import groundhog_client
from groundhog_client import (
    Batching,
    Decision,
    EventsNotSent,
    FieldError,
    GroundhogError,
    Invalid,
    Problem,
    Unassigned,
    Unavailable,
)

PUBLIC = [getattr(groundhog_client, name) for name in groundhog_client.__all__]
ERRORS = [one for one in PUBLIC if isinstance(one, type) and issubclass(one, GroundhogError)]
ANSWERS = [one for one in PUBLIC if dataclasses.is_dataclass(one)]
CROSSINGS = [
    pytest.param(copy.copy, id="copy"),
    pytest.param(copy.deepcopy, id="deepcopy"),
    *(
        pytest.param(lambda one, p=protocol: pickle.loads(pickle.dumps(one, p)), id=f"pickle {protocol}")
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)
    ),
]
EVENT = {"event_id": "1", "unit_id": "u"}


def error(kind):
    if issubclass(kind, Problem):
        fields = [FieldError("body.0", "no", line=3)]
        return kind(422, "a sentence", "Title", fields, request_id="0b8f", retry_after=7)
    return kind("no", [EVENT]) if kind is EventsNotSent else kind("no")


@pytest.mark.parametrize("crossed", CROSSINGS)
@pytest.mark.parametrize("kind", ERRORS)
def test_an_error_crosses_with_all_it_says(kind, crossed):
    before = error(kind)
    before.add_note("while the page was rendered")
    after = crossed(before)
    assert (type(after), str(after), after.args) == (kind, str(before), before.args)
    assert vars(after) == vars(before)


class OwnError(Invalid):
    """An error that a program derived from one of this package's, with a constructor of its own."""

    def __init__(self, problem, page):
        super().__init__(problem.status, problem.detail)
        self.page = page


def test_a_programs_own_error_crosses_too():
    after = pickle.loads(pickle.dumps(OwnError(error(Invalid), "home")))
    assert (type(after), after.status, after.page) == (OwnError, 422, "home")


def value(kind):
    """A value of a type that fields of answers have."""
    origin, inner = get_origin(kind), get_args(kind)
    if dataclasses.is_dataclass(kind):
        return answer(kind)
    if isinstance(kind, type) and issubclass(kind, GroundhogError):
        return None
    known = {str: "a", int: 3, float: 0.5, bool: True, dt.date: dt.date(2026, 3, 1)}
    known |= {dt.datetime: dt.datetime(2026, 3, 1, tzinfo=dt.UTC)}
    if kind in known:
        return known[kind]
    if origin is tuple:
        return tuple(value(one) for one in inner if one is not Ellipsis)
    return {"a": [1, {"b": None}]} if origin is not None and "Mapping" in str(origin) else None


def answer(kind):
    if kind is Batching:
        return Batching(size=3, interval=0.5)
    hints = get_type_hints(kind)
    return kind(**{one.name: value(hints[one.name]) for one in dataclasses.fields(kind)})


@pytest.mark.parametrize("crossed", CROSSINGS)
@pytest.mark.parametrize("kind", ANSWERS)
def test_an_answer_crosses_whole(kind, crossed):
    before = answer(kind)
    after = crossed(before)
    assert (type(after), after) == (kind, before)
    assert all(getattr(after, one.name) == getattr(before, one.name) for one in dataclasses.fields(kind))


def test_errors_inside_answers_cross_with_them():
    away = Unavailable(503, "away", retry_after=3)
    decision = pickle.loads(pickle.dumps(Decision("e", "u", "v", None, assignment=None, fallback=away)))
    unassigned = copy.deepcopy(Unassigned("e", "u", Invalid(422, "no", errors=[FieldError("f", "m")])))
    assert (decision.fallback.status, decision.fallback.retry_after) == (503, 3)
    assert unassigned.error.errors == (FieldError("f", "m"),)


def fails(number):
    raise error(ERRORS[number])


def test_a_process_pool_reports_every_error_and_works_on():
    with ProcessPoolExecutor(1) as pool:
        for number, kind in enumerate(ERRORS):
            with pytest.raises(kind) as found:
                pool.submit(fails, number).result(timeout=60)
            assert vars(found.value) | {"__notes__": []} == vars(error(kind)) | {"__notes__": []}


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_pool_map_ends_with_the_error(start):
    with multiprocessing.get_context(start).Pool(1) as pool, pytest.raises(Invalid, match="a sentence"):
        pool.map_async(fails, [ERRORS.index(Invalid)]).get(timeout=60)
