"""Tags cannot hold a reader: they are skipped or counted before a library sees them."""

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import soundfile
from mutagen import mp4
from mutagen.id3 import APIC, ID3, TIT2, TXXX

from core.audio.reading.decode import DecodedAudio, decode, probe
from core.audio.reading.decode_pyav import PyavSource
from core.audio.reading.decode_soundfile import SoundfileSource
from core.audio.reading.packets import hash_packets
from core.audio.reading.source import AudioSource, SourceFormat
from core.audio.reading.tag_bounds import MAX_ENTRIES, find_bounds, find_start
from core.audio.tagging.tags import Tags, read_tags
from core.errors import UnreadableAudio
from tests.tag_floods import BEFORE, INSIDE, id3, m4a, silent_mp3, stacked_mp3

RATE = 44_100


@pytest.fixture
def song(tmp_path: Path, noise: Callable[..., np.ndarray]) -> Path:
    """An MP3 as LAME writes it: its first frame declares delay and padding."""
    path = tmp_path / "song.mp3"
    soundfile.write(path, noise(RATE * 2 + 321).T, RATE, format="MP3")
    assert any(word in path.read_bytes()[:2000] for word in (b"Xing", b"Info"))
    return path


def sound(opener: Callable[..., AudioSource], path: Path) -> tuple[SourceFormat, np.ndarray]:
    with closing(opener(path, name=path.name)) as source:
        return source.format, np.concatenate(list(source.blocks()), axis=1)


@pytest.mark.parametrize("opener", [SoundfileSource, PyavSource])
def test_an_mp3_with_a_large_tag_gives_the_same_samples(
    tmp_path: Path, song: Path, opener: Callable[..., AudioSource]
) -> None:
    """The encoder's delay stands behind the tag: what skips the tag must not skip that."""
    tag = ID3()
    tag.add(TIT2(text=["Song"]))
    tag.add(APIC(mime="image/jpeg", type=3, data=b"\xff\xd8\xff" + os.urandom(5_000_000)))
    for number in range(300):
        tag.add(TXXX(desc=f"K{number}", text=["v"]))
    tagged = tmp_path / "tagged.mp3"
    tagged.write_bytes(song.read_bytes())
    tag.save(tagged)
    assert find_start(tagged) > 5_000_000

    found, samples = sound(opener, tagged)

    expected, expected_samples = sound(opener, song)
    assert found == expected
    np.testing.assert_array_equal(samples, expected_samples)
    assert hash_packets(tagged) == hash_packets(song)
    tags = read_tags(tagged)
    assert tags.title == "Song"
    assert tags.cover is not None
    assert len(tags.cover.data) == 5_000_003


@pytest.mark.parametrize("make", BEFORE.values(), ids=BEFORE)
def test_a_flood_before_the_sound_is_skipped(
    tmp_path: Path,
    decoded: Callable[..., tuple[DecodedAudio, np.ndarray]],
    make: Callable[[int], bytes],
) -> None:
    """200,000 frames took libmpg123 and FFmpeg 108 s."""
    path, plain = tmp_path / "flood", tmp_path / "plain"
    path.write_bytes(make(200_000))
    plain.write_bytes(make(0)[10:])

    audio, samples = decoded(path)

    expected, expected_samples = decoded(plain)
    np.testing.assert_array_equal(samples, expected_samples)
    assert audio.source == expected.source
    (warning,) = audio.warnings
    assert "its tags were not read" in warning
    assert hash_packets(path) == hash_packets(plain)
    assert read_tags(path) == Tags()


@pytest.mark.parametrize("make", [*INSIDE.values(), stacked_mp3], ids=[*INSIDE, "stacked"])
def test_a_flood_inside_is_refused(tmp_path: Path, make: Callable[[int], bytes]) -> None:
    """FFmpeg compares each entry with all before it, in every container."""
    path = tmp_path / "flood"
    path.write_bytes(make(30_000))
    with pytest.raises(UnreadableAudio, match=f"song has more than {MAX_ENTRIES} tags") as refusal:
        probe(path, name="song")
    assert "Remove its tags" in refusal.value.hint
    with pytest.raises(UnreadableAudio):
        decode(path, tmp_path / "out.wav")
    assert not (tmp_path / "out.wav").exists()
    assert read_tags(path) == Tags()


@pytest.mark.parametrize("make", [*INSIDE.values(), stacked_mp3], ids=[*INSIDE, "stacked"])
def test_usual_numbers_of_entries_are_taken(tmp_path: Path, make: Callable[[int], bytes]) -> None:
    path = tmp_path / "song"
    path.write_bytes(make(500))
    bounds = find_bounds(path)
    assert bounds.is_readable
    assert bounds.n_before + bounds.n_inside >= 500
    assert probe(path).sample_rate in (RATE, 48_000)


def test_a_tag_of_too_many_bytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    size = 100_000_000
    head = b"ID3\3\0\0" + bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))
    with path.open("wb") as file:
        file.write(head + b"TIT2\0\0\0\5\0\0\0Song")
        file.seek(10 + size)
        file.write(silent_mp3(0)[10:])
    assert find_bounds(path).n_before == 2
    assert not find_bounds(path).is_readable
    assert read_tags(path) == Tags()
    assert probe(path).n_samples == 20 * 1152


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"ID3",
        b"ID3\3\0\0\x7f\x7f\x7f\x7f",
        b"ID3\2\0\0\0\0\0\x02TX",
        b"RIFF\xff\xff\xff\xffWAVE" + b"LIST\x08\0\0\0INFO" * 5000,
        b"\0\0\0\x10ftypM4A \0\0\0\0" + b"\0\1\0\0udta" * 5000,
        b"\0\0\0\x10ftypM4A \0\0\0\0" + b"\0\0\0\1moov" + b"\xff" * 8,
        b"fLaC" + b"\4\0\0\1\0" * 20,
        b"OggS" + b"\0" * 22 + b"\xff" + b"\xff" * 255,
        b"APETAGEX",
    ],
)
def test_damaged_tags_are_counted_without_an_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "damaged"
    path.write_bytes(data)
    find_bounds(path)
    find_start(path)
    assert read_tags(path) == Tags()


def test_tags_of_an_mp4_file_are_counted_where_mutagen_writes_them(tmp_path: Path) -> None:
    path = tmp_path / "song.m4a"
    path.write_bytes(m4a(0))
    before = find_bounds(path).n_inside
    tags = mp4.MP4(path)
    tags["----:com.apple.iTunes:MOOD"] = [b"calm"]
    tags["\xa9nam"] = ["Song"]
    tags.save()
    assert find_bounds(path).n_inside > before
    assert read_tags(path).title == "Song"


def test_tags_after_each_other_are_both_skipped(tmp_path: Path, song: Path) -> None:
    path = tmp_path / "stacked.mp3"
    path.write_bytes(id3(10) + id3(3) + song.read_bytes())
    assert find_start(path) == len(id3(10) + id3(3))
    assert find_bounds(path).n_before == 15
    assert probe(path) == probe(song)
