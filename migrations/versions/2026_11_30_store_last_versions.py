"""store the last versions of deleted experiments."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the versions above which an experiment starts that is created again under a deleted one's id."""
    op.create_table(
        "deleted_experiments",
        sa.Column("experiment_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("settings_version", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("experiment_id", name=op.f("pk_deleted_experiments")),
    )


def downgrade() -> None:
    op.drop_table("deleted_experiments")
