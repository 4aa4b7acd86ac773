"""keep standings."""

import sqlalchemy as sa
from alembic import op

revision = "1f8d3b6ac2e5"
down_revision = "7e52c0b49a1f"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("simulations", sa.Column("standing", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("simulations", "standing")
