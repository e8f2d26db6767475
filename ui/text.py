"""Formats numbers and names for people. Unknown values are a dash."""

import html
import re
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stemcrate.schemas.manifest import Artefact, JobState
from ui.language import counted, mark, t

UNKNOWN = "—"
_MARKDOWN = re.compile(r"([!-/:-@\[-`{-~])")
STEMS = {
    "vocals": mark("Vocals"),
    "drums": mark("Drums"),
    "bass": mark("Bass"),
    "guitar": mark("Guitar"),
    "piano": mark("Piano"),
    "other": mark("Other"),
    "accompaniment": mark("Accompaniment"),
    "rest": mark("Rest"),
    "residual": mark("Residual"),
    "original": mark("Original"),
    "harmonic": mark("Harmonic"),
    "percussive": mark("Percussive"),
    "main": mark("Main"),
    "main_harmonic": mark("Main harmonic"),
    "main_percussive": mark("Main percussive"),
    "instrumental": mark("Instrumental"),
    "acapella": mark("Acapella"),
    "drumless": mark("Drumless"),
    "bassless": mark("Bassless"),
}
_STAGES = {
    "decode": mark("Decode"),
    "separation": mark("Separation"),
    "delivery": mark("Delivery"),
    "normalization": mark("Normalization"),
    "harmonic_percussive": mark("Harmonic / percussive"),
    "composite": mark("Composites"),
    "key": mark("Key"),
    "tempo": mark("Tempo & beats"),
    "energy": mark("Energy & loudness"),
    "structure": mark("Structure"),
    "chords": mark("Chords"),
    "descriptors": mark("Descriptors"),
    "waveform": mark("Waveforms"),
    "playlist": mark("Playlist"),
}
SECTIONS = {
    "intro": mark("Intro"),
    "verse": mark("Verse"),
    "body": mark("Body"),
    "build": mark("Build"),
    "drop": mark("Drop"),
    "chorus": mark("Chorus"),
    "break": mark("Break"),
    "bridge": mark("Bridge"),
    "outro": mark("Outro"),
}
_ENERGY = {
    "loudness": mark("Loudness"),
    "flux": mark("Flux"),
    "drive": mark("Drive"),
    "density": mark("Density"),
}
_TITLES = {**STEMS, **_STAGES, **SECTIONS, **_ENERGY}
_STATES = {
    JobState.QUEUED: mark("waiting"),
    JobState.RUNNING: mark("running"),
    JobState.COMPLETED: mark("completed"),
    JobState.FAILED: mark("failed"),
    JobState.CANCELLED: mark("cancelled"),
}
_MONTHS = (
    *(mark("Jan"), mark("Feb"), mark("Mar"), mark("Apr"), mark("May"), mark("Jun")),
    *(mark("Jul"), mark("Aug"), mark("Sep"), mark("Oct"), mark("Nov"), mark("Dec")),
)


def escape_markdown(text: str) -> str:
    r"""Escape text for Streamlit's Markdown.

    >>> print(escape_markdown("*a* :red[b]"))
    \*a\* \:red\[b\]
    """
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def sentence_markdown(text: str) -> str:
    """Escape a sentence of the API for Markdown, keeping text in backticks as code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape_markdown(text)
    return "".join(
        f"`{part}`" if place % 2 else _MARKDOWN.sub(r"\\\1", part)
        for place, part in enumerate(parts)
    )


def escape_html(text: str) -> str:
    """Escape text for HTML or SVG, including attributes, on one line."""
    return html.escape(" ".join(text.split()))


def title_of(name: str) -> str:
    """Convert the name of a stem, recipe, stage, section or part of the energy to a label.

    >>> title_of("main_harmonic")
    'Main harmonic'
    """
    return t(_TITLES[name]) if name in _TITLES else name.replace("_", " ").capitalize()


def state_word(state: JobState) -> str:
    """Return the state of a job or track in a word."""
    return t(_STATES[state])


def number(value: float | None, decimals: int = 1, unit: str = "") -> str:
    """Format a number with a minus sign (U+2212) and its unit."""
    if value is None:
        return UNKNOWN
    written = f"{value:.{decimals}f}"
    if float(written) == 0:
        written = written.lstrip("-")
    return f"{written.replace('-', '−')} {unit}".rstrip()


def percent(fraction: float | None) -> str:
    """Format a fraction, 0 to 1, in percent.

    >>> percent(0.779)
    '78 %'
    """
    return UNKNOWN if fraction is None else f"{100 * fraction:.0f} %"


def length(seconds: float | None) -> str:
    """Format a duration in whole elapsed seconds, as players do.

    >>> length(210.4), length(3723)
    ('3:30', '1:02:03')
    """
    if seconds is None:
        return UNKNOWN
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def size(n_bytes: int) -> str:
    """Format a size in decimal units, as file managers do.

    >>> size(5338740)
    '5.3 MB'
    """
    amount = float(n_bytes)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def moment(at: datetime | None, timezone: str | None = None) -> str:
    """Format a time in the user's time zone."""
    if at is None:
        return UNKNOWN
    try:
        at = at.astimezone(ZoneInfo(timezone or "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        at = at.astimezone(ZoneInfo("UTC"))
    return t(
        "{day} {month} {year}, {time}",
        day=at.day,
        month=t(_MONTHS[at.month - 1]),
        year=at.year,
        time=f"{at:%H:%M}",
    )


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    """Return the seconds between two times."""
    return (end - start).total_seconds() if start and end else None


def format_facts(artefact: Artefact) -> str:
    """Describe a delivered file: format, bit depth, sample rate."""
    facts = [artefact.format.upper()]
    if depth := artefact.bit_depth:
        facts.append(t("32-bit float") if depth == "32f" else t("{n}-bit", n=depth))
    if rate := artefact.sample_rate:
        facts.append(f"{rate / 1000:g} kHz")
    return " · ".join(facts)


def failed_tracks(n_failed: int, n_tracks: int) -> str:
    """Return how many of a job's tracks failed; empty if none did, or if there is only one.

    >>> failed_tracks(2, 3)
    '2 of 3 tracks failed'
    """
    if not n_failed or n_tracks <= 1:
        return ""
    return t("{n} of {all} tracks failed", n=n_failed, all=n_tracks)


def describe_kept(n_files: int) -> str:
    """Return what a cancelled job has left.

    >>> describe_kept(0), describe_kept(7)
    ('No file was delivered until then.', '7 files were delivered until then and are kept.')
    """
    if n_files == 0:
        return t("No file was delivered until then.")
    return counted(
        n_files,
        "{n} file was delivered until then and is kept.",
        "{n} files were delivered until then and are kept.",
    )


def weight_facts(artefact: Artefact) -> str:
    """Describe a delivered file's size, gain, and loudness where it was measured."""
    facts = [size(artefact.bytes)]
    if gain_db := artefact.gain_db:
        facts.append(t("gain {n} dB", n=f"{'+' if gain_db > 0 else ''}{number(gain_db)}"))
    if artefact.loudness is not None and artefact.loudness.integrated_lufs is not None:
        facts.append(number(artefact.loudness.integrated_lufs, 1, "LUFS"))
    return " · ".join(facts)
