"""Spread the tables over the workers of a Citus cluster; on a plain PostgreSQL there is nothing to do.

What every node needs (the experiments, their variants, all that belongs to no experiment) becomes a reference
table, copied to each; the rest is distributed by ``experiment_id``: the rows of one experiment lie on one node.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Table, text
from sqlalchemy.orm import Session

from app.errors import Conflict
from app.storage.database import Database, lift_statement_timeout
from app.storage.tables import Base, Experiment, ExperimentVersion, Variant

TableKind = Literal["reference", "distributed"]

BY = "experiment_id"
REFERENCE_TABLES = {Experiment.__tablename__, Variant.__tablename__}
COLOCATED_WITH = ExperimentVersion.__tablename__
"""The first distributed table; the others lie where its rows of the same experiment are."""

IS_CITUS = text("select to_regclass('citus_tables') is not null")
FOUND = text("select cast(table_name as text), citus_table_type, distribution_column from citus_tables")


@dataclass(frozen=True, slots=True)
class Step:
    """A table, what it is to become, and the statement that does it."""

    table: str
    kind: TableKind

    @property
    def statement(self) -> str:
        """Return the SQL that is sent."""
        if self.kind == "reference":
            return f"select create_reference_table('{self.table}')"
        together = "default" if self.table == COLOCATED_WITH else COLOCATED_WITH
        return f"select create_distributed_table('{self.table}', '{BY}', colocate_with => '{together}')"


def all_steps() -> list[Step]:
    """Return every table's step: reference tables first, because foreign keys point to them."""
    steps = [Step(table.name, _kind(table)) for table in Base.metadata.sorted_tables]
    return sorted(steps, key=_turn)


def _turn(step: Step) -> tuple[bool, bool]:
    return step.kind == "distributed", step.table != COLOCATED_WITH


def _kind(table: Table) -> TableKind:
    belongs_to_an_experiment = BY in table.primary_key.columns
    return "distributed" if belongs_to_an_experiment and table.name not in REFERENCE_TABLES else "reference"


def is_citus(database: Database) -> bool:
    """Return whether the database is a Citus coordinator."""
    with database.transaction() as session:
        return bool(session.execute(IS_CITUS).scalar_one())


def distribute(database: Database) -> Iterator[Step]:
    """Spread the tables that are not spread yet; yield each when it is done. Safe to repeat, and to break off.

    Raises
    ------
    Conflict: a table is spread in another way
    """
    for step in all_steps():
        with database.transaction() as session:
            if _is_done(session, step):
                continue
            lift_statement_timeout(session)
            session.execute(text(step.statement))
        yield step


def _is_done(session: Session, step: Step) -> bool:
    found = {table: (kind, column) for table, kind, column in session.execute(FOUND)}
    kind, column = found.get(step.table, ("local", None))
    if kind == "local":  # unknown to Citus, or known for a foreign key of its own
        return False
    if kind != step.kind or (kind == "distributed" and column != BY):
        raise Conflict(
            f"the table {step.table} is {kind} by {column}, and should be {step.kind}: undistribute it first"
        )
    return True
