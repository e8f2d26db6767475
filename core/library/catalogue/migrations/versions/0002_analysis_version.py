"""Which analysis made the facts of a track."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of the tracks there the version is unknown, as in their records."""
    op.add_column("library_tracks", sa.Column("analysis_version", sa.String(64), nullable=True))


def downgrade() -> None:
    """Drop the column."""
    with op.batch_alter_table("library_tracks") as tracks:
        tracks.drop_column("analysis_version")
