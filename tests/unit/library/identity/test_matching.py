"""Fingerprints of one recording agree in every form that it comes in; those of two do not."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.audio.resample import resample
from core.library.identity import fingerprint as module
from core.library.identity.fingerprint import (
    ITEM_S,
    LENGTH_S,
    Algorithm,
    BandFingerprinter,
    Fingerprint,
    make_fingerprinter,
)
from core.library.identity.matching import MIN_OVERLAP_S, compare, find_matches, group
from core.library.intake.facts import find_identity
from tests.programs import requires
from tests.unit.library.songs import RATE, encode, play_notes

SECONDS = 40.0
FORMATS = ("mp3", "opus", "m4a", "flac")


@pytest.fixture(params=[pytest.param("library's", marks=requires("chromaprint")), "own"])
def fingerprinter(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Both ways of making fingerprints, where the C library is there."""
    if request.param == "own":
        monkeypatch.setattr(module, "import_module", _nothing_to_import)
    return request.param


def _nothing_to_import(name: str) -> None:
    raise ImportError(name)


def fingerprint_of(samples: Any, rate: int = RATE, block: int = 50_000) -> Fingerprint:
    maker = make_fingerprinter(rate, samples.shape[0])
    for start in range(0, samples.shape[1], block):
        maker.add(samples[:, start : start + block])
    return maker.finish()


@pytest.fixture(scope="module")
def song() -> NDArray[Any]:
    return play_notes(SECONDS, seed=1)


@pytest.fixture(scope="module")
def encodings(tmp_path_factory: pytest.TempPathFactory, song: NDArray[Any]) -> dict[Any, Any]:
    """The song as files, by their format."""
    folder = tmp_path_factory.mktemp("encodings")
    return {format: encode(folder / format, song, format) for format in FORMATS}


@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS)
def test_another_encoding_is_the_same_recording(
    encodings: Any, song: NDArray[Any], fingerprinter: Any, format: str
) -> None:
    """The level that matters most: the same track as FLAC and as MP3."""
    first = fingerprint_of(song)
    second = find_identity(encodings[format], name="song").fingerprint
    (match,) = find_matches({"a": first, "b": second})
    assert match.verdict == "same"
    assert match.overlap_s > SECONDS - 3
    assert abs(match.offset_s) < 0.2


def test_level_rate_channels_and_a_longer_beginning_change_nothing(
    song: NDArray[Any], fingerprinter: Any
) -> None:
    silence = np.zeros((2, 2 * RATE), np.float32)
    forms = {
        "as it is": song,
        "quieter": song * 0.25,
        "mono": song[:1],
        "later": np.concatenate([silence, song], axis=1),
        "cut": song[:, 10 * RATE :],
    }
    prints = {name: fingerprint_of(samples) for name, samples in forms.items()}
    prints["slower rate"] = fingerprint_of(resample(song, RATE, 22_050), 22_050)
    matches = find_matches(prints)
    assert group([m for m in matches if m.verdict == "same"]) == [tuple(sorted(prints))]
    later = next(m for m in matches if {m.first, m.second} == {"as it is", "later"})
    assert abs(later.offset_s) == pytest.approx(2.0, abs=2 * ITEM_S)


@pytest.mark.slow
def test_different_recordings_do_not_match(fingerprinter: Any) -> None:
    """A false duplicate may cost somebody a track."""
    prints = {str(seed): fingerprint_of(play_notes(SECONDS, seed=seed)) for seed in range(5)}
    assert find_matches(prints) == []
    rates = [compare(prints[str(a)], prints[str(b)])[0] for a in range(5) for b in range(a)]
    assert min(rates) > 0.38


