"""How certain tempo and key are."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; `stemcrate library reindex` fills them for the tracks there."""
    for name in ("tempo_confidence", "key_confidence"):
        op.add_column("library_tracks", sa.Column(name, sa.Double(), nullable=True))


def downgrade() -> None:
    """Drop the columns."""
    with op.batch_alter_table("library_tracks") as tracks:
        for name in ("key_confidence", "tempo_confidence"):
            tracks.drop_column(name)
