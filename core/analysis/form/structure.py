"""Structure of a track: sections, mix windows and cue points.

Data flow: the mean spectrum of every bar (`core.analysis.form.bars`) → the bar lines at which the
track changes (`core.analysis.form.boundaries`) → labels
(`core.analysis.form.sections`) → windows and cues.

Conventions: times in seconds; sections tile the recording, and all their inner borders are
downbeats. Without bars there are no sections and no windows. Where the bars are unreliable, all
sections are ``body``, and there are no windows.

Reference: Paulus, Müller & Klapuri, "State of the art report: audio-based music structure
analysis", ISMIR 2010 (novelty and repetition).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.analysis.form.bar_lines import bar_edges, heard_downbeats
from core.analysis.form.bars import measure_bars
from core.analysis.form.boundaries import find_boundaries
from core.analysis.form.sections import LabelledSpan, label_sections
from core.analysis.spectra import Spectra
from stemcrate.schemas.facts import SectionLabel

MAX_CUES = 8
"""Number of hot cue pads of a DJ program."""
MAX_WINDOW_BARS = 32
"""Longest mix window: four phrases of 8 bars."""
DEFAULT_WINDOW_BARS = 16
"""Longest window of a track without an intro or outro: two phrases of 8 bars."""
HELD_CONFIDENCE = 0.4
"""Confidence of the grid below which its bars are unreliable: of 24 free performances on the piano
all stay below 0.32; of 58 other recordings 57 reach 0.5."""

_AUDIBLE_DB = -60.0
"""Level of the loudest band, relative to its maximum, from which a recording is audible."""
_CUE_RANK = (
    SectionLabel.DROP,
    SectionLabel.CHORUS,
    SectionLabel.BREAK,
    SectionLabel.BRIDGE,
    SectionLabel.BUILD,
    SectionLabel.VERSE,
    SectionLabel.BODY,
)


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a track.

    Parameters
    ----------
    start_s, end_s : borders.
    label : function in the track.
    letter : shared by sections that sound alike.
    n_bars : number of whole bars.
    confidence : clarity of the change at its start, 0 to 1; 1 for the first section. Multiplied by
        the confidence of the grid where the bars are unreliable.
    """

    start_s: float
    end_s: float
    label: SectionLabel
    letter: str
    n_bars: int
    confidence: float


@dataclass(frozen=True, slots=True)
class MixWindow:
    """Where a track can be mixed in or out, from downbeat to downbeat."""

    start_s: float
    end_s: float
    n_bars: int


@dataclass(frozen=True, slots=True)
class CuePoint:
    """A position to jump to; ``name`` is short enough for a pad."""

    time_s: float
    name: str


@dataclass(frozen=True, slots=True)
class Structure:
    """Structure of a track.

    Parameters
    ----------
    sections : tile the recording; () without bars.
    mix_in, mix_out : None without reliable bars.
    first_downbeat_s : first audible downbeat; None without bars.
    cues : at most `MAX_CUES`, ascending.
    audible_s : start and end of what exceeds −60 dB relative to the peak; None for silence.
    """

    sections: tuple[Section, ...] = ()
    mix_in: MixWindow | None = None
    mix_out: MixWindow | None = None
    first_downbeat_s: float | None = None
    cues: tuple[CuePoint, ...] = ()
    audible_s: tuple[float, float] | None = None


def find_structure(
    spectra: Spectra,
    downbeats_s: Sequence[float],
    *,
    grid_confidence: float = 1.0,
    vocals_s: Sequence[tuple[float, float]] | None = None,
) -> Structure:
    """Find sections, mix windows and cues.

    Parameters
    ----------
    spectra : of the mixture.
    downbeats_s : first beats of the bars, ascending.
    grid_confidence : reliability of the bars, 0 to 1 (`core.analysis.rhythm.grid.rate_hold`). Below
        `HELD_CONFIDENCE` all sections are ``body`` of low confidence, and there are no windows.
    vocals_s : sung passages; None if unknown.

    Returns
    -------
    The structure. Silence gives the empty one; fewer than two bars give no sections.
    """
    audible = _find_audible(spectra)
    if audible is None:
        return Structure()
    edges = bar_edges(heard_downbeats(downbeats_s, audible), spectra.duration_s)
    if len(edges) < 2:
        return Structure(audible_s=audible)
    bars = measure_bars(spectra, edges)
    boundaries, novelty = find_boundaries(bars)
    sung = None if vocals_s is None else _share_of_bars(edges, vocals_s)
    spans = label_sections(bars, boundaries, sung)
    sections = _to_sections(spans, edges, novelty, spectra.duration_s)
    if grid_confidence < HELD_CONFIDENCE:
        return Structure(
            sections=_doubt(sections, grid_confidence),
            first_downbeat_s=float(edges[0]),
            audible_s=audible,
        )
    mix_in, mix_out = _find_windows(spans, edges)
    return Structure(
        sections=sections,
        mix_in=mix_in,
        mix_out=mix_out,
        first_downbeat_s=float(edges[0]),
        cues=_find_cues(sections, float(edges[0]), mix_out),
        audible_s=audible,
    )


