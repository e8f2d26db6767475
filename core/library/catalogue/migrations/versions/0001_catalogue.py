"""The first tables of the catalogue."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

FOLDED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "library_revision",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "library_tracks",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("artist", sa.Text(), nullable=True),
        sa.Column("title_folded", FOLDED, nullable=False),
        sa.Column("artist_folded", FOLDED, nullable=True),
        sa.Column("text_folded", sa.Text(), nullable=False),
        sa.Column("added_s", sa.Double(), nullable=False),
        sa.Column("duration_s", sa.Double(), nullable=True),
        sa.Column("tempo_bpm", sa.Double(), nullable=True),
        sa.Column("camelot", sa.String(length=3), nullable=True),
        sa.Column("key_place", sa.Integer(), nullable=True),
        sa.Column("energy", sa.Double(), nullable=True),
        sa.Column("integrated_loudness_lufs", sa.Double(), nullable=True),
        sa.Column("vocal_ratio", sa.Double(), nullable=True),
        sa.Column("vocals_s", sa.LargeBinary(), nullable=True),
        sa.Column("first_downbeat_s", sa.Double(), nullable=True),
        sa.Column("mix_in_start_s", sa.Double(), nullable=True),
        sa.Column("mix_in_end_s", sa.Double(), nullable=True),
        sa.Column("mix_out_start_s", sa.Double(), nullable=True),
        sa.Column("mix_out_end_s", sa.Double(), nullable=True),
        sa.Column("stems", sa.Text(), nullable=False),
        sa.Column("packet_sha256", sa.String(length=64), nullable=True),
        sa.Column("descriptor_version", sa.String(length=64), nullable=True),
        sa.Column("descriptor_parts", sa.Text(), nullable=False),
        sa.Column("descriptors", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_library_tracks_added_s", "library_tracks", ["added_s"])
    op.create_index("ix_library_tracks_artist_folded", "library_tracks", ["artist_folded"])
    op.create_index("ix_library_tracks_camelot", "library_tracks", ["camelot"])
    op.create_index("ix_library_tracks_duration_s", "library_tracks", ["duration_s"])
    op.create_index("ix_library_tracks_energy", "library_tracks", ["energy"])
    op.create_index(
        "ix_library_tracks_integrated_loudness_lufs", "library_tracks", ["integrated_loudness_lufs"]
    )
    op.create_index("ix_library_tracks_key_place", "library_tracks", ["key_place"])
    op.create_index("ix_library_tracks_packet_sha256", "library_tracks", ["packet_sha256"])
    op.create_index("ix_library_tracks_tempo_bpm", "library_tracks", ["tempo_bpm"])
    op.create_index("ix_library_tracks_title_folded", "library_tracks", ["title_folded"])
    op.create_table(
        "library_files",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("track_id", sa.String(length=64), nullable=False),
        sa.Column("n_bytes", sa.BigInteger(), nullable=False),
        sa.Column("modified_ns", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["track_id"], ["library_tracks.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("path"),
    )
    op.create_index("ix_library_files_track_id", "library_files", ["track_id"])
    op.create_table(
        "library_fingerprints",
        sa.Column("track_id", sa.String(length=64), nullable=False),
        sa.Column("algorithm", sa.String(length=32), nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["track_id"], ["library_tracks.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("track_id"),
    )
    op.execute(sa.text("insert into library_revision (id, number) values (1, 0)"))


def downgrade() -> None:
    """Drop the tables, and their indices with them."""
    for name in ("fingerprints", "files", "tracks", "revision"):
        op.drop_table(f"library_{name}")
