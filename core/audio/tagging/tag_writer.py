"""Writing tags into delivered files for DJ software: title, tempo, key and more.

mutagen is GPL-2.0-or-later; it is imported only here and in `core.audio.tagging.serato_tags`. The
decision is recorded in docs/decisions and in NOTICE.
"""

import base64
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import mutagen  # noqa: TID251
from mutagen import aiff, flac, id3, mp3, mp4, oggopus, oggvorbis, wave  # noqa: TID251

from core.audio.tagging.tags import Tags, clean_text
from core.errors import InvalidAudio, UnsupportedFormat

_ID3_UTF16 = id3.Encoding.UTF16
_FRONT_COVER = 3
_ITUNES = "----:com.apple.iTunes:"


def write_tags(
    path: Path,
    tags: Tags,
    *,
    format: str,
    comment: str | None = None,
    extra: Mapping[str, str] | None = None,
) -> None:
    """Write tags into a finished file; the audio is unchanged, tags of the same name are replaced.

    MP3, WAV and AIFF get ID3v2.3 in UTF-16, which rekordbox, Serato and Traktor all read (not
    all read v2.4); FLAC, Ogg and Opus get Vorbis comments; M4A gets iTunes atoms. Tempo is
    decimal text where the format allows; MP4's ``tmpo`` is an integer and gets ``BPM`` beside it.

    Parameters
    ----------
    path : a finished file; its suffix is ignored.
    format : one of ``wav flac mp3 m4a alac opus aiff ogg``.
    comment : replaces ``tags.comment``.
    extra : further text fields; ``{"STEM": "vocals"}`` becomes a TXXX frame, a Vorbis comment or an
        iTunes free-form atom. Keys are ASCII.

    Raises
    ------
    UnsupportedFormat : another format, or a WAV above 4 GiB (RF64 has no standard place for tags).
    InvalidAudio : the file is not of that format.
    """
    writers = {
        "wav": _write_wav,
        "mp3": _write_mp3,
        "flac": _write_flac,
        "opus": _write_opus,
        "aiff": _write_aiff,
        "ogg": _write_ogg,
        "m4a": _write_mp4,
        "alac": _write_mp4,
    }
    if format not in writers:
        raise UnsupportedFormat(f"Tags cannot be written to '{format}' files.", field="format")
    texts = _texts(tags, comment)
    further = {key: text for key, value in (extra or {}).items() if (text := clean_text(value))}
    try:
        writers[format](path, tags, texts, further)
    except mutagen.MutagenError as error:
        raise InvalidAudio(f"{path.name} is not a valid {format} file.") from error


def _texts(tags: Tags, comment: str | None) -> dict[str, str]:
    """Return the text fields that are set, by their name in `Tags`, and the tempo as text."""
    names = [field.name for field in fields(tags) if field.name not in ("bpm", "cover")]
    texts = {name: clean_text(getattr(tags, name), limit=4000) for name in names}
    if comment is not None:
        texts["comment"] = clean_text(comment, limit=4000)
    if tags.bpm is not None:
        texts["bpm"] = f"{tags.bpm:.2f}".rstrip("0").rstrip(".")
    return {name: text for name, text in texts.items() if text}


_ID3_FRAMES: dict[str, Any] = {
    "title": id3.TIT2,
    "artist": id3.TPE1,
    "album": id3.TALB,
    "album_artist": id3.TPE2,
    "composer": id3.TCOM,
    "genre": id3.TCON,
    "year": id3.TDRC,
    "track_number": id3.TRCK,
    "isrc": id3.TSRC,
    "bpm": id3.TBPM,
    "key": id3.TKEY,
}


def _fill_id3(frames: Any, tags: Tags, texts: dict[str, str], extra: dict[str, str]) -> None:
    for name, frame in _ID3_FRAMES.items():
        if name in texts:
            # ID3v2.3 limits TKEY to three characters; some readers cut longer keys.
            frames.setall(frame.__name__, [frame(encoding=_ID3_UTF16, text=[texts[name]])])
    if "comment" in texts:
        comment = id3.COMM(encoding=_ID3_UTF16, lang="eng", desc="", text=[texts["comment"]])
        frames.setall("COMM", [comment])
    for key, value in extra.items():
        frames.add(id3.TXXX(encoding=_ID3_UTF16, desc=key, text=[value]))
    if tags.cover is not None:
        # Latin-1: many v2.3 readers expect an empty description of one byte.
        cover = id3.APIC(
            encoding=id3.Encoding.LATIN1,
            mime=tags.cover.mime,
            type=_FRONT_COVER,
            desc="",
            data=tags.cover.data,
        )
        frames.setall("APIC", [cover])
    frames.update_to_v23()


