"""keep what forced units were."""

import sqlalchemy as sa
from alembic import op

revision = "a60c5e2d9b17"
down_revision = "1f8d3b6ac2e5"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("assignments", sa.Column("former_kind", sa.Text(), nullable=True))
    op.add_column("assignments", sa.Column("former_variant_id", sa.Text(), nullable=True))
    op.create_check_constraint(
        op.f("ck_assignments_former_if_forced"),
        "assignments",
        "(former_kind is null) = (former_variant_id is null) and (former_kind is null or kind = 'forced')",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_assignments_former_if_forced"), "assignments")
    op.drop_column("assignments", "former_variant_id")
    op.drop_column("assignments", "former_kind")
