"""Formats numbers and names for people. Unknown values are a dash."""

import html
import re
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stemcrate.schemas.manifest import Artefact

UNKNOWN = "—"
_MARKDOWN = re.compile(r"([!-/:-@\[-`{-~])")
_STAGE_TITLES = {
    "harmonic_percussive": "Harmonic / percussive",
    "composite": "Composites",
    "key": "Key",
    "tempo": "Tempo & beats",
    "energy": "Energy & loudness",
    "waveform": "Waveforms",
}


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
    """Convert the name of a stem, recipe or stage to a label.

    >>> title_of("main_harmonic")
    'Main harmonic'
    """
    return _STAGE_TITLES.get(name) or name.replace("_", " ").capitalize()


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


def time_left(seconds: float | None) -> str:
    """Format the remaining time of a job; empty if unknown."""
    if seconds is None:
        return ""
    if seconds < 90:
        return f"about {max(1, round(seconds))} s left"
    return f"about {round(seconds / 60)} min left"


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
    return f"{at.day} {at:%b %Y, %H:%M}"


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    """Return the seconds between two times."""
    return (end - start).total_seconds() if start and end else None


def format_facts(artefact: Artefact) -> str:
    """Describe a delivered file: format, bit depth, sample rate."""
    facts = [artefact.format.upper()]
    if depth := artefact.bit_depth:
        facts.append("32-bit float" if depth == "32f" else f"{depth}-bit")
    if rate := artefact.sample_rate:
        facts.append(f"{rate / 1000:g} kHz")
    return " · ".join(facts)


def failed_tracks(n_failed: int, n_tracks: int) -> str:
    """Return how many of a job's tracks failed; empty if none did, or if there is only one.

    >>> failed_tracks(2, 3)
    '2 of 3 tracks failed'
    """
    return f"{n_failed} of {n_tracks} tracks failed" if n_failed and n_tracks > 1 else ""


def weight_facts(artefact: Artefact) -> str:
    """Describe a delivered file's size and the gain from normalization."""
    gain_db = artefact.gain_db
    if not gain_db:
        return size(artefact.bytes)
    sign = "+" if gain_db > 0 else ""
    return f"{size(artefact.bytes)} · {sign}{number(gain_db)} dB"
