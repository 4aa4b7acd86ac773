"""offer experiments as flags."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "a60c5e2d9b17"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add whether an experiment is offered as a flag; NULL follows its source.

    Experiments whose source is not settled yet, and to which units were assigned, were evaluated as flags: they stay.
    """
    op.add_column("experiments", sa.Column("flag", sa.Boolean(), nullable=True))
    op.execute(
        "update experiments e set flag = true where source is null"
        " and exists (select from assignments a where a.experiment_id = e.experiment_id)"
    )


def downgrade() -> None:
    op.drop_column("experiments", "flag")
