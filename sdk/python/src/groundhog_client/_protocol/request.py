"""A request and its answer as plain data: the operations describe them and the clients send them."""

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import quote
from uuid import uuid4

from groundhog_client._errors import UnreadableAnswer
from groundhog_client._protocol.decoding import read
from groundhog_client._protocol.encoding import encode, is_numpy_time, iso_day, without_none

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Item_co = TypeVar("Item_co", covariant=True)

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response, read to its end."""

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
    """A body that is produced while it is sent."""

    chunks: Callable[[], Iterator[bytes]]
    rereadable: bool
    """Whether ``chunks`` can be called a second time."""


@dataclass(frozen=True, slots=True)
class Timed:
    """A body that depends on how far the service's clock is from this host's."""

    written: Callable[[dt.timedelta], bytes]


@dataclass(frozen=True, slots=True)
class Request(Generic[T_co]):
    """A request to the service, and how its answer is read."""

    method: str
    path: str
    read: Callable[[Answer], T_co]
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | Stream | Timed | None = None
    repeatable: bool = False
    """Whether sending it twice does what sending it once does: reads, keyed writes, first-write-wins."""
    cached: bool = False
    """Whether the answer is cached by its ETag."""
    unhurried: bool = False
    """Whether it may take any time, as long as bytes arrive: an upload."""


class Page(Protocol[Item_co]):
    """One page of a longer list."""

    @property
    def items(self) -> tuple[Item_co, ...]:
        """The items of this page."""

    @property
    def next_cursor(self) -> str | None:
        """The cursor of the next page; None on the last one."""


def path(*segments: str) -> str:
    """Return the path of these segments, each escaped.

    Raises
    ------
    ValueError: a segment is empty or dots, which would name another resource
    """
    for segment in segments:
        if segment in {"", ".", ".."}:
            raise ValueError(f"{segment!r} is not an id")
    return "/" + "/".join(quote(segment, safe="") for segment in segments)


def get(kind: type[T], where: str, about: Mapping[str, Any], /, **params: Any) -> Request[T]:
    """Describe reading a resource.

    Parameters
    ----------
    about : what the answer must repeat: see `reads`
    """
    query = {name: _query(value) for name, value in without_none(params).items()}
    return Request("GET", where, reads(kind, **about), params=query, repeatable=True)


def next_page(request: Request[T], page: Page[Any]) -> Request[T] | None:
    """Describe reading the page after one; None after the last."""
    if page.next_cursor is None:
        return None
    return replace(request, params={**request.params, "cursor": page.next_cursor})


def write(
    kind: type[T], where: str, about: Mapping[str, Any], body: Any, key: str | None, **headers: str
) -> Request[T]:
    """Describe a POST that is carried out once however often it is sent: it carries an Idempotency-Key.

    Parameters
    ----------
    about : what the answer must repeat: see `reads`
    """
    once = {"Idempotency-Key": key or uuid4().hex}
    reader = reads(kind, **about)
    return Request("POST", where, reader, {}, JSON | once | headers, encode(body), repeatable=True)


def reads(kind: type[T], /, **about: Any) -> Callable[[Answer], T]:
    """Return the reader of an answer that is one JSON object.

    Parameters
    ----------
    about : fields by which the answer is known to belong to the request, such as its ids; None is any

    Raises
    ------
    UnreadableAnswer: (the reader) the answer is about something else
    """
    return lambda answer: read(kind, checked(answer.json(), about))


def checked(found: Any, about: Mapping[str, Any]) -> Any:
    """Return a JSON value, once it is known to be about what was asked.

    Raises
    ------
    UnreadableAnswer: it is about something else
    """
    for name, asked in without_none(about).items():
        answered = found.get(name, asked) if isinstance(found, dict) else asked
        if answered != asked:
            raise UnreadableAnswer(f"the answer is about {name} {answered!r}, and {asked!r} was asked")
    return found


def _query(value: Any) -> Any:
    return iso_day(value) if isinstance(value, dt.date) or is_numpy_time(value) else value


def nothing(answer: Answer) -> None:
    """Read an answer without a body (204)."""


def text(answer: Answer) -> str:
    """Read an answer that is plain text."""
    return answer.body.decode()
