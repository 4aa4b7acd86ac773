"""`groundhog distribute`: distribute the tables over the workers of a Citus cluster."""

import typer

from app.cli.options import Home, command_database

distribution = typer.Typer()

PLAIN = (
    "This is a plain PostgreSQL; nothing was changed. On the coordinator of a Citus cluster this command"
    " distributes the tables over its workers."
)


@distribution.command()
def distribute(home: Home = None) -> None:
    """Distribute the tables over a Citus cluster; changes nothing on a plain PostgreSQL, or when repeated."""
    from app.storage import citus

    with command_database(home) as (database, _):
        if not citus.is_citus(database):
            typer.echo(PLAIN)
            return
        done = 0
        for step in citus.distribute(database):
            typer.echo(f"{step.table}: {step.kind}")
            done += 1
        typer.echo(f"Distributed {done} of {len(citus.all_steps())} tables; the others already were.")
