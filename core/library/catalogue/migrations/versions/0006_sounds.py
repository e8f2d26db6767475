"""What enrichers found of tracks, for similarity."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table; no track has been enriched yet."""
    op.create_table(
        "library_sounds",
        sa.Column(
            "track_id",
            sa.String(64),
            sa.ForeignKey("library_tracks.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("basis", sa.String(16), primary_key=True),
        sa.Column("model", sa.String(64), primary_key=True),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("library_sounds")
