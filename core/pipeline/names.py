"""Names and tags of a track's folder and files, with the corrections by hand."""

from dataclasses import replace

from core.audio.tagging.tags import Tags
from core.export.names import render_template, safe_name, unique_name
from core.library.corrections.apply import correct_tags
from core.pipeline.context import StageContext


def name_folder(context: StageContext) -> str:
    """Return the name of a track's folder: its number in the job, artist and title."""
    facts = context.corrected_facts
    full_name = " - ".join(filter(None, (facts.artist, facts.title)))
    return f"{context.track.index + 1:02d} {safe_name(full_name or context.track.source.name)}"


class TrackNames:
    """Names and tags of one track's delivered files."""

    def __init__(self, context: StageContext) -> None:
        self._context = context
        self._facts = context.corrected_facts
        self._tags = correct_tags(context.corrections)
        self._folder = name_folder(context)
        self._taken: set[str] = set()

    def file(self, label: str, suffix: str) -> str:
        """Return a file name by the job's template, unique within the track."""
        tags = self._context.track.source.tags
        bpm = self._facts.tempo_bpm
        fields = {
            "artist": self._facts.artist,
            "title": self._facts.title,
            "stem": label,
            "bpm": None if bpm is None else f"{bpm:.0f}",
            "key": self._facts.key,
            "camelot": self._facts.camelot,
            "track_number": _text(tags.track_number),
            "album": self._tags.get("album", tags.album),
        }
        name = render_template(self._context.options.name_template, fields)
        unique = unique_name(name, self._taken)
        self._taken.add(unique.casefold())
        return f"{self._folder}/{unique}{suffix}"

    def tags(self, tags: Tags, label: str) -> Tags:
        """Return the source's tags with corrections, the output's label, BPM and key."""
        title = self._facts.title or self._context.track.source.name
        return replace(
            tags,
            **self._tags,
            title=title if label == "main" else f"{title} [{label}]",
            artist=self._facts.artist,
            bpm=self._facts.tempo_bpm or tags.bpm,
            key=self._facts.key_short or tags.key,
        )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
