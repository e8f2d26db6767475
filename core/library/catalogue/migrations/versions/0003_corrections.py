"""Ratings, and which fields of a track are corrected."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; no track has corrections yet."""
    op.add_column("library_tracks", sa.Column("rating", sa.Double(), nullable=True))
    op.create_index("ix_library_tracks_rating", "library_tracks", ["rating"])
    op.add_column(
        "library_tracks", sa.Column("corrected", sa.Text(), nullable=False, server_default="")
    )


def downgrade() -> None:
    """Drop the columns."""
    op.drop_index("ix_library_tracks_rating", "library_tracks")
    with op.batch_alter_table("library_tracks") as tracks:
        tracks.drop_column("corrected")
        tracks.drop_column("rating")
