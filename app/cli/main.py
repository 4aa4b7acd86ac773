"""The `groundhog` command."""

import json
import os
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from app import __version__
from app.cli.distribute import distribution
from app.cli.keys import audit, keys
from app.cli.options import Home, command_database, settings_with
from app.cli.simulate import simulate
from app.cli.transfer import transfer
from app.errors import FieldError, GroundhogError, Invalid

commands = typer.Typer(
    name="groundhog",
    help="A self-hosted bandit allocation service.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

commands.add_typer(audit)
commands.add_typer(distribution)
commands.add_typer(keys)
commands.add_typer(simulate)
commands.add_typer(transfer)


def main() -> None:
    """Run the command; an error is a sentence on standard error, further ones below it, and exit code 1."""
    try:
        _check_encoding()
        commands()
    except GroundhogError as error:
        further = [_as_line(one) for one in error.errors if one.message not in error.detail]
        sys.exit("\n  ".join([f"groundhog: {error.detail}", *further]))


def _check_encoding() -> None:
    """Reject arguments and settings that are not UTF-8: no id is, and PostgreSQL stores no such name of a file."""
    given = [(f"The argument {_escaped(argument)}", argument) for argument in sys.argv[1:]]
    given += [
        (f"The environment variable {name}", value)
        for name, value in os.environ.items()
        if name.startswith("GROUNDHOG_") or name.endswith("DATABASE_URL")
    ]
    for what, text in given:
        if _escaped(text) != text:
            raise Invalid(f"{what} is not UTF-8.")


def _escaped(text: str) -> str:
    return os.fsencode(text).decode(errors="backslashreplace")


def _as_line(error: FieldError) -> str:
    line = "" if error.line is None else f"line {error.line} "
    place = line + error.field.removeprefix("body.") if error.field != "line" else line
    return f"{place.rstrip()}: {error.message}"


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
    """Accept the options before a command."""


@commands.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [GROUNDHOG_HOST]")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 picks a free one [GROUNDHOG_PORT]")] = None,
    workers: Annotated[int | None, typer.Option(help="Server processes [GROUNDHOG_WORKERS]")] = None,
    home: Home = None,
) -> None:
    """Serve the API, on DATABASE_URL or on an embedded PostgreSQL, until Ctrl-C."""
    from app.server import launcher

    launcher.serve(settings_with(host=host, port=port, workers=workers, home=home))


@commands.command()
def migrate(home: Home = None) -> None:
    """Upgrade the database's schema to the newest version."""
    from app.server import launcher

    with launcher.exit_on_signals(), launcher.running_or_embedded_database(settings_with(home=home)) as url:
        launcher.upgrade(url)
        print(f"The schema of {launcher.redacted_url(url)} is up to date.")


@commands.command()
def prune(home: Home = None) -> None:
    """Delete what is older than it is to be stored: Idempotency-Keys, audit entries, replaced reports.

    The settings are GROUNDHOG_IDEMPOTENCY_HOURS, GROUNDHOG_AUDIT_DAYS, and GROUNDHOG_SNAPSHOT_DAYS: of reports
    that newer ones replaced, and the days and hours in which conversions were received; without it all are stored.
    """
    from app.services.access import audit_log as entries
    from app.services.access import idempotency
    from app.services.metrics import snapshot_retention

    now = datetime.now(UTC)
    with command_database(home) as (database, settings), database.transaction() as session:
        keys_deleted = idempotency.delete_older_than(session, now, settings.idempotency_hours)
        entries_deleted = entries.delete_older_than(session, now, settings.audit_days)
        days = settings.snapshot_days
        old = None if days is None else snapshot_retention.delete_older_than(session, now, days)
    print(f"Deleted {keys_deleted} Idempotency-Keys older than {settings.idempotency_hours} hours.")
    if entries_deleted:
        print(f"Deleted {entries_deleted} audit entries older than {settings.audit_days} days.")
    if old is not None:
        print(
            f"Deleted {old.snapshots} replaced reports and {old.received_counts} counts of received conversions"
            f" of days more than {days} days ago."
        )


@commands.command()
def openapi() -> None:
    """Print the OpenAPI description of the API as JSON; needs no database."""
    from app.main import create_app

    application = create_app(settings_with(database_url="postgresql://nobody@localhost/none"))
    print(json.dumps(application.openapi(), indent=2, ensure_ascii=False))
