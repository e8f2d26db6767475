"""The Camelot wheel with a playlist's path on it, as inline SVG.

Codes 1 to 12 go round like a clock's hours; A (minor) is the inner ring, B (major) the outer.
"""

import math
from collections.abc import Sequence

from ui.colours import camelot_colour
from ui.text import escape_html

MINOR = dict(
    enumerate(
        ["A♭m", "E♭m", "B♭m", "Fm", "Cm", "Gm", "Dm", "Am", "Em", "Bm", "F♯m", "D♭m"], start=1
    )
)
MAJOR = dict(enumerate(["B", "F♯", "D♭", "A♭", "E♭", "B♭", "F", "C", "G", "D", "A", "E"], start=1))
RINGS = {"A": (74.0, 116.0), "B": (118.0, 164.0)}
GOOD_SCORE = 0.7

Point = tuple[float, float]


def draw_wheel(path: Sequence[str | None], scores: Sequence[float] = ()) -> str:
    """Draw the wheel with tracks numbered in the order of ``path``; unknown keys are omitted.

    Parameters
    ----------
    path : Camelot codes in playing order; None where the key is unknown.
    scores : of the transitions, 0 to 1, one fewer than codes; they colour the line.
    """
    used = {code for code in path if code}
    sectors = "".join(
        _sector(hour, ring, is_used=f"{hour}{ring}" in used)
        for ring in RINGS
        for hour in range(1, 13)
    )
    spots = _spots(path)
    steps = "".join(
        _step(spots[i], spots[i + 1], score) for i, score in enumerate(scores) if i + 1 < len(spots)
    )
    marks = "".join(_mark(i, spot) for i, spot in enumerate(spots, start=1) if spot)
    n_good = sum(score >= GOOD_SCORE for score in scores)
    middle = (
        f'<text y="-2" class="sc-wheel-big">{n_good}/{len(scores)}</text>'
        '<text y="18" class="sc-wheel-small">smooth mixes</text>'
        if scores
        else ""
    )
    order = ", ".join(code or "unknown" for code in path)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" class="sc-wheel" viewBox="-178 -178 356 356" '
        f'role="img" aria-label="{escape_html(f"Camelot wheel; keys in playing order: {order}")}">'
        f"{sectors}{steps}{marks}{middle}</svg>"
    )


def _sector(hour: int, ring: str, *, is_used: bool) -> str:
    inner, outer = RINGS[ring]
    start, end = hour * 30 - 14.6, hour * 30 + 14.6
    (x0, y0), (x1, y1) = _at(start, outer), _at(end, outer)
    (x2, y2), (x3, y3) = _at(end, inner), _at(start, inner)
    x, y = _at(hour * 30, (inner + outer) / 2)
    note = (MINOR if ring == "A" else MAJOR)[hour]
    strength = 1 if is_used else 0.22
    return (
        f'<path d="M{x0:.1f} {y0:.1f}A{outer} {outer} 0 0 1 {x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}'
        f'A{inner} {inner} 0 0 0 {x3:.1f} {y3:.1f}Z" fill="{camelot_colour(f"{hour}{ring}")}" '
        f'fill-opacity="{strength}"/>'
        f'<text x="{x:.1f}" y="{y - 1:.1f}" class="sc-wheel-code{" sc-used" if is_used else ""}">'
        f'{hour}{ring}<tspan x="{x:.1f}" dy="11" class="sc-wheel-note">{note}</tspan></text>'
    )


def _spots(path: Sequence[str | None]) -> list[Point | None]:
    """Place each track on the edge of its sector; tracks of one key are side by side."""
    seen: dict[str, int] = {}
    spots: list[Point | None] = []
    for code in path:
        if not code or code[-1] not in RINGS or not code[:-1].isdigit():
            spots.append(None)
            continue
        n_before = seen.get(code, 0)
        seen[code] = n_before + 1
        inner, outer = RINGS[code[-1]]
        radius = inner - 7 if code[-1] == "A" else outer + 4
        offset = (n_before + 1) // 2 * (8 if n_before % 2 else -8)
        spots.append(_at(int(code[:-1]) * 30 + offset, radius))
    return spots


def _step(start: Point | None, end: Point | None, score: float) -> str:
    if start is None or end is None:
        return ""
    kind = "sc-good" if score >= GOOD_SCORE else "sc-rough"
    return f'<path d="M{start[0]:.1f} {start[1]:.1f}L{end[0]:.1f} {end[1]:.1f}" class="{kind}"/>'


def _mark(place: int, spot: Point) -> str:
    x, y = spot
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="8" class="sc-wheel-dot"/>'
        f'<text x="{x:.1f}" y="{y + 3:.1f}" class="sc-wheel-place">{place}</text>'
    )


def _at(degrees: float, radius: float) -> Point:
    """Return a point on a circle; 0° is up, clockwise."""
    angle = math.radians(degrees)
    return radius * math.sin(angle), -radius * math.cos(angle)
