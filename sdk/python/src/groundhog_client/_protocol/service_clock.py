"""The difference between this host's clock and the service's, learned from the Date header of its answers."""

import datetime as dt
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Self

TOLERATED = dt.timedelta(seconds=5)
"""A smaller difference is left as it is: Date has whole seconds, and the service allows for 5 minutes."""
LONGEST_CALL = dt.timedelta(seconds=10)
"""An answer that took longer says too little about the time."""
SECOND = dt.timedelta(seconds=1)


class HostTime(dt.datetime):
    """A moment read from this host's clock, which may be off; a moment that the program gave is none."""

    @classmethod
    def read(cls) -> Self:
        """Return the present moment."""
        return cls.now(dt.UTC)


class ServiceClock:
    """The offset of the service's clock from this host's; zero until an answer shows that they differ.

    Parameters
    ----------
    host : this host's clock; tests replace it
    """

    def __init__(self, host: Callable[[], dt.datetime] = HostTime.read) -> None:
        self.host = host
        self.offset = dt.timedelta(0)

    def now(self) -> dt.datetime:
        """Return the present moment by the service's clock."""
        return self.host() + self.offset

    def learn(self, headers: Mapping[str, str], sent_at: dt.datetime) -> None:
        """Learn from an answer; one of a cache (Age), or without a Date, is ignored.

        The service wrote Date, cut to whole seconds, between the request and now: that bounds the offset.
        """
        received_at, date = self.host(), _moment(headers.get("date"))
        if date is None or "age" in headers or not dt.timedelta(0) <= received_at - sent_at <= LONGEST_CALL:
            return
        least, most = date - received_at, date + SECOND - sent_at
        agrees = least <= TOLERATED and most >= -TOLERATED
        self.offset = dt.timedelta(0) if agrees else (least + most) / 2


def _moment(date: str | None) -> dt.datetime | None:
    try:
        moment = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else None