def _find_audible(spectra: Spectra) -> tuple[float, float] | None:
    if spectra.is_silent:
        return None
    loudest = spectra.mel.max(axis=1)
    heard = np.flatnonzero(loudest > loudest.max() * 10 ** (_AUDIBLE_DB / 20))
    times = spectra.mel_times_s
    return float(times[heard[0]]), float(min(times[heard[-1]], spectra.duration_s))


def _share_of_bars(
    edges: NDArray[np.float64], intervals_s: Sequence[tuple[float, float]]
) -> NDArray[np.float64]:
    """Return the share of each bar that lies inside the intervals."""
    shares = np.zeros(len(edges) - 1)
    for start, end in intervals_s:
        overlap = np.minimum(end, edges[1:]) - np.maximum(start, edges[:-1])
        shares += np.maximum(0, overlap) / np.diff(edges)
    return np.minimum(shares, 1.0)


def _to_sections(
    spans: list[LabelledSpan],
    edges: NDArray[np.float64],
    novelty: NDArray[np.float64],
    duration_s: float,
) -> tuple[Section, ...]:
    """Convert spans to times; the first section starts, and the last ends, with the recording."""
    sections = []
    for index, span in enumerate(spans):
        is_last = index == len(spans) - 1
        sections.append(
            Section(
                start_s=float(edges[span.first]) if index else 0.0,
                end_s=duration_s if is_last else float(edges[span.last]),
                label=span.label,
                letter=span.letter,
                n_bars=span.last - span.first,
                confidence=float(min(1.0, 2 * novelty[span.first])) if index else 1.0,
            )
        )
    return tuple(sections)


def _doubt(sections: tuple[Section, ...], grid_confidence: float) -> tuple[Section, ...]:
    """Reduce sections between unreliable bar lines to ``body`` of low confidence."""
    return tuple(
        replace(section, label=SectionLabel.BODY, confidence=grid_confidence * section.confidence)
        for section in sections
    )


def _find_windows(
    spans: list[LabelledSpan], edges: NDArray[np.float64]
) -> tuple[MixWindow, MixWindow]:
    """Mix in over the intro, out over the outro; otherwise over a quarter of the track.

    A quarter is cut where the other window overlaps it; only a single bar can be in both.
    """
    n_bars = len(edges) - 1
    usual = int(np.clip(n_bars // 4, 1, DEFAULT_WINDOW_BARS))
    intro = [span.last for span in spans if span.label is SectionLabel.INTRO]
    outro = [span.first for span in spans if span.label is SectionLabel.OUTRO]
    last_in = min(max(intro), MAX_WINDOW_BARS) if intro else usual
    first_out = min(outro) if outro else min(max(n_bars - usual, last_in), n_bars - 1)
    last_in = max(1, min(last_in, first_out))
    last_out = min(n_bars, first_out + MAX_WINDOW_BARS)
    return (
        MixWindow(float(edges[0]), float(edges[last_in]), last_in),
        MixWindow(float(edges[first_out]), float(edges[last_out]), last_out - first_out),
    )


def _find_cues(
    sections: tuple[Section, ...], first_downbeat_s: float, mix_out: MixWindow
) -> tuple[CuePoint, ...]:
    """Place cues on the first downbeat, the mix-out and the starts of sections, drops first."""
    fixed = [CuePoint(first_downbeat_s, "Start")]
    if mix_out.start_s > first_downbeat_s:  # where one bar is all there is, it is where it starts
        fixed.append(CuePoint(mix_out.start_s, "Mix out"))
    taken = {cue.time_s for cue in fixed}
    starts = [s for s in sections[1:] if s.label in _CUE_RANK and s.start_s not in taken]
    starts.sort(key=lambda section: (_CUE_RANK.index(section.label), section.start_s))
    named = [CuePoint(s.start_s, s.label.capitalize()) for s in starts[: MAX_CUES - len(fixed)]]
    return tuple(sorted([*fixed, *named], key=lambda cue: cue.time_s))
