"""Shared by the commands: the settings with options applied, and the database."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from app.errors import Invalid, Unavailable
from app.schemas.validation import field_errors
from app.settings import ServiceSettings

if TYPE_CHECKING:
    from app.storage.database import Database

Home = Annotated[
    Path | None, typer.Option(readable=False, help="Folder of the embedded PostgreSQL [GROUNDHOG_HOME]")
]


def settings_with(**options: Any) -> ServiceSettings:
    """Return the settings; options of the command override the environment.

    Raises
    ------
    Invalid: naming each setting that is not valid
    Unavailable: there is no folder for the data
    """
    try:
        return ServiceSettings(**{name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        raise Invalid(f"A setting is not valid: {field_messages(error, _setting_name)}") from error
    except RuntimeError as error:  # there is no home directory
        raise Unavailable(f"{error} Set GROUNDHOG_HOME or DATABASE_URL.") from error


def field_messages(error: ValidationError, name: Callable[[str], str] = str) -> str:
    """Return the errors of a validation as one sentence, by the names of the fields."""
    return "; ".join(
        f"{name(found.field.split('.')[0])}: {found.message.removeprefix('Value error, ')}"
        for found in field_errors(error)
    )


def _setting_name(field: str) -> str:
    """Return a setting's name with its environment variable."""
    return f"{field} (GROUNDHOG_{field.upper()})" if field.islower() else field


@contextmanager
def command_database(home: Path | None) -> Iterator[tuple["Database", ServiceSettings]]:
    """Yield the database of the running service, or of one that runs as long as the command.

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
                error = migrate.schema_error(schema_version.read_state(session))
            if error is not None:
                raise Unavailable(f"{error[0].upper()}{error[1:]}.")
            yield database, at_url
