"""The scalar fields every message is made of, checked strictly: "1000", true and NaN are not numbers here."""

import datetime as dt
import json
import re
from decimal import Context, Decimal
from functools import lru_cache
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from app.bandits.allocation.rounding import certain_probability, significant

MAX_COUNT = 2**63 - 2**10
"""The largest count: a bigint holds it, and so does a double, as which JSON Schema publishes it."""
MAX_VALUE_BYTES = 16_384
MAX_ID_BYTES = 256
FIRST_DATE = dt.date(1900, 1, 1)
MONEY_STEP = Decimal("1e-12")
EXACT = Context(prec=60)  # the usual 28 digits cannot hold 1e24 to 12 decimals
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
IDENTIFIER = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"
NO_CONTROL_CHARACTERS = r"^[^\x00-\x1f\x7f-\x9f]*$"
TEXT = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
PATTERNS = {
    IDENTIFIER: "1 to 128 of A-Z a-z 0-9 . _ -, the first a letter or digit",
    NO_CONTROL_CHARACTERS: "text without control characters, such as line breaks",
    TEXT: "text without control characters",
    r"^[^\x00-\x1f\x7f]+$": "text without control characters",
    r"^[^\x00-\x1f\x7f]*$": "text without control characters",
    r"^[\x21-\x7e]+$": "printable ASCII without spaces",
    r"^[0-9a-f]{16}$": "a revision: 16 of 0-9 a-f",
    r"^[a-z_]{1,64}$": "lower-case letters and underscores, as in the audit log",
}
"""What each pattern asks for, in words: an error never shows a regular expression."""
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[-+]\d{2}:\d{2})", re.ASCII)

Identifier = Annotated[
    str,
    StringConstraints(strict=True, pattern=IDENTIFIER),
    Field(description=PATTERNS[IDENTIFIER]),
]
"""An experiment's or a variant's id."""


def _short_enough(text: str) -> str:
    if len(text.encode()) > MAX_ID_BYTES:
        raise PydanticCustomError("id", "Input should be at most {limit} bytes", {"limit": MAX_ID_BYTES})
    return text


UnitId = Annotated[
    str,
    StringConstraints(strict=True, min_length=1, max_length=MAX_ID_BYTES, pattern=NO_CONTROL_CHARACTERS),
    AfterValidator(_short_enough),
    Field(description="1 to 256 bytes of any Unicode without control characters"),
]
"""A unit's id, or an event's: a text of the sender's own."""

DayOrTime = Annotated[AwareDatetime | dt.date, Field(union_mode="left_to_right")]
"""A day, or with cadence hour a moment."""

Text = Annotated[str, StringConstraints(strict=True, max_length=2_000, pattern=TEXT)]
"""Free text without control characters (PostgreSQL stores no NUL)."""


def _plain_json(value: object) -> object:
    if not isinstance(value, str | bool | int | float | dict):
        raise PydanticCustomError("value", "Input should be a string, a number, a boolean or an object")
    try:
        size = len(json.dumps(value, allow_nan=False, ensure_ascii=False).encode())
    except UnicodeEncodeError:
        raise PydanticCustomError("value", "Input should be text: half a surrogate pair is none") from None
    except (ValueError, RecursionError):
        raise PydanticCustomError("value", "Input should be finite numbers, not nested too deeply") from None
    if size > MAX_VALUE_BYTES:
        raise PydanticCustomError(
            "value", "Input should be at most {limit} bytes", {"limit": MAX_VALUE_BYTES}
        )
    return value


VariantValue = Annotated[
    object,
    BeforeValidator(_plain_json),
    WithJsonSchema(
        {"anyOf": [{"type": kind} for kind in ("string", "number", "boolean")] + [{"type": "object"}]}
    ),
]
"""What a client is given for a variant: a string, a number, a boolean or an object, of at most 16 KiB."""


