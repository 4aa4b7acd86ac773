"""What the commands share: the settings as options override them, and the database they work on."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from app.errors import Invalid, Unavailable
from app.settings import ServiceSettings

if TYPE_CHECKING:
    from app.storage.database import Database

Home = Annotated[
    Path | None, typer.Option(readable=False, help="Folder of the embedded PostgreSQL [GROUNDHOG_HOME]")
]


def settings_with(**options: Any) -> ServiceSettings:
    """Return the settings, where options of the command come before the environment.

    Raises
    ------
    Invalid: naming each setting that is wrong
    Unavailable: there is no place for the data
    """
    try:
        return ServiceSettings(**{name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        faults = (
            f"{_named(str(fault['loc'][0]))}: {fault['msg'].removeprefix('Value error, ')}"
            for fault in error.errors()
        )
        raise Invalid(f"A setting is wrong: {'; '.join(faults)}") from error
    except RuntimeError as error:  # no home directory to put the data in
        raise Unavailable(f"{error} Set GROUNDHOG_HOME or DATABASE_URL.") from error


def _named(field: str) -> str:
    """Return a setting's name as an operator knows it."""
    return f"{field} (GROUNDHOG_{field.upper()})" if field.islower() else field


@contextmanager
def command_database(home: Path | None) -> Iterator[tuple["Database", ServiceSettings]]:
    """Give the database of the running service, or of one started for as long as the command runs.

    Raises
    ------
    Unavailable: it cannot be reached, or lacks the schema
    """
    from app.server import launcher
    from app.services.access import audit_log, principal
    from app.storage import migrate, schema_version
    from app.storage.database import Database

    settings = settings_with(home=home)
    with launcher.exit_on_signals(), launcher.running_or_embedded_database(settings) as url:
        at_url = settings.model_copy(update={"database_url": url})
        principal.current_principal.set(principal.CLI)
        with closing(Database(at_url, before_commit=audit_log.flush)) as database:
            with database.transaction() as session:
                fault = migrate.schema_fault(schema_version.read_state(session))
            if fault is not None:
                raise Unavailable(f"{fault[0].upper()}{fault[1:]}.")
            yield database, at_url
