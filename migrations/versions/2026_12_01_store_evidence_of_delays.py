"""store evidence of delays."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what the reports of a day say of the delay, so that only days that changed are read again.

    An earlier version that runs beside deletes no evidence: what it changes of a day counts in the delay from the
    day's next report on.
    """
    op.create_table(
        "delay_evidence",
        sa.Column("experiment_id", sa.Text(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("ages", sa.Integer(), nullable=False),
        sa.Column("variant_ids", sa.Text(), nullable=False),
        sa.Column("known", sa.LargeBinary(), nullable=False),
        sa.Column("conversions", sa.LargeBinary(), nullable=False),
        sa.Column("excess", sa.LargeBinary(), nullable=False),
        sa.Column("variance", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("experiment_id", "date", name=op.f("pk_delay_evidence")),
    )


def downgrade() -> None:
    op.drop_table("delay_evidence")
