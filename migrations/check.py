"""`alembic check` on a throw-away database: the migrations and the tables in the code say the same."""

import os
import tempfile
from pathlib import Path

from alembic import command

from app.storage import migrate
from app.storage.embedded import EmbeddedPostgres


def main() -> None:
    """Migrate an empty database up, down and up again, then compare it with the code; exit 1 on a difference."""
    with tempfile.TemporaryDirectory(prefix="groundhog-check-") as folder:
        os.chmod(folder, 0o711)  # noqa: S103  the server may run under another account
        with EmbeddedPostgres(Path(folder) / "home", {"fsync": "off"}) as server:
            settings = migrate.config(server.url_for("groundhog"))
            command.upgrade(settings, "head")
            command.downgrade(settings, "base")
            command.upgrade(settings, "head")
            command.check(settings)


if __name__ == "__main__":
    main()
