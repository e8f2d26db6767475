"""The table of what owners used."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "owner_usage",
        sa.Column("owner", sa.String(63), nullable=False),
        sa.Column("policy", sa.String(63), nullable=False),
        sa.Column("window_start_s", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "policy"),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("owner_usage")
