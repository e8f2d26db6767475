"""Headers and paths that carry names from outside."""

from typing import Any

import pytest

from api.files import media_type_of
from api.links import artefact_path, content_disposition, etag_matches, zip_name
from core.system.clock import now
from stemcrate.schemas.manifest import ProcessingManifest, SourceRecord, TrackRecord


def test_paths_of_artefacts_are_quoted_and_keep_their_slashes() -> None:
    assert (
        artefact_path("id", "A & B/50% #1?.wav") == "/download/id/A%20%26%20B/50%25%20%231%3F.wav"
    )


def test_a_header_can_be_neither_split_nor_closed_by_a_name() -> None:
    header = content_disposition("inline", 'a"\r\nSet-Cookie: x;.wav')
    assert "\r" not in header
    assert "\n" not in header
    assert header.count('"') == 2


def test_unicode_names_have_a_utf8_and_an_ascii_form() -> None:
    header = content_disposition("attachment", "Ärzte – 夜.zip")
    assert 'filename="Arzte .zip"' in header
    assert "filename*=UTF-8''%C3%84rzte%20%E2%80%93%20%E5%A4%9C.zip" in header


@pytest.mark.parametrize(
    ("header", "matches"),
    [
        (None, False),
        ("*", True),
        ('"a"', True),
        ('W/"a"', True),
        ('"b", "a"', True),
        ('"b"', False),
        ("a", False),
    ],
)
def test_if_none_match(header: str | None, matches: bool) -> None:
    assert etag_matches(header, '"a"') is matches


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.wav", "audio/wav"),
        ("a.FLAC", "audio/flac"),
        ("a.m4a", "audio/mp4"),
        ("a.opus", "audio/ogg"),
        ("a.m3u8", "application/vnd.apple.mpegurl"),
        ("a.html", "application/octet-stream"),
        ("a.svg", "application/octet-stream"),
    ],
)
def test_media_types_come_from_our_list(name: str, media_type: str) -> None:
    assert media_type_of(name) == media_type


def manifest_of(*names: Any, **options: Any) -> ProcessingManifest:
    tracks = [
        TrackRecord(index=i, source=SourceRecord(name=name, sha256="0", bytes=1))
        for i, name in enumerate(names)
    ]
    return ProcessingManifest(job_id="id", created_at=now(), tracks=tracks, options=options)


def test_a_zip_is_named_after_its_track_or_its_playlist() -> None:
    assert zip_name(manifest_of("Song.wav")) == "Song.zip"
    assert zip_name(manifest_of("a.wav", "b.wav", playlist_name="Fri/day")) == "Fri_day.zip"
