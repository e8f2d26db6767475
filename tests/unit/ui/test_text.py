from datetime import UTC, datetime
from typing import Any

import pytest

from stemcrate.schemas.delivered import DeliveredLoudness
from stemcrate.schemas.manifest import Artefact
from ui import text


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(None, "—"), (0, "0:00"), (59.6, "0:59"), (210.4, "3:30"), (3600, "1:00:00")],
)
def test_lengths(seconds: float | None, written: str) -> None:
    assert text.length(seconds) == written


@pytest.mark.parametrize(
    ("value", "decimals", "unit", "written"),
    [
        (None, 1, "LUFS", "—"),
        (-14.36, 1, "LUFS", "−14.4 LUFS"),
        (-0.04, 1, "dB", "0.0 dB"),
        (123.96, 1, "", "124.0"),
    ],
)
def test_numbers_have_a_real_minus_sign_and_no_negative_zero(
    value: float | None, decimals: int, unit: str, written: str
) -> None:
    assert text.number(value, decimals, unit) == written


@pytest.mark.parametrize(
    ("n_bytes", "written"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (5_338_740, "5.3 MB"), (4.2e9, "4.2 GB")],
)
def test_sizes(n_bytes: Any, written: Any) -> None:
    assert text.size(n_bytes) == written


def test_moments_are_in_the_users_time_zone() -> None:
    at = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
    assert text.moment(at, "Europe/Berlin") == "22 Nov 2026, 00:30"
    assert text.moment(at, None) == "21 Nov 2026, 23:30"
    assert text.moment(at, "Mars/Olympus") == "21 Nov 2026, 23:30"
    assert text.moment(None) == "—"


def test_no_name_of_a_file_can_mark_up_the_page() -> None:
    name = "<script>alert('x')</script>\n\n# *b* :red[c] $d$ `e` \\ & \"f\""
    shown = text.escape_html(name)
    assert not set("<>\"'\n") & set(shown)
    escaped = text.escape_markdown(name)
    assert "\n" not in escaped
    for character in '<>#*:[]$`&"':
        assert escaped.count(character) == escaped.count(f"\\{character}")


def test_code_in_a_sentence_of_the_api_is_shown_as_code() -> None:
    assert text.sentence_markdown("Run `a_b *` (now).") == r"Run `a_b *` \(now\)\."
    assert text.sentence_markdown("One ` alone*") == r"One \` alone\*"


def test_a_file_is_described_in_two_short_lines() -> None:
    artefact = Artefact(
        name="a",
        role="stem",
        label="vocals",
        stage="delivery",
        format="wav",
        sha256="0",
        bytes=5_338_740,
        sample_rate=44100,
        bit_depth="32f",
        gain_db=-2.14,
    )
    assert text.format_facts(artefact) == "WAV · 32-bit float · 44.1 kHz"
    assert text.weight_facts(artefact) == "5.3 MB · gain −2.1 dB"
    loudness = DeliveredLoudness(
        integrated_lufs=-17.46, true_peak_dbtp=-1.0, target_lufs=-14.0, limit=None, note=None
    )
    measured = artefact.model_copy(update={"loudness": loudness})
    assert text.weight_facts(measured) == "5.3 MB · gain −2.1 dB · −17.5 LUFS"
    artefact = artefact.model_copy(update={"format": "mp3", "bit_depth": None, "gain_db": 0.0})
    assert text.format_facts(artefact) == "MP3 · 44.1 kHz"
    assert text.weight_facts(artefact) == "5.3 MB"
