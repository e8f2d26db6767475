"""What the sections of a track are called, by level, bass, drums, repetition and singing.

Data flow: measures of every section (`Described`) → which are full → what the others are → what the
full ones are. A track with a chorus is read as a song: what is not its chorus is a verse or a
bridge.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from core.analysis.form.bars import BarFeatures
from stemcrate.schemas.facts import SectionLabel

_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LabelRules:
    """What sections are called.

    Parameters
    ----------
    full_percentile : percentile of the bars' levels that stands for the louder part of a track.
    full_level_db : median level of a full section, relative to that percentile, at least.
    full_low_db : the same for kick drum and bass.
    full_onsets : median onset strength of a full section, as a share of that percentile, at least.
    groove_low_db, groove_onsets : the same for a section with bass and drums, however soft.
    jump_db : by how much kick and bass rise from one section to the next when the bass returns.
    rise_db : by how much level or brightness grows within a build.
    equal_db : difference in level up to which sections are equally loud.
    drop_db : by how much a drop may be softer than the loudest section.
    louder_db : by how much a chorus is louder than other sections with bass and drums, where
        nothing is known of singing.
    sung : share of a section that is sung in a chorus or verse at least, 0 to 1.
    opening_bars : longest opening or close that is not sung, of a song that is full throughout.
    late : share of a track after which a section that comes once is a bridge.

    Songs made by rule (`bench.harmony_scores`) hold the labels; no labelled recordings were
    available.
    """

    full_percentile: int = 70
    full_level_db: float = -3.5
    full_low_db: float = -5.0
    full_onsets: float = 0.4
    groove_low_db: float = -7.0
    groove_onsets: float = 0.6
    jump_db: float = 3.0
    rise_db: float = 2.0
    equal_db: float = 1.0
    drop_db: float = 2.0
    louder_db: float = 1.0
    sung: float = 0.4
    opening_bars: int = 8
    late: float = 0.45


RULES = LabelRules()


@dataclass(frozen=True, slots=True)
class Described:
    """A section: its bars, and what they have in common.

    Parameters
    ----------
    first, last : bars, ``last`` exclusive.
    letter : shared with sections that sound alike.
    is_full : about as loud, with about as much bass and drums, as the louder part of the track.
    has_groove : it is full, or has bass and drums.
    rises : level or brightness grows from its first half to its second.
    level_db, low_db : mean level, and median level of kick and bass.
    sung : share that is sung, 0 to 1; None if unknown.
    """

    first: int
    last: int
    letter: str
    is_full: bool
    has_groove: bool
    rises: bool
    level_db: float
    low_db: float
    sung: float | None

    @property
    def is_sung(self) -> bool:
        """Whether enough of it is known to be sung."""
        return self.sung is not None and self.sung >= RULES.sung


def describe_spans(
    bars: BarFeatures,
    spans: Sequence[tuple[int, int]],
    letters: Sequence[str],
    sung_ratios: _Array | None,
) -> list[Described]:
    """Describe sections; ``sung_ratios`` is the share of each bar that is sung, if known."""
    level_db, low_db, onsets = (
        float(np.percentile(values, RULES.full_percentile))
        for values in (bars.level_db, bars.low_db, bars.onsets)
    )
    found = []
    for (first, last), letter in zip(spans, letters, strict=True):
        span = slice(first, last)
        is_full = (
            np.median(bars.level_db[span]) >= level_db + RULES.full_level_db
            and np.median(bars.low_db[span]) >= low_db + RULES.full_low_db
            and np.median(bars.onsets[span]) >= onsets * RULES.full_onsets
        )
        has_groove = (
            np.median(bars.low_db[span]) >= low_db + RULES.groove_low_db
            and np.median(bars.onsets[span]) >= onsets * RULES.groove_onsets
        )
        found.append(
            Described(
                first=first,
                last=last,
                letter=letter,
                is_full=bool(is_full),
                has_groove=bool(is_full or has_groove),
                rises=_rises(bars, first, last),
                level_db=float(bars.level_db[span].mean()),
                low_db=float(np.median(bars.low_db[span])),
                sung=None if sung_ratios is None else float(sung_ratios[span].mean()),
            )
        )
    return found


def name_sections(sections: Sequence[Described]) -> list[SectionLabel]:
    """Name sections.

    A full section is a chorus if it comes again, is among the loudest and is sung, or, where
    nothing is known of singing, is louder than other sections with bass and drums; a drop if bass
    or drums return with it. Other sections are intro before the first full one, outro after the
    last, build where they rise towards a full one; what has bass and drums is body, and the rest
    break. In a song, one with a chorus, body is a verse, and what comes once and late is a bridge.
    """
    if not any(section.is_full for section in sections):
        return [SectionLabel.BODY for _ in sections]
    labels = [_name(sections, index) for index in range(len(sections))]
    for index, (before, section) in enumerate(pairwise(sections)):
        if labels[index] is SectionLabel.DROP and before.letter == section.letter:
            labels[index + 1] = SectionLabel.DROP
    if SectionLabel.CHORUS in labels:
        return _name_song(sections, labels)
    return labels


def _name(sections: Sequence[Described], index: int) -> SectionLabel:
    section = sections[index]
    full = [number for number, other in enumerate(sections) if other.is_full]
    if section.is_full:
        return _name_full(sections, index)
    leads_on = index + 1 < len(sections) and sections[index + 1].is_full and section.rises
    inner = {other.letter for other in sections[full[0] : full[-1] + 1]}
    is_edge = index == 0 or index > full[-1]
    if section.has_groove and not leads_on and (not is_edge or section.letter in inner):
        return SectionLabel.BODY
    if index > full[-1]:
        return SectionLabel.OUTRO
    if leads_on and index > 0:
        return SectionLabel.BUILD
    is_begun = index > full[0] or any(other.has_groove for other in sections[1:index])
    return SectionLabel.BREAK if is_begun else SectionLabel.INTRO


def _name_full(sections: Sequence[Described], index: int) -> SectionLabel:
    section = sections[index]
    moving = [other for other in sections if other.has_groove]
    loudest_db = max(other.level_db for other in moving)
    is_loudest = section.level_db >= loudest_db - RULES.equal_db
    comes_again = _n_times(section.letter, moving) > 1
    if is_loudest and comes_again and section.is_sung:
        return SectionLabel.CHORUS
    before = sections[index - 1] if index else None
    if before and not before.has_groove and section.low_db - before.low_db >= RULES.jump_db:
        return (
            SectionLabel.DROP
            if section.level_db >= loudest_db - RULES.drop_db
            else SectionLabel.BODY
        )
    softest_db = min(other.level_db for other in moving)
    is_louder = softest_db < loudest_db - RULES.louder_db
    if is_loudest and comes_again and section.sung is None and is_louder:
        return SectionLabel.CHORUS
    return SectionLabel.BODY


def _n_times(letter: str, sections: Sequence[Described]) -> int:
    """Count how often a letter comes; adjoining sections with it count once."""
    ends = {other.last for other in sections if other.letter == letter}
    return sum(other.letter == letter and other.first not in ends for other in sections)


def _name_song(sections: Sequence[Described], labels: list[SectionLabel]) -> list[SectionLabel]:
    """Name verses and bridges around the choruses."""
    choruses = {s.letter for s, label in zip(sections, labels, strict=True) if label == "chorus"}
    first = labels.index(SectionLabel.CHORUS)
    n_bars = sections[-1].last
    told = [
        s for s in sections if s.has_groove or s.is_sung or s not in (sections[0], sections[-1])
    ]
    for index, (section, label) in enumerate(zip(sections, labels, strict=True)):
        if label is SectionLabel.CHORUS or label is SectionLabel.BUILD:
            continue
        if section.is_full and section.letter in choruses:
            labels[index] = SectionLabel.CHORUS
            continue
        comes_again = _n_times(section.letter, told) > 1
        is_edge = index in (0, len(sections) - 1)
        is_short = section.last - section.first <= RULES.opening_bars
        if is_edge and not section.is_sung and (is_short or not section.is_full):
            labels[index] = SectionLabel.OUTRO if index else SectionLabel.INTRO
        elif label is SectionLabel.OUTRO and not section.is_sung:
            continue
        elif index > first and not comes_again and section.first >= RULES.late * n_bars:
            is_sung = section.is_sung or (section.sung is None and section.is_full)
            labels[index] = SectionLabel.BRIDGE if is_sung else SectionLabel.BREAK
        elif section.has_groove or section.is_sung or comes_again:
            labels[index] = SectionLabel.VERSE
    return labels


def _rises(bars: BarFeatures, first: int, last: int) -> bool:
    """Check whether level or brightness rises from the first half to the second."""
    middle = (first + last) // 2
    if middle == first:
        return False
    halves = (slice(first, middle), slice(middle, last))
    level = [float(bars.level_db[half].mean()) for half in halves]
    bright = [float(bars.timbre[half][:, bars.timbre.shape[1] // 2 :].mean()) for half in halves]
    return level[1] - level[0] >= RULES.rise_db or bright[1] - bright[0] >= RULES.rise_db
