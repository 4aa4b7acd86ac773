"""keep assignments and events."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "c4a1e09f6d27"
down_revision = "5d0c7a91e3b8"
branch_labels = None
depends_on = None

MOMENT = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.add_column("experiments", sa.Column("source", sa.Text(), nullable=True))
    op.create_check_constraint(
        op.f("ck_experiments_source"), "experiments", "source in ('reported', 'tracked')"
    )
    op.execute(
        "update experiments e set source = 'reported' where exists (select from experiment_metrics m where m.experiment_id = e.experiment_id)"
    )
    op.add_column(
        "experiment_versions",
        sa.Column("settings_version", sa.BigInteger(), server_default="1", nullable=False),
    )
    op.add_column("variants", sa.Column("value", sa.Text(), nullable=True))
    op.create_table(
        "splits",
        sa.Column("experiment_id", sa.Text(), nullable=False),
        sa.Column("split", sa.BigInteger(), nullable=False),
        sa.Column("for_date", sa.Date(), nullable=False),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("shares", sa.JSON(), nullable=False),
        sa.Column("settings_version", sa.BigInteger(), nullable=False),
        sa.Column("frozen_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiments.experiment_id"], name=op.f("fk_splits_experiments")
        ),
        sa.PrimaryKeyConstraint("experiment_id", "split", name=op.f("pk_splits")),
    )
    op.create_table(
        "assignments",
        sa.Column("experiment_id", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Text(), nullable=False),
        sa.Column("variant_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("split", sa.BigInteger(), nullable=True),
        sa.Column("propensity", sa.Double(), nullable=True),
        sa.Column("revision", sa.Text(), nullable=True),
        sa.Column("assigned_at", MOMENT, nullable=False),
        sa.Column("exposed_at", MOMENT, nullable=True),
        sa.Column("exposed_on", sa.Date(), nullable=True),
        sa.Column("converted_at", MOMENT, nullable=True),
        sa.Column("value", sa.Numeric(), nullable=True),
        sa.Column("merged_into", sa.Text(), nullable=True),
        sa.CheckConstraint("kind in ('drawn', 'holdout', 'forced')", name=op.f("ck_assignments_kind")),
        sa.CheckConstraint(
            "(kind = 'drawn') = (split is not null and propensity is not null and revision is not null)",
            name=op.f("ck_assignments_drawn_by_a_split"),
        ),
        sa.CheckConstraint(
            "(exposed_at is null) = (exposed_on is null)", name=op.f("ck_assignments_exposed_on_a_day")
        ),
        sa.ForeignKeyConstraint(
            ["experiment_id", "variant_id"],
            ["variants.experiment_id", "variants.variant_id"],
            name=op.f("fk_assignments_variants"),
        ),
        sa.PrimaryKeyConstraint("experiment_id", "unit_id", name=op.f("pk_assignments")),
    )
    op.create_index(
        "ix_assignments_experiment_id_merged_into",
        "assignments",
        ["experiment_id", "merged_into"],
        unique=False,
        postgresql_where=sa.text("merged_into is not null"),
    )
    op.create_table(
        "assignment_counts",
        sa.Column("experiment_id", sa.Text(), nullable=False),
        sa.Column("assigned_on", sa.Date(), nullable=False),
        sa.Column("split", sa.BigInteger(), nullable=False),
        sa.Column("variant_id", sa.Text(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "experiment_id", "assigned_on", "split", "variant_id", name=op.f("pk_assignment_counts")
        ),
    )
    op.create_table(
        "events",
        sa.Column("experiment_id", sa.Text(), nullable=False),
        sa.Column("event_digest", sa.LargeBinary(), nullable=False),
        sa.Column("unit_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("occurred_at", MOMENT, nullable=False),
        sa.Column("value", sa.Numeric(), nullable=True),
        sa.Column("counted_on", sa.Date(), nullable=True),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.CheckConstraint("kind in ('exposure', 'conversion', 'value')", name=op.f("ck_events_kind")),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiments.experiment_id"], name=op.f("fk_events_experiments")
        ),
        sa.PrimaryKeyConstraint("experiment_id", "event_digest", name=op.f("pk_events")),
    )
    op.create_index("ix_events_experiment_id_unit_id", "events", ["experiment_id", "unit_id"], unique=False)
    op.create_table(
        "holdout_metrics",
        sa.Column("experiment_id", sa.Text(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("impressions", sa.BigInteger(), nullable=False),
        sa.Column("successes", sa.BigInteger(), nullable=False),
        sa.Column("revenue", sa.Numeric(), nullable=True),
        sa.Column("revenue_sq", sa.Numeric(), nullable=True),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiments.experiment_id"], name=op.f("fk_holdout_metrics_experiments")
        ),
        sa.PrimaryKeyConstraint("experiment_id", "date", name=op.f("pk_holdout_metrics")),
    )


def downgrade() -> None:
    for table in ("holdout_metrics", "events", "assignment_counts", "assignments", "splits"):
        op.drop_table(table)
    op.drop_column("variants", "value")
    op.drop_column("experiment_versions", "settings_version")
    op.drop_column("experiments", "source")