def _write_mp3(path: Path, tags: Tags, texts: dict[str, str], extra: dict[str, str]) -> None:
    file = mp3.MP3(path)
    if file.tags is None:
        file.add_tags()
    _fill_id3(file.tags, tags, texts, extra)
    file.save(v2_version=3, v1=0)


def _write_wav(path: Path, tags: Tags, texts: dict[str, str], extra: dict[str, str]) -> None:
    with path.open("rb") as head:
        if head.read(4) == b"RF64":
            raise UnsupportedFormat(
                f"{path.name} exceeds 4 GiB and cannot be tagged.", field="format"
            )
    file = wave.WAVE(path)
    if file.tags is None:
        file.add_tags()
    _fill_id3(file.tags, tags, texts, extra)
    file.save(v2_version=3)


def _write_aiff(path: Path, tags: Tags, texts: dict[str, str], extra: dict[str, str]) -> None:
    file = aiff.AIFF(path)
    if file.tags is None:
        file.add_tags()
    _fill_id3(file.tags, tags, texts, extra)
    file.save(v2_version=3)


_VORBIS_NAMES = {
    "title": "TITLE",
    "artist": "ARTIST",
    "album": "ALBUM",
    "album_artist": "ALBUMARTIST",
    "composer": "COMPOSER",
    "genre": "GENRE",
    "year": "DATE",
    "track_number": "TRACKNUMBER",
    "comment": "COMMENT",
    "isrc": "ISRC",
    "bpm": "BPM",
    "key": "INITIALKEY",
}


def _fill_vorbis(file: Any, texts: dict[str, str], extra: dict[str, str]) -> None:
    if file.tags is None:
        file.add_tags()
    for name, text in texts.items():
        file.tags[_VORBIS_NAMES[name]] = [text]
    for key, value in extra.items():
        file.tags[key.upper()] = [value]


def _picture(tags: Tags) -> Any:
    if tags.cover is None:
        return None
    picture = flac.Picture()
    picture.type = _FRONT_COVER
    picture.mime = tags.cover.mime
    picture.data = tags.cover.data
    return picture


def _write_flac(path: Path, tags: Tags, texts: dict[str, str], extra: dict[str, str]) -> None:
    file = flac.FLAC(path)
    _fill_vorbis(file, texts, extra)
    picture = _picture(tags)
    if picture is not None:
        file.clear_pictures()
        file.add_picture(picture)
    file.save()


def _write_opus(path: Path, tags: Tags, texts: dict[str, str], extra: dict[str, str]) -> None:
    _write_ogg_comments(oggopus.OggOpus(path), tags, texts, extra)


def _write_ogg(path: Path, tags: Tags, texts: dict[str, str], extra: dict[str, str]) -> None:
    _write_ogg_comments(oggvorbis.OggVorbis(path), tags, texts, extra)


def _write_ogg_comments(
    file: Any, tags: Tags, texts: dict[str, str], extra: dict[str, str]
) -> None:
    _fill_vorbis(file, texts, extra)
    picture = _picture(tags)
    if picture is not None:
        file.tags["METADATA_BLOCK_PICTURE"] = [base64.b64encode(picture.write()).decode("ascii")]
    file.save()


_MP4_NAMES = {
    "title": "\xa9nam",
    "artist": "\xa9ART",
    "album": "\xa9alb",
    "album_artist": "aART",
    "composer": "\xa9wrt",
    "genre": "\xa9gen",
    "year": "\xa9day",
    "comment": "\xa9cmt",
}
_MP4_FREE_NAMES = {"isrc": "ISRC", "bpm": "BPM", "key": "initialkey"}


def _write_mp4(path: Path, tags: Tags, texts: dict[str, str], extra: dict[str, str]) -> None:
    file = mp4.MP4(path)
    if file.tags is None:
        file.add_tags()
    atoms = file.tags
    for name, atom in _MP4_NAMES.items():
        if name in texts:
            atoms[atom] = [texts[name]]
    free = {_MP4_FREE_NAMES[name]: texts[name] for name in _MP4_FREE_NAMES if name in texts}
    for key, value in {**free, **extra}.items():
        atoms[f"{_ITUNES}{key}"] = [mp4.MP4FreeForm(value.encode("utf-8"))]
    if tags.bpm is not None:
        atoms["tmpo"] = [round(tags.bpm)]
    if tags.track_number is not None:
        atoms["trkn"] = [(min(tags.track_number, 0xFFFF), 0)]
    if tags.cover is not None:
        kind = (
            mp4.MP4Cover.FORMAT_PNG if tags.cover.mime == "image/png" else mp4.MP4Cover.FORMAT_JPEG
        )
        atoms["covr"] = [mp4.MP4Cover(tags.cover.data, imageformat=kind)]
    file.save()
