"""A PostgreSQL of our own, for machines that have none: a supervisor of the binaries in a wheel."""

from app.storage.embedded.errors import AlreadyRunning, CannotStart
from app.storage.embedded.locks import Owner
from app.storage.embedded.server import EmbeddedPostgres, running_owner, running_url

__all__ = ["AlreadyRunning", "CannotStart", "EmbeddedPostgres", "Owner", "running_owner", "running_url"]
