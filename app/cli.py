"""The `groundhog` command."""

import json
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from app import __version__
from app.cli_simulate import simulate
from app.errors import GroundhogError, Invalid, Unavailable
from app.settings import Settings

commands = typer.Typer(
    name="groundhog",
    help="A self-hosted bandit allocation service.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

commands.add_typer(simulate)

Home = Annotated[
    Path | None, typer.Option(readable=False, help="Folder of the embedded PostgreSQL [GROUNDHOG_HOME]")
]


def main() -> None:
    """Run the command; what goes wrong on purpose is one sentence on standard error and exit code 1."""
    try:
        commands()
    except GroundhogError as error:
        sys.exit(f"groundhog: {error.detail}")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"groundhog {__version__}")
        raise typer.Exit


@commands.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version")
    ] = False,
) -> None:
    """Take the options that stand before a command."""


@commands.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [GROUNDHOG_HOST]")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 picks a free one [GROUNDHOG_PORT]")] = None,
    workers: Annotated[int | None, typer.Option(help="Server processes [GROUNDHOG_WORKERS]")] = None,
    home: Home = None,
) -> None:
    """Serve the API, on DATABASE_URL or on an embedded PostgreSQL, until Ctrl-C."""
    from app import launcher

    launcher.serve(_settings(host=host, port=port, workers=workers, home=home))


@commands.command()
def migrate(home: Home = None) -> None:
    """Bring the database's schema to the newest version."""
    from app import launcher

    with launcher.stopped_by_signals(), launcher.any_database(_settings(home=home)) as url:
        launcher.upgrade(url)
        print(f"The schema of {launcher.place_of(url)} is up to date.")


@commands.command()
def prune(home: Home = None) -> None:
    """Forget Idempotency-Keys older than GROUNDHOG_IDEMPOTENCY_HOURS."""
    from app import launcher
    from app.services import idempotency
    from app.storage.database import Database
    from app.storage.migrate import current

    settings = _settings(home=home)
    with launcher.stopped_by_signals(), launcher.any_database(settings) as url:
        at_url = settings.model_copy(update={"database_url": url})
        with closing(Database(at_url)) as database, database.transaction() as session:
            if current(session) is None:
                raise Unavailable("The database has no tables yet: run `groundhog migrate`.")
            forgotten = idempotency.prune(session, datetime.now(UTC), settings.idempotency_hours)
    print(f"Forgot {forgotten} Idempotency-Keys older than {settings.idempotency_hours} hours.")


@commands.command()
def openapi() -> None:
    """Print the API's description (OpenAPI) as JSON; needs no database."""
    from app.main import create_app

    application = create_app(_settings(database_url="postgresql://nobody@localhost/none"))
    print(json.dumps(application.openapi(), indent=2, ensure_ascii=False))


def _settings(**options: Any) -> Settings:
    """Return the settings, where options of the command come before the environment."""
    try:
        return Settings(**{name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        faults = (
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg'].removeprefix('Value error, ')}"
            for fault in error.errors()
        )
        raise Invalid(f"A setting is wrong: {'; '.join(faults)}") from error
    except RuntimeError as error:  # no home directory to put the data in
        raise Unavailable(f"{error} Set GROUNDHOG_HOME or DATABASE_URL.") from error
