"""Sections between boundaries, with their labels, and letters that mark repeated ones."""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.analysis.form.bars import BarFeatures
from core.analysis.form.boundaries import describe
from core.analysis.form.labels import describe_spans, name_sections
from stemcrate.schemas.facts import SectionLabel

_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LetterRules:
    """Which sections share a letter.

    Parameters
    ----------
    alike : distance of their means below which they do, see
        `core.analysis.form.boundaries.describe`.

    No benchmark recorded.
    """

    alike: float = 0.25


RULES = LetterRules()


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
    """Name the spans between boundaries; see `core.analysis.form.labels`.

    Parameters
    ----------
    boundaries : from `find_boundaries`.
    sung_ratios : ``(n_bars,)``, share of each bar that is sung; None if unknown.
    """
    spans = list(itertools.pairwise([0, *boundaries, len(bars)]))
    sections = describe_spans(bars, spans, _letter(bars, spans), sung_ratios)
    return [
        LabelledSpan(section.first, section.last, label, section.letter)
        for section, label in zip(sections, name_sections(sections), strict=True)
    ]


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
