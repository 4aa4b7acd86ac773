"""Why the embedded PostgreSQL does not start, in one sentence that says what to do."""

from pathlib import Path

from app.errors import Unavailable


class CannotStart(Unavailable):
    """The embedded PostgreSQL cannot run here."""


class AlreadyRunning(CannotStart):
    """Another living process owns the data home.

    ``pid`` and ``url`` (of the database) are None while that process is still starting; ``service`` is the
    address it serves, where it serves one.
    """

    def __init__(self, home: Path, pid: int | None, url: str | None, service: str | None) -> None:
        who = f"process {pid}" if pid else "another process"
        where = f"at {service}" if service else "without a web address (a command, or a service starting up)"
        super().__init__(
            f"Groundhog is already running on the data in {home}: {who}, {where}. "
            "Stop it first, or give this one its own GROUNDHOG_HOME."
        )
        self.pid, self.url, self.service = pid, url, service
