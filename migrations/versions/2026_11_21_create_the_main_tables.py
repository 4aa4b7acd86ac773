"""create the main tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "b3f256e1ac64"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "experiments",
        sa.Column("experiment_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("experiment_id", name=op.f("pk_experiments")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("body_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("location", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("scope", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "allocations",
        sa.Column("experiment_id", sa.Text(), nullable=False),
        sa.Column("for_date", sa.Date(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("inputs_digest", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiments.experiment_id"], name=op.f("fk_allocations_experiments")
        ),
        sa.PrimaryKeyConstraint("experiment_id", "for_date", "sequence", name=op.f("pk_allocations")),
    )
    op.create_table(
        "experiment_settings",
        sa.Column("experiment_id", sa.Text(), nullable=False),
        sa.Column("active_from", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("changed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state in ('running', 'paused', 'archived')", name=op.f("ck_experiment_settings_state")
        ),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiments.experiment_id"], name=op.f("fk_experiment_settings_experiments")
        ),
        sa.PrimaryKeyConstraint("experiment_id", "active_from", name=op.f("pk_experiment_settings")),
    )
    op.create_table(
        "experiment_versions",
        sa.Column("experiment_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiments.experiment_id"], name=op.f("fk_experiment_versions_experiments")
        ),
        sa.PrimaryKeyConstraint("experiment_id", name=op.f("pk_experiment_versions")),
    )
    op.create_table(
        "variants",
        sa.Column("experiment_id", sa.Text(), nullable=False),
        sa.Column("variant_id", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("is_control", sa.Boolean(), nullable=False),
        sa.Column("registered_on", sa.Date(), nullable=False),
        sa.Column("active_from", sa.Date(), nullable=True),
        sa.Column("retired_on", sa.Date(), nullable=True),
        sa.CheckConstraint("retired_on >= active_from", name=op.f("ck_variants_retired_after_active")),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiments.experiment_id"], name=op.f("fk_variants_experiments")
        ),
        sa.PrimaryKeyConstraint("experiment_id", "variant_id", name=op.f("pk_variants")),
    )
    op.create_index(
        "uq_variants_control", "variants", ["experiment_id"], unique=True, postgresql_where="is_control"
    )
    op.create_table(
        "experiment_metrics",
        sa.Column("experiment_id", sa.Text(), nullable=False),
        sa.Column("variant_id", sa.Text(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("impressions", sa.BigInteger(), nullable=False),
        sa.Column("successes", sa.BigInteger(), nullable=False),
        sa.Column("revenue", sa.Numeric(), nullable=True),
        sa.Column("revenue_sq", sa.Numeric(), nullable=True),
        sa.Column("times_written", sa.BigInteger(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("impressions >= 0", name=op.f("ck_experiment_metrics_impressions_not_negative")),
        sa.CheckConstraint("revenue_sq >= 0", name=op.f("ck_experiment_metrics_revenue_sq_not_negative")),
        sa.CheckConstraint("successes >= 0", name=op.f("ck_experiment_metrics_successes_not_negative")),
        sa.ForeignKeyConstraint(
            ["experiment_id", "variant_id"],
            ["variants.experiment_id", "variants.variant_id"],
            name=op.f("fk_experiment_metrics_variants"),
        ),
        sa.PrimaryKeyConstraint("experiment_id", "variant_id", "date", name=op.f("pk_experiment_metrics")),
    )


def downgrade() -> None:
    op.drop_table("experiment_metrics")
    op.drop_index("uq_variants_control", table_name="variants", postgresql_where="is_control")
    op.drop_table("variants")
    op.drop_table("experiment_versions")
    op.drop_table("experiment_settings")
    op.drop_table("allocations")
    op.drop_index("ix_idempotency_keys_created_at", table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_table("experiments")
