"""Packet hashes: the same audio whatever the tags, another for another encoding."""

import shutil
from pathlib import Path

import pytest

from core.audio.reading.packets import hash_packets
from core.audio.tagging.tag_writer import write_tags
from core.audio.tagging.tags import Cover, Tags
from tests.unit.library.songs import encode, play_notes

PNG = b"\x89PNG\r\n\x1a\n" + bytes(2000)


@pytest.mark.parametrize("format", ["wav", "flac", "mp3", "m4a", "alac", "opus"])
def test_tags_and_cover_change_nothing(tmp_path: Path, format: str) -> None:
    """Tagging a library must not make every track look new."""
    plain = encode(tmp_path / "plain", play_notes(2.0, seed=1), format)
    tagged = tmp_path / "tagged"
    shutil.copy(plain, tagged)
    tags = Tags(title="Söng", artist="Band", bpm=124.5, cover=Cover(PNG, "image/png"))
    write_tags(tagged, tags, format=format)
    assert plain.read_bytes() != tagged.read_bytes()
    assert hash_packets(plain) == hash_packets(tagged)
    other = encode(tmp_path / "other", play_notes(2.0, seed=2), format)
    assert hash_packets(other) != hash_packets(plain)


@pytest.mark.parametrize("data", [b"", b"no music", b"RIFF\0\0\0\0WAVE"])
def test_what_cannot_be_read_has_no_hash(tmp_path: Path, data: bytes) -> None:
    """Two broken files are not the same track."""
    path = tmp_path / "x.mp3"
    path.write_bytes(data)
    assert hash_packets(path) is None
