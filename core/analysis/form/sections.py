"""Labels of sections, and letters that mark repeated sections."""

import itertools
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from core.analysis.form.bars import BarFeatures
from core.analysis.form.boundaries import describe

_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SectionRules:
    """What sections are called.

    Parameters
    ----------
    full_percentile : percentile of the bars' levels that stands for the louder part of a track.
    full_level_db : median level of a full section, relative to that percentile, at least.
    full_low_db : the same for kick drum and bass.
    jump_db : by how much kick and bass rise from one section to the next when the bass returns.
    rise_db : by how much level or brightness grows within a build.
    equal_db : difference in level up to which sections are equally loud.
    sung : share of a section that is sung in a chorus at least, 0 to 1.
    alike : distance below which sections share a letter, see
        `core.analysis.form.boundaries.describe`.

    The labels were checked on synthesised tracks (tests/unit/analysis/form); no truth for real
    music was available, so no benchmark is recorded.
    """

    full_percentile: int = 70
    full_level_db: float = -3.5
    full_low_db: float = -5.0
    jump_db: float = 3.0
    rise_db: float = 2.0
    equal_db: float = 1.0
    sung: float = 0.4
    alike: float = 0.25


RULES = SectionRules()


class SectionLabel(StrEnum):
    """Function of a section in a track."""

    INTRO = "intro"
    BODY = "body"
    BUILD = "build"
    DROP = "drop"
    CHORUS = "chorus"
    BREAK = "break"
    OUTRO = "outro"


@dataclass(frozen=True, slots=True)
class LabelledSpan:
    """Bars ``first`` to ``last``, exclusive; spans that sound alike share a ``letter``."""

    first: int
    last: int
    label: SectionLabel
    letter: str


def label_sections(
    bars: BarFeatures, boundaries: list[int], sung_ratios: _Array | None
) -> list[LabelledSpan]:
    """Name the spans between boundaries.

    A span is *full* when it is about as loud and has about as much bass as the louder part of the
    track. Other spans are intro before the first full span, outro after the last, build when level
    or brightness rises towards a full span, else break. A full span is a chorus when it is among
    the loudest, is repeated and is sung (if known), a drop when the bass returns with it, else
    body.

    Parameters
    ----------
    boundaries : from `find_boundaries`.
    sung_ratios : ``(n_bars,)``, share of each bar that is sung; None if unknown.
    """
    edges = [0, *boundaries, len(bars)]
    spans = list(itertools.pairwise(edges))
    full = _find_full(bars, spans)
    letters = _letter(bars, spans)
    labels: list[SectionLabel] = []
    for index in range(len(spans)):
        labels.append(_label(bars, spans, full, letters, sung_ratios, index))
    return [
        LabelledSpan(first, last, label, letter)
        for (first, last), label, letter in zip(spans, labels, letters, strict=True)
    ]


def _find_full(bars: BarFeatures, spans: list[tuple[int, int]]) -> list[bool]:
    level_db = np.percentile(bars.level_db, RULES.full_percentile) + RULES.full_level_db
    low_db = np.percentile(bars.low_db, RULES.full_percentile) + RULES.full_low_db
    return [
        bool(np.median(bars.level_db[first:last]) >= level_db)
        and bool(np.median(bars.low_db[first:last]) >= low_db)
        for first, last in spans
    ]


def _label(
    bars: BarFeatures,
    spans: list[tuple[int, int]],
    full: list[bool],
    letters: list[str],
    sung_ratios: _Array | None,
    index: int,
) -> SectionLabel:
    if True not in full:
        return SectionLabel.BODY
    if index < full.index(True):
        is_last_before = index == full.index(True) - 1 and index > 0
        rises = is_last_before and _rises(bars, *spans[index])
        return SectionLabel.BUILD if rises else SectionLabel.INTRO
    if index > len(full) - 1 - full[::-1].index(True):
        return SectionLabel.OUTRO
    if not full[index]:
        leads_on = full[index + 1] and _rises(bars, *spans[index])
        return SectionLabel.BUILD if leads_on else SectionLabel.BREAK
    return _label_full(bars, spans, full, letters, sung_ratios, index)


def _label_full(
    bars: BarFeatures,
    spans: list[tuple[int, int]],
    full: list[bool],
    letters: list[str],
    sung_ratios: _Array | None,
    index: int,
) -> SectionLabel:
    first, last = spans[index]
    comes_again = letters.count(letters[index]) > 1
    levels = [_level(bars, span) for span, is_full in zip(spans, full, strict=True) if is_full]
    is_loudest = comes_again and _level(bars, spans[index]) >= max(levels) - RULES.equal_db
    if is_loudest and sung_ratios is not None and sung_ratios[first:last].mean() >= RULES.sung:
        return SectionLabel.CHORUS
    if index > 0 and not full[index - 1] and _bass_returns(bars, spans[index - 1], spans[index]):
        return SectionLabel.DROP
    if is_loudest and sung_ratios is None and min(levels) < max(levels) - RULES.equal_db:
        return SectionLabel.CHORUS
    return SectionLabel.BODY


def _level(bars: BarFeatures, span: tuple[int, int]) -> float:
    return float(bars.level_db[slice(*span)].mean())


def _rises(bars: BarFeatures, first: int, last: int) -> bool:
    """Check whether level or brightness rises from the first half to the second."""
    middle = (first + last) // 2
    if middle == first:
        return False
    halves = (slice(first, middle), slice(middle, last))
    level = [float(bars.level_db[half].mean()) for half in halves]
    bright = [float(bars.timbre[half][:, bars.timbre.shape[1] // 2 :].mean()) for half in halves]
    return level[1] - level[0] >= RULES.rise_db or bright[1] - bright[0] >= RULES.rise_db


def _bass_returns(bars: BarFeatures, before: tuple[int, int], span: tuple[int, int]) -> bool:
    means = [float(np.median(bars.low_db[first:last])) for first, last in (before, span)]
    return means[1] - means[0] >= RULES.jump_db


def _letter(bars: BarFeatures, spans: list[tuple[int, int]]) -> list[str]:
    """Assign spans that sound alike the same letter, in order of first appearance."""
    features = describe(bars)
    means: list[_Array] = []
    letters: list[str] = []
    for first, last in spans:
        mean = features[first:last].mean(axis=0)
        distances = [float(np.linalg.norm(mean - other)) for other in means]
        if distances and min(distances) < RULES.alike:
            letters.append(_name(int(np.argmin(distances))))
        else:
            letters.append(_name(len(means)))
            means.append(mean)
    return letters


def _name(index: int) -> str:
    """A … Z, then A2 … ."""
    letter = chr(ord("A") + index % 26)
    return letter if index < 26 else f"{letter}{index // 26 + 1}"
