"""store when totals were known."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the day through which reported totals are known, and the earlier reports and receptions of a day.

    An earlier version that runs beside leaves the column NULL; its totals count as known through the day before
    they were written.
    """
    op.add_column("experiment_metrics", sa.Column("as_of", sa.Date(), nullable=True))
    op.create_table(
        "metric_snapshots",
        sa.Column("experiment_id", sa.Text(), nullable=False),
        sa.Column("variant_id", sa.Text(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("impressions", sa.BigInteger(), nullable=False),
        sa.Column("successes", sa.BigInteger(), nullable=False),
        sa.Column("revenue", sa.Numeric(), nullable=True),
        sa.Column("revenue_sq", sa.Numeric(), nullable=True),
        sa.CheckConstraint("as_of >= date", name=op.f("ck_metric_snapshots_as_of_not_before_date")),
        sa.PrimaryKeyConstraint(
            "experiment_id", "variant_id", "date", "as_of", name=op.f("pk_metric_snapshots")
        ),
    )
    op.create_table(
        "reports_by_day",
        sa.Column("experiment_id", sa.Text(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("variant_id", sa.Text(), nullable=False),
        sa.Column("reports", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("experiment_id", "date", "variant_id", name=op.f("pk_reports_by_day")),
    )
    op.create_table(
        "received_metrics",
        sa.Column("experiment_id", sa.Text(), nullable=False),
        sa.Column("variant_id", sa.Text(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("impressions", sa.BigInteger(), nullable=False),
        sa.Column("successes", sa.BigInteger(), nullable=False),
        sa.Column("revenue", sa.Numeric(), nullable=False),
        sa.Column("revenue_sq", sa.Numeric(), nullable=False),
        sa.PrimaryKeyConstraint(
            "experiment_id", "variant_id", "date", "received_on", name=op.f("pk_received_metrics")
        ),
    )
    op.create_index(
        "ix_received_metrics_later",
        "received_metrics",
        ["experiment_id", "received_on"],
        postgresql_where=sa.text("received_on > date"),
    )


def downgrade() -> None:
    op.drop_table("received_metrics")
    op.drop_table("reports_by_day")
    op.drop_table("metric_snapshots")
    op.drop_column("experiment_metrics", "as_of")
