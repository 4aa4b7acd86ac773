"""store totals by hour."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the totals of experiments of cadence hour, by hour of first exposure and hour of reception.

    Hours are numbered from 1970-01-01 00:00 UTC. An earlier version that runs beside knows no such experiment.
    """
    op.create_table(
        "received_hours",
        sa.Column("experiment_id", sa.Text(), nullable=False),
        sa.Column("variant_id", sa.Text(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("received_hour", sa.Integer(), nullable=False),
        sa.Column("impressions", sa.BigInteger(), nullable=False),
        sa.Column("successes", sa.BigInteger(), nullable=False),
        sa.Column("revenue", sa.Numeric(), nullable=False),
        sa.Column("revenue_sq", sa.Numeric(), nullable=False),
        sa.CheckConstraint("received_hour >= hour", name=op.f("ck_received_hours_received_not_before_hour")),
        sa.PrimaryKeyConstraint(
            "experiment_id", "variant_id", "hour", "received_hour", name=op.f("pk_received_hours")
        ),
    )


def downgrade() -> None:
    op.drop_table("received_hours")
