"""keep simulations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "5d0c7a91e3b8"
down_revision = "b3f256e1ac64"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "simulations",
        sa.Column("simulation_id", sa.Text(), nullable=False),
        sa.Column("scenario", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("seen_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state in ('queued', 'running', 'done', 'failed', 'cancelled')", name=op.f("ck_simulations_state")
        ),
        sa.PrimaryKeyConstraint("simulation_id", name=op.f("pk_simulations")),
    )
    op.create_index("ix_simulations_created_at", "simulations", ["created_at", "simulation_id"], unique=False)


def downgrade() -> None:
    op.drop_table("simulations")
