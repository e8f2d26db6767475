"""Waveforms as inline SVG: pale peaks and solid RMS in the stem's colour.

Conventions: one unit of the view box is one bin across and a hundredth of the scale up; the
picture stretches to whatever width it is given. Grid lines and the zero line take the text's
colour, so the picture follows the theme.
"""

from collections.abc import Iterable, Mapping, Sequence

from stemcrate.schemas.waveforms import Peaks
from ui.text import escape_html

MIDDLE = 100
REACH = 96
MAX_GRID_LINES = 24


def draw_waveform(
    peaks: Peaks, *, label: str, colour: str, scale: float = 1.0, grid: Sequence[float] = ()
) -> str:
    """Draw one output.

    Parameters
    ----------
    peaks : linear full scale; lists of equal length; empty lists give a flat line.
    label : accessible name of the picture; any text.
    colour : CSS colour.
    scale : amplitude at full height, from `common_scale`.
    grid : positions of vertical lines, 0 (start) to 1 (end).
    """
    n_bins = max(len(peaks.rms), 1)
    lines = "".join(f"M{n_bins * place:.1f} 0V{2 * MIDDLE}" for place in grid)
    rms = peaks.rms
    outer = _outline(peaks.peaks_max, peaks.peaks_min, scale)
    inner = _outline(rms, [-value for value in rms], scale)
    name = escape_html(label)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sc-wave" role="img" aria-label="{name}" '
        f'viewBox="0 0 {n_bins} {2 * MIDDLE}" preserveAspectRatio="none">'
        f'<path class="sc-grid" d="{lines}"/>'
        f'<path class="sc-zero" d="M0 {MIDDLE}H{n_bins}" stroke="{colour}"/>'
        f'<path d="{outer}" fill="{colour}" fill-opacity="0.55"/>'
        f'<path d="{inner}" fill="{colour}"/></svg>'
    )


def common_scale(outputs: Mapping[str, Peaks]) -> float:
    """Return the amplitude at full height, common to all outputs of a track.

    Stems keep their relative levels, and a quiet track is still visible. 1 for silence.
    """
    highest = max(
        (
            abs(value)
            for peaks in outputs.values()
            for values in (peaks.peaks_min, peaks.peaks_max)
            for value in values
        ),
        default=0.0,
    )
    return highest or 1.0


def bar_grid(downbeats_s: Iterable[float], duration_s: float | None) -> list[float]:
    """Return positions of grid lines at downbeats, thinned to every 2nd, 4th, 8th, … if there are
    many.

    Positions run from 0 (start) to 1 (end); others are dropped.
    """
    if not duration_s:
        return []
    downbeats = list(downbeats_s)
    step = 1
    while len(downbeats) > MAX_GRID_LINES * step:
        step *= 2
    return [at / duration_s for at in downbeats[::step] if 0 <= at <= duration_s]


def _outline(upper: Sequence[float], lower: Sequence[float], scale: float) -> str:
    """Draw a closed path along ``upper`` and back along ``lower``."""
    if not upper:
        return ""
    there = "".join(f"L{x} {_y(value, scale)}" for x, value in enumerate(upper))
    last = len(lower) - 1
    back = "".join(f"L{last - i} {_y(value, scale)}" for i, value in enumerate(reversed(lower)))
    return f"M0 {MIDDLE}{there}{back}Z"


def _y(value: float, scale: float) -> int:
    return round(MIDDLE - REACH * max(-1.0, min(1.0, value / scale)))
