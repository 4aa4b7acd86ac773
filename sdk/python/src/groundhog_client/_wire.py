"""A request and its answer as plain data: what the operations describe and the clients carry out."""

import dataclasses
import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import quote
from uuid import uuid4

from groundhog_client._errors import UnreadableAnswer
from groundhog_client._reading import read

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Item_co = TypeVar("Item_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """By their names in lower case."""
    body: bytes

    def json(self) -> Any:
        """Return the body's JSON.

        Raises
        ------
        UnreadableAnswer: it is none
        """
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise UnreadableAnswer(f"the answer is not JSON: {self.body[:80]!r}") from error


@dataclass(frozen=True, slots=True)
class Stream:
    """A body that is made while it is sent."""

    chunks: Callable[[], Iterator[bytes]]
    again: bool
    """Whether ``chunks`` can be called a second time."""


@dataclass(frozen=True, slots=True)
class Request(Generic[T_co]):
    """A request of the service, and how its answer is read."""

    method: str
    path: str
    read: Callable[[Answer], T_co]
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | Stream | None = None
    repeatable: bool = False
    """Whether sending it twice does what sending it once does: reads, keyed writes, first-write-wins."""
    kept: bool = False
    """Whether the answer is kept by its ETag."""
    unhurried: bool = False
    """Whether it takes as long as it takes: an upload."""


class Page(Protocol[Item_co]):
    """One page of something that has many."""

    @property
    def items(self) -> tuple[Item_co, ...]:
        """The items of this page."""

    @property
    def next_cursor(self) -> str | None:
        """What asks for the next page; None on the last one."""


def path(*segments: str) -> str:
    """Return the path of these segments, each kept from being read as several.

    Raises
    ------
    ValueError: a segment is empty or dots, which would name another resource
    """
    for segment in segments:
        if segment in {"", ".", ".."}:
            raise ValueError(f"{segment!r} is not an id")
    return "/" + "/".join(quote(segment, safe="") for segment in segments)


def get(kind: type[T], where: str, /, **params: Any) -> Request[T]:
    """Describe the reading of a resource."""
    return Request("GET", where, reads(kind), params=given(params), repeatable=True)


def after(request: Request[T], page: Page[Any]) -> Request[T] | None:
    """Describe the reading of the page that follows one; None behind the last."""
    if page.next_cursor is None:
        return None
    return dataclasses.replace(request, params={**request.params, "cursor": page.next_cursor})


def write(kind: type[T], where: str, body: Any, key: str | None, **headers: str) -> Request[T]:
    """Describe a POST that happens once however often it is sent: it carries an Idempotency-Key."""
    once = {"Idempotency-Key": key or uuid4().hex}
    return Request("POST", where, reads(kind), {}, JSON | once | headers, encode(body), repeatable=True)


def reads(kind: type[T]) -> Callable[[Answer], T]:
    """Return the reader of answers that are one JSON object."""
    return lambda answer: read(kind, answer.json())


def nothing(answer: Answer) -> None:
    """Read an answer that says nothing (204)."""


def text(answer: Answer) -> str:
    """Read an answer that is plain text."""
    return answer.body.decode()


JSON = {"Content-Type": "application/json"}


def encode(body: Any) -> bytes:
    """Return a message as JSON.

    Raises
    ------
    ValueError: it holds NaN or an infinity, or text that is not Unicode
    """
    return json.dumps(
        body, default=_plain, allow_nan=False, ensure_ascii=False, separators=(",", ":")
    ).encode()


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was given: None stands for the service's default."""
    return {name: value for name, value in values.items() if value is not None}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return given({one.name: getattr(value, one.name) for one in dataclasses.fields(value)})
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be sent as JSON")