def _whole(value: object) -> object:
    """Return 1000.0 as 1000: to JSON Schema both are integers, and pandas writes the former."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _whole_from_text(value: object) -> int:
    if not re.fullmatch(r"[-+]?\d{1,20}(\.0*)?", str(value), re.ASCII):
        raise PydanticCustomError("count", "Input should be a whole number, such as 1000")
    return int(str(value).partition(".")[0])


Count = Annotated[int, Field(strict=True, ge=0, le=MAX_COUNT), BeforeValidator(_whole)]
"""A number of impressions or successes that a bigint holds."""

CountFromText = Annotated[int, Field(ge=0, le=MAX_COUNT), BeforeValidator(_whole_from_text)]
"""The same, written in a CSV cell."""

Percent = Annotated[float, Field(strict=True, ge=0, le=100, allow_inf_nan=False)]
"""A share of traffic as the API speaks it."""

Positive = Annotated[float, Field(strict=True, gt=0, le=1e12, allow_inf_nan=False)]
"""A positive, finite number."""


def _iso_date(value: object) -> dt.date:
    if isinstance(value, str) and _ISO_DATE.fullmatch(value):
        try:
            date = dt.date.fromisoformat(value)
        except ValueError:
            pass
        else:
            if date >= FIRST_DATE:
                return date
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    raise PydanticCustomError("iso_date", "Input should be a date from 1900-01-01 on, written YYYY-MM-DD")


IsoDate = Annotated[dt.date, BeforeValidator(_iso_date), WithJsonSchema({"type": "string", "format": "date"})]
"""A calendar day as YYYY-MM-DD and nothing else: 0 is not 1970-01-01."""


def _moment(value: object) -> dt.datetime:
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        try:
            moment = dt.datetime.fromisoformat(value.upper()).astimezone(dt.UTC)
        except (ValueError, OverflowError):
            pass
        else:
            if moment.date() >= FIRST_DATE:
                return moment
    raise PydanticCustomError(
        "moment",
        "Input should be a moment from 1900-01-01 on with its zone, such as 2026-03-10T12:00:00Z (RFC 3339)",
    )


Moment = Annotated[
    dt.datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})
]
"""A moment as RFC 3339 writes it, with a zone: stored in UTC, to the microsecond."""


def _money(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise PydanticCustomError("money", "Input should be a number")
    return _finite(Decimal(repr(value)) if isinstance(value, float) else Decimal(value))


def _finite(amount: Decimal) -> Decimal:
    if not amount.is_finite() or abs(amount) > Decimal("1e24"):
        raise PydanticCustomError("money", "Input should be a finite number of at most 1e24")
    finest = amount.quantize(MONEY_STEP, context=EXACT)
    return finest if amount.as_tuple().exponent < -12 else amount  # type: ignore[operator]


def _money_from_text(value: object) -> Decimal | None:
    text = str(value)
    if not re.fullmatch(r"[-+]?\d{1,30}(\.\d{0,30})?([eE][-+]?\d{1,3})?", text, re.ASCII):
        raise PydanticCustomError("money", "Input should be a number")
    return _finite(Decimal(text))


Money = Annotated[
    Decimal, BeforeValidator(_money), WithJsonSchema({"type": "number", "minimum": -1e24, "maximum": 1e24})
]
"""An amount in the experiment's currency (NUMERIC): summed exactly, stored to 12 decimals."""

MoneyFromText = Annotated[Decimal, BeforeValidator(_money_from_text)]
"""The same, written in a CSV cell."""


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _known_zone(name: str) -> str:
    if name not in _zones():
        raise PydanticCustomError(
            "time_zone",
            "Input should be an IANA time zone such as UTC, Europe/Vienna or America/New_York, not {name}",
            {"name": repr(name)},
        )
    ZoneInfo(name)
    return name


TimeZone = Annotated[
    str, StringConstraints(strict=True, max_length=64), AfterValidator(_known_zone), Field(examples=["UTC"])
]
"""An IANA time zone's name."""


Amount = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]
"""Money in an answer: a JSON number."""
Rounded = Annotated[float, AfterValidator(significant)]
"""A computed number of an answer, to 10 significant digits: the same on every processor."""

TableFormat = Literal["csv", "ndjson"]
"""The formats in which tables of any length are read: uploads, loads from files, logs to replay."""

Probability = Annotated[float, AfterValidator(certain_probability)]
"""A computed probability of an answer, to 10 decimals."""
