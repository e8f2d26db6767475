"""Genre, comment and cover of a track, as lists show them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; `stemcrate library reindex` fills them for the tracks there."""
    op.add_column("library_tracks", sa.Column("genre", sa.Text(), nullable=True))
    folded = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.add_column("library_tracks", sa.Column("genre_folded", folded, nullable=True))
    op.create_index("ix_library_tracks_genre_folded", "library_tracks", ["genre_folded"])
    op.add_column("library_tracks", sa.Column("comment", sa.Text(), nullable=True))
    op.add_column(
        "library_tracks",
        sa.Column("has_cover", sa.Boolean(), nullable=False, server_default=sa.false()),
    )


def downgrade() -> None:
    """Drop the columns."""
    op.drop_index("ix_library_tracks_genre_folded", "library_tracks")
    with op.batch_alter_table("library_tracks") as tracks:
        for name in ("has_cover", "comment", "genre_folded", "genre"):
            tracks.drop_column(name)