def test_another_pitch_is_another_recording(song: NDArray[Any], fingerprinter: Any) -> None:
    """Said in the documents: neither speed nor pitch is searched for."""
    faster = resample(song, 46_305, RATE)
    assert find_matches({"a": fingerprint_of(song), "b": fingerprint_of(faster)}) == []


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros((2, 0), np.float32),
        np.zeros((1, 1), np.float32),
        np.zeros((2, 30 * RATE), np.float32),
        np.ones((1, 1000), np.float32),
    ],
)
def test_silence_and_crumbs_have_no_fingerprint(fingerprinter: Any, samples: Any) -> None:
    """Else all silent files would be duplicates of one another."""
    assert len(fingerprint_of(samples).hashes) == 0
    assert find_matches({name: fingerprint_of(samples) for name in "ab"}) == []


def test_blocks_of_any_size_give_the_same(song: NDArray[Any], fingerprinter: Any) -> None:
    whole, parts = fingerprint_of(song, block=10**9), fingerprint_of(song, block=4099)
    np.testing.assert_array_equal(whole.hashes, parts.hashes)


def test_only_the_first_two_minutes_are_looked_at() -> None:
    """Memory and time must not grow with a three-hour mix."""
    maker = BandFingerprinter(8000, 1)
    block = np.random.default_rng(0).standard_normal((1, 8000 * 60)).astype(np.float32)
    for _ in range(6):
        maker.add(block)
    assert len(maker.finish().hashes) * ITEM_S <= LENGTH_S


def test_short_overlaps_prove_nothing() -> None:
    """Two tracks that begin with the same jingle are two tracks."""
    rng = np.random.default_rng(0)
    n = round(MIN_OVERLAP_S / ITEM_S)
    shared = rng.integers(0, 1 << 32, n - 10, dtype=np.uint32)
    other = [rng.integers(0, 1 << 32, 5 * n, dtype=np.uint32) for _ in range(2)]
    prints = {
        str(i): Fingerprint(Algorithm.BANDS, np.concatenate([shared, tail]))
        for i, tail in enumerate(other)
    }
    assert find_matches(prints) == []
    short = {name: Fingerprint(Algorithm.BANDS, shared) for name in "ab"}
    assert find_matches(short) == []


def test_two_algorithms_are_never_compared() -> None:
    hashes = np.random.default_rng(0).integers(0, 1 << 32, 400, dtype=np.uint32)
    prints = {a.name: Fingerprint(a, hashes) for a in Algorithm}
    assert find_matches(prints) == []
    assert compare(*prints.values()) == (0.5, 0.0)


def test_likeness_between_the_limits_is_for_a_person_to_judge() -> None:
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 1 << 32, 800, dtype=np.uint32)
    altered = hashes.copy()
    # A fifth of all bits, in two thirds of the hashes: the rest still votes.
    for bit in range(32):
        altered[::3] ^= (rng.random(len(altered[::3])) < 0.3).astype(np.uint32) << np.uint32(bit)
        altered[1::3] ^= (rng.random(len(altered[1::3])) < 0.3).astype(np.uint32) << np.uint32(bit)
    prints = {n: Fingerprint(Algorithm.CHROMAPRINT, h) for n, h in (("a", hashes), ("b", altered))}
    (match,) = find_matches(prints)
    assert match.verdict == "review"
    assert match.bit_error_rate == pytest.approx(0.2, abs=0.02)


def test_a_sound_that_stands_still_does_not_drown_the_rest() -> None:
    """A hum repeats one hash thousands of times; pairing all of them takes for ever."""
    rng = np.random.default_rng(0)
    hum = np.full(900, 7, np.uint32)
    prints = {
        f"{n:03}": Fingerprint(
            Algorithm.BANDS,
            np.concatenate([hum, rng.integers(0, 1 << 32, 50, dtype=np.uint32)]),
        )
        for n in range(200)
    }
    song = rng.integers(0, 1 << 32, 900, dtype=np.uint32)
    prints |= {name: Fingerprint(Algorithm.BANDS, song) for name in ("x", "y")}
    found = {(m.first, m.second) for m in find_matches(prints)}
    assert ("x", "y") in found
