"""`groundhog keys` and `groundhog audit`: who may use the service, and who changed what."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from app.cli.options import Home, command_database
from app.errors import Invalid

if TYPE_CHECKING:
    from app.schemas.api_keys import ApiKeyIn

keys = typer.Typer(name="keys", help="Make, list and revoke API keys.", no_args_is_help=True)
audit = typer.Typer()


@keys.command()
def create(
    name: Annotated[str, typer.Argument(help="For people: who or what uses it")],
    scope: Annotated[list[str], typer.Option(help="report, read or admin; once for each")],
    experiments: Annotated[
        str | None, typer.Option(help="Only experiments whose id begins with this, such as shop-")
    ] = None,
    days: Annotated[int | None, typer.Option(help="After so many days it expires", min=1, max=36_500)] = None,
    per_minute: Annotated[
        int | None, typer.Option(help="Requests a minute that one server process takes", min=1)
    ] = None,
    home: Home = None,
) -> None:
    """Make a key and print it: it is shown this once, only its digest is kept."""
    from app.services.access import api_keys

    now = datetime.now(UTC)
    new = _checked(
        name=name,
        scopes=scope,
        experiment_prefix=experiments,
        requests_per_minute=per_minute,
        expires_at=None if days is None else now + timedelta(days=days),
    )
    with command_database(home) as (database, settings), database.transaction() as session:
        made, key = api_keys.create(session, new, now)
    until = "revoked" if made.expires_at is None else _moment(made.expires_at)
    sys.stderr.write(
        f"Key {made.key_id} ({made.name}) is valid until {until}, and shown this once. A service that was open"
        f" asks for keys within {settings.key_cache_seconds:g} seconds.\n"
    )
    sys.stdout.write(f"{key}\n")


def _checked(**fields: Any) -> "ApiKeyIn":
    from app.schemas.api_keys import ApiKeyIn

    try:
        return ApiKeyIn(**fields)
    except ValidationError as error:
        faults = (f"{fault['loc'][0]}: {fault['msg']}" for fault in error.errors())
        raise Invalid(f"No key was made: {'; '.join(faults)}") from None


@keys.command("list")
def list_keys(home: Home = None) -> None:
    """List every key there ever was, without their secrets."""
    from app.services.access import api_keys

    with command_database(home) as (database, _), database.transaction() as session:
        found = api_keys.list_keys(session)
    now = datetime.now(UTC)
    _print(
        ("id", "name", "scopes", "experiments", "per-minute", "created", "expires", "last-used", "state"),
        [
            (
                key.key_id,
                key.name,
                ",".join(key.scopes),
                "all" if key.experiment_prefix is None else f"{key.experiment_prefix}...",
                key.requests_per_minute,
                _moment(key.created_at),
                _moment(key.expires_at),
                _moment(key.last_used_at),
                key.state(now),
            )
            for key in found
        ],
    )


@keys.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="As `groundhog keys list` shows it")], home: Home = None
) -> None:
    """Take a key's power for ever; its record stays."""
    from app.services.access import api_keys

    with command_database(home) as (database, settings), database.transaction() as session:
        revoked = api_keys.revoke(session, key_id, datetime.now(UTC))
    sys.stdout.write(
        f"Key {revoked.key_id} ({revoked.name}) is revoked; running services refuse it"
        f" within {settings.key_cache_seconds:g} seconds.\n"
    )


@audit.command("audit")
def show_audit(
    about: Annotated[str | None, typer.Option(help="Id of an experiment, a simulation or a key")] = None,
    limit: Annotated[int, typer.Option(help="Newest entries shown", min=1, max=100_000)] = 50,
    home: Home = None,
) -> None:
    """Show who changed what, the newest first."""
    from app.services.access import audit_log as entries

    with command_database(home) as (database, _), database.transaction() as session:
        found = entries.read(session, about, limit)
    _print(
        ("at", "who", "key", "operation", "on"),
        [
            (_moment(entry.at), entry.who, entry.key_id, entry.operation, _shortened(entry.subjects))
            for entry in found
        ],
    )


def _shortened(subjects: Sequence[str]) -> str:
    more = f" and {len(subjects) - 3:,} more" if len(subjects) > 3 else ""
    return ", ".join(subjects[:3]) + more


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _print(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows below the names of their columns; a cell is never cut: an id must be whole to be of use."""
    lines = [tuple(columns), *(tuple("-" if cell is None else str(cell) for cell in row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        sys.stdout.write("  ".join(map(str.ljust, line, widths)).rstrip() + "\n")
