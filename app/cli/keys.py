"""`groundhog keys` and `groundhog audit`: who may use the service, and who changed what."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from app.cli.options import Home, command_database, field_messages
from app.errors import Invalid

if TYPE_CHECKING:
    from app.schemas.api_keys import ApiKeyIn

keys = typer.Typer(name="keys", help="Create, list and revoke API keys.", no_args_is_help=True)
audit = typer.Typer()
COLUMNS = (
    *("id", "name", "scopes", "experiments", "origins", "per-minute"),
    *("created", "expires", "last-used", "state"),
)


@keys.command()
def create(
    name: Annotated[str, typer.Argument(help="Who or what uses the key")],
    scope: Annotated[list[str], typer.Option(help="evaluate, report, read or admin; once for each")],
    experiments: Annotated[
        str | None, typer.Option(help="Only experiments whose ids begin with this, such as shop-")
    ] = None,
    days: Annotated[int | None, typer.Option(help="Days until it expires", min=1, max=36_500)] = None,
    per_minute: Annotated[
        int | None, typer.Option(help="Requests per minute that one server process accepts", min=1)
    ] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option(help="Only in pages of this origin, such as https://shop.example; with scope evaluate"),
    ] = None,
    home: Home = None,
) -> None:
    """Create a key and print it: it is shown only once, and only its digest is stored."""
    from app.services.access import api_keys

    now = datetime.now(UTC)
    new = _validated(
        name=name,
        scopes=scope,
        experiment_prefix=experiments,
        requests_per_minute=per_minute,
        expires_at=None if days is None else now + timedelta(days=days),
        origins=origin or None,
    )
    with command_database(home) as (database, settings), database.transaction() as session:
        created, key = api_keys.create(session, new, now)
    until = "it is revoked" if created.expires_at is None else _timestamp(created.expires_at)
    sys.stderr.write(
        f"Key {created.key_id} ({created.name}) is valid until {until}, and shown only once. A service that was"
        f" open requires keys within {settings.key_cache_seconds:g} seconds.\n"
    )
    sys.stdout.write(f"{key}\n")


def _validated(**fields: Any) -> "ApiKeyIn":
    from app.schemas.api_keys import ApiKeyIn

    try:
        return ApiKeyIn(**fields)
    except ValidationError as error:
        raise Invalid(f"No key was created: {field_messages(error)}") from None


@keys.command("list")
def list_keys(home: Home = None) -> None:
    """List every key that was ever created, without the secrets."""
    from app.services.access import api_keys

    with command_database(home) as (database, _), database.transaction() as session:
        found = api_keys.list_keys(session)
    now = datetime.now(UTC)
    _print(
        COLUMNS,
        [
            (
                key.key_id,
                key.name,
                ",".join(key.scopes),
                "all" if key.experiment_prefix is None else f"{key.experiment_prefix}...",
                "all" if key.origins is None else ",".join(key.origins),
                key.requests_per_minute,
                _timestamp(key.created_at),
                _timestamp(key.expires_at),
                _timestamp(key.last_used_at),
                key.state(now),
            )
            for key in found
        ],
    )


@keys.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="As `groundhog keys list` shows it")], home: Home = None
) -> None:
    """Revoke a key permanently; its record stays."""
    from app.services.access import api_keys

    with command_database(home) as (database, settings), database.transaction() as session:
        revoked = api_keys.revoke(session, key_id, datetime.now(UTC))
    sys.stdout.write(
        f"Key {revoked.key_id} ({revoked.name}) is revoked; running services reject it"
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
            (_timestamp(entry.at), entry.who, entry.key_id, entry.operation, _shortened(entry.subjects))
            for entry in found
        ],
    )


def _shortened(subjects: Sequence[str]) -> str:
    more = f" and {len(subjects) - 3:,} more" if len(subjects) > 3 else ""
    return ", ".join(subjects[:3]) + more


def _timestamp(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _print(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows below the names of their columns; no cell is truncated, as an id is used as a whole."""
    lines = [tuple(columns), *(tuple("-" if cell is None else str(cell) for cell in row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        sys.stdout.write("  ".join(map(str.ljust, line, widths)).rstrip() + "\n")
