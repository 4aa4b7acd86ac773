"""A clock for applications under test."""

import datetime as dt


class SettableClock:
    """A clock that stands still, at first at noon UTC of 10 March 2026, until a test moves it."""

    def __init__(self) -> None:
        self.now = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now

    def pass_days(self, days: float) -> None:
        self.now += dt.timedelta(days=days)
