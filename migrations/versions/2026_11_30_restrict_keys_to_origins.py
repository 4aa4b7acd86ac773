"""restrict keys to origins."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the origins of a key, and allow the scope evaluate; a key with origins has no other scope."""
    op.add_column("api_keys", sa.Column("origins", postgresql.ARRAY(sa.Text()), nullable=True))
    op.drop_constraint(op.f("ck_api_keys_scopes"), "api_keys")
    op.create_check_constraint(
        op.f("ck_api_keys_scopes"),
        "api_keys",
        "cardinality(scopes) > 0 and scopes <@ array['evaluate', 'report', 'read', 'admin']"
        " and (origins is null or scopes = array['evaluate'])",
    )


def downgrade() -> None:
    op.execute("delete from api_keys where 'evaluate' = any(scopes)")
    op.drop_constraint(op.f("ck_api_keys_scopes"), "api_keys")
    op.create_check_constraint(
        op.f("ck_api_keys_scopes"),
        "api_keys",
        "cardinality(scopes) > 0 and scopes <@ array['report', 'read', 'admin']",
    )
    op.drop_column("api_keys", "origins")
