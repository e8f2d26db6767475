"""The pictures: well-formed whatever they are given, and true to the numbers."""

import math
import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from stemcrate.schemas.waveforms import Peaks
from ui.colours import camelot_colour
from ui.waveform_svg import MIDDLE, REACH, bar_grid, common_scale, draw_waveform
from ui.wheel_svg import draw_wheel

SVG = "{http://www.w3.org/2000/svg}"


def peaks_of(*values: float) -> Peaks:
    return Peaks(
        peaks_min=[-v for v in values], peaks_max=list(values), rms=[v / 2 for v in values]
    )


def heights(svg: str, which: int) -> list[Any]:
    """The y of each point of the outer (2) or inner (3) shape."""
    path = ET.fromstring(svg).findall(f"{SVG}path")[which].attrib["d"]
    return [int(y) for y in re.findall(r"L\d+ (\d+)", path)]


def test_a_waveform_is_as_high_as_its_peaks() -> None:
    svg = draw_waveform(peaks_of(0.0, 0.5, 1.0), label="Drums", colour="#4dabf7")
    top, bottom = heights(svg, 2)[:3], heights(svg, 2)[3:]
    assert top == [MIDDLE, MIDDLE - REACH // 2, MIDDLE - REACH]
    assert bottom == [2 * MIDDLE - y for y in reversed(top)]
    assert heights(svg, 3)[:3] == [MIDDLE, MIDDLE - REACH // 4, MIDDLE - REACH // 2]


def test_stems_of_a_track_keep_their_levels_against_one_another() -> None:
    outputs = {"loud": peaks_of(0.2), "soft": peaks_of(0.1)}
    scale = common_scale(outputs)
    tops = [
        heights(draw_waveform(p, label=n, colour="red", scale=scale), 2)[0]
        for n, p in outputs.items()
    ]
    assert tops == [MIDDLE - REACH, MIDDLE - REACH // 2]


def test_samples_beyond_full_scale_stay_inside_the_picture() -> None:
    svg = draw_waveform(peaks_of(3.0), label="x", colour="red")
    assert min(heights(svg, 2)) == MIDDLE - REACH


@pytest.mark.parametrize("values", [(), (0.0, 0.0)])
def test_silence_is_a_flat_line(values: tuple[float, ...]) -> None:
    peaks = peaks_of(*values)
    svg = draw_waveform(peaks, label="x", colour="red", scale=common_scale({"x": peaks}))
    assert set(heights(svg, 2)) <= {MIDDLE}


def test_a_label_cannot_leave_its_attribute() -> None:
    svg = draw_waveform(peaks_of(1.0), label='"><script>x</script>', colour="red")
    assert ET.fromstring(svg).get("aria-label") == '"><script>x</script>'
    assert "<script" not in svg


def test_the_grid_thins_out_by_powers_of_two() -> None:
    assert bar_grid([0, 5, 10, 20], 10) == [0, 0.5, 1]
    assert bar_grid([1, 2], None) == []
    many = bar_grid(range(100), 100)
    assert many == [bar / 100 for bar in range(0, 100, 8)]


def places(svg: str) -> dict[Any, Any]:
    """Each mark's number and position."""
    root = ET.fromstring(svg)
    circles = [(float(c.attrib["cx"]), float(c.attrib["cy"])) for c in root.findall(f"{SVG}circle")]
    numbers = [t.text for t in root.findall(f"{SVG}text") if t.get("class") == "sc-wheel-place"]
    return dict(zip(numbers, circles, strict=True))


def test_the_path_on_the_wheel_goes_round_like_a_clock() -> None:
    marks = places(draw_wheel(["12B", "3B", "6A"], [0.7, 0.1]))
    assert marks["1"][0] == pytest.approx(0, abs=0.1)
    assert marks["1"][1] < 0
    assert marks["2"][0] > 0
    assert marks["2"][1] == pytest.approx(0, abs=0.1)
    assert marks["3"][1] > 0
    assert math.hypot(*marks["3"]) < math.hypot(*marks["1"])


def test_tracks_of_one_key_do_not_hide_one_another() -> None:
    marks = places(draw_wheel(["8A"] * 4, [1.0] * 3))
    assert len({(round(x), round(y)) for x, y in marks.values()}) == 4


def test_a_track_without_a_key_is_left_out_and_named_unknown() -> None:
    svg = draw_wheel(["8A", None, "9A"], [0.5, 0.5])
    assert list(places(svg)) == ["1", "3"]
    assert "8A, unknown, 9A" in ET.fromstring(svg).get("aria-label")


def test_no_codes_at_all_give_a_wheel() -> None:
    ET.fromstring(draw_wheel([], []))
    assert camelot_colour(None) == camelot_colour("?")
