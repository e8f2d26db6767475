"""Mixes: exact where nothing is stretched; in tempo, tune and time where something is."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.artifacts.store import JobStore
from core.errors import ArtefactNotFound, InvalidOption, JobNotFound, StemcrateError
from core.rendering.mix import plan_mix
from core.rendering.plan import identify
from stemcrate.schemas.owners import LOCAL
from stemcrate.schemas.renders import Lane, MixRequest
from tests.clicks import CLICK_CENTRE_S, clicks, onsets_s
from tests.rendered import RATE, GivenTrack, Rendered, make_job, render
from tests.signals import make_song

Samples = NDArray[np.floating]
STEMS = ("vocals", "drums", "bass", "other")


def stems_of(n_seconds: float, n_channels: int = 2, level: float = 0.2) -> dict[str, Samples]:
    return {
        name: make_song(n_seconds, RATE, n_channels, seed=seed, level=level).astype(np.float32)
        for seed, name in enumerate(STEMS)
    }


@pytest.fixture
def mix(tmp_path: Path) -> Callable[..., Rendered]:
    """Mix a given track with the fields of a request."""
    store = JobStore(tmp_path)

    def make(track: GivenTrack, **fields: Any) -> Rendered:
        request = MixRequest(job_id=make_job(store, track), **fields)
        return render(plan_mix(store, request), tmp_path / "work" / request.job_id)

    return make


def added(parts: Iterable[Samples]) -> Samples:
    total: Samples = np.sum(list(parts), axis=0, dtype=np.float64)
    return total


def pan_as_the_browser(samples: Samples, pan: float) -> Samples:
    """The algorithm of StereoPannerNode for stereo, written down from the specification."""
    left, right = samples.astype(np.float64)
    x = pan + 1 if pan <= 0 else pan
    gain_left, gain_right = np.cos(x * np.pi / 2), np.sin(x * np.pi / 2)
    if pan <= 0:
        return np.stack([left + right * gain_left, right * gain_right])
    return np.stack([left * gain_left, right + left * gain_right])


@pytest.mark.parametrize("bit_depth", ["16", "24", "32f"])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_all_stems_as_they_are_null_against_their_sum(
    mix: Callable[..., Rendered], bit_depth: str, n_channels: int
) -> None:
    """Stems that sum to the song do so in a mix of it, to the last bit: no gain, no dither."""
    full = {"16": 1 << 15, "24": 1 << 23, "32f": 1 << 23}[bit_depth]
    stems = {n: np.rint(s * full) / full for n, s in stems_of(6.5, n_channels).items()}

    made = mix(GivenTrack(stems, bit_depth=bit_depth), bit_depth=bit_depth)

    assert np.array_equal(made.samples, added(stems.values()))
    assert made.finished.file.lowered_db == 0
    assert made.finished.file.bit_depth == bit_depth
    assert made.finished.warnings == []
    assert made.steps == sorted(made.steps)
    assert made.steps[-1] == 1.0


def test_gains_pans_mutes_and_range_are_those_of_the_browser(
    mix: Callable[..., Rendered],
) -> None:
    """The file has to be what was heard: gain, StereoPannerNode, sum, master gain, from A to B."""
    stems = stems_of(9.0)
    lanes = {
        "vocals": Lane(gain_db=-4.5, pan=-0.35),
        "drums": Lane(gain_db=2.25, pan=1.0),
        "bass": Lane(muted=True),
        "other": Lane(pan=0.6),
    }
    made = mix(GivenTrack(stems), lanes=lanes, gain_db=-3.0, start_s=1.23456, end_s=8.7654321)

    start, end = round(1.23456 * RATE), round(8.7654321 * RATE)
    heard = added(
        pan_as_the_browser(stems[name], lane.pan) * 10 ** (lane.gain_db / 20)
        for name, lane in lanes.items()
        if not lane.muted
    )
    expected = heard[:, start:end] * 10 ** (-3 / 20)
    assert made.samples.shape == expected.shape
    assert np.abs(made.samples - expected).max() < 1e-7


def test_a_panned_mono_lane_makes_the_mix_stereo(mix: Callable[..., Rendered]) -> None:
    stems = {"vocals": stems_of(1.0, 1)["vocals"]}
    made = mix(GivenTrack(stems), lanes={"vocals": Lane(pan=-1.0)})
    left, right = made.samples
    assert np.abs(left - 2 * stems["vocals"][0]).max() < 1e-7
    assert not right.any()


def test_a_mix_that_would_clip_is_lowered_as_a_whole_and_says_so(
    mix: Callable[..., Rendered],
) -> None:
    """Integers would cut the peaks off; float holds them, and is left as it is."""
    stems = stems_of(2.0, level=0.6)
    loud = mix(GivenTrack(stems), bit_depth="24", gain_db=6.0)
    exact = mix(GivenTrack(stems), bit_depth="32f", gain_db=6.0)

    lowered = loud.finished.file.lowered_db
    assert lowered > 3
    assert [w.code for w in loud.finished.warnings] == ["rescaled"]
    assert np.abs(loud.samples - exact.samples * 10 ** (-lowered / 20)).max() < 1e-4
    assert loud.finished.file.true_peak_dbtp == pytest.approx(0.0, abs=0.001)
    assert np.abs(exact.samples).max() > 1
    assert [w.code for w in exact.finished.warnings] == ["above_full_scale"]


def fundamental_hz(samples: Samples) -> float:
    """The strongest frequency of the middle of a recording, interpolated."""
    n = 1 << 16
    middle = samples[0, samples.shape[1] // 2 - n // 2 :][:n] * np.hanning(n)
    spectrum = np.log(np.abs(np.fft.rfft(middle)) + 1e-12)
    k = int(np.argmax(spectrum))
    before, peak, after = spectrum[k - 1 : k + 2]
    return float((k + 0.5 * (before - after) / (before - 2 * peak + after)) * RATE / n)


ONE_CENT = 2 ** (1 / 1200) - 1


@pytest.mark.parametrize("ratio", [0.5, 0.93, 1.07, 1.5])
def test_another_tempo_keeps_pitch_and_puts_every_onset_in_its_place(
    mix: Callable[..., Rendered], ratio: float
) -> None:
    """The engine delays by 120 ms; a file that starts late or drifts falls out of every mix."""
    times_s = np.arange(1.0, 7.0)
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(8 * RATE) / RATE)
    fields = {"tempo_ratio": ratio, "start_s": 0.5, "end_s": 7.5}

    beat = mix(GivenTrack({"drums": clicks(times_s, 8.0)}), **fields)
    pitch = mix(GivenTrack({"vocals": np.stack([tone, tone])}), **fields)

    assert beat.samples.shape[1] == round(7 * RATE / ratio)
    expected_s = (times_s - 0.5) / ratio
    heard_s = onsets_s(beat.samples, expected_s) - CLICK_CENTRE_S
    assert np.abs(heard_s - expected_s).max() < 0.001
    assert fundamental_hz(pitch.samples) == pytest.approx(440.0, abs=0.05)
    level_db = 20 * np.log10(pitch.samples[0].std() / tone.std())
    assert level_db == pytest.approx(0.0, abs=0.3)


@pytest.mark.parametrize("semitones", [-12.0, 3.0, 12.0])
def test_pitch_moves_everything_but_the_drums(
    mix: Callable[..., Rendered], semitones: float
) -> None:
    time = np.arange(3 * RATE) / RATE
    low, high = (0.2 * np.sin(2 * np.pi * f * time) for f in (440.0, 1500.0))
    track = GivenTrack({"vocals": np.stack([low, low]), "drums": np.stack([high, high])})

    voice = mix(track, lanes={"vocals": Lane()}, pitch_semitones=semitones)
    drums = mix(track, lanes={"drums": Lane()}, pitch_semitones=semitones)
    both = mix(track, pitch_semitones=semitones)

    assert fundamental_hz(voice.samples) == pytest.approx(440 * 2 ** (semitones / 12), rel=ONE_CENT)
    assert np.abs(drums.samples - high).max() < 1e-6
    assert np.abs(both.samples - voice.samples - drums.samples).max() < 1e-6


def test_a_transposed_onset_stays_in_its_place(mix: Callable[..., Rendered]) -> None:
    """Time goes through a stretcher and a resampler, each with a delay of its own."""
    times_s = np.arange(0.5, 4.0, 0.5)
    made = mix(GivenTrack({"vocals": clicks(times_s, 4.5)}), pitch_semitones=-5.0, tempo_ratio=1.1)
    expected_s = times_s / 1.1
    # The burst itself gets longer with the lower pitch.
    heard_s = onsets_s(made.samples, expected_s) - CLICK_CENTRE_S * 2 ** (5 / 12)
    assert np.abs(heard_s - expected_s).max() < 0.001


def test_a_mix_is_repeatable_and_reads_lossy_stems(
    mix: Callable[..., Rendered], tmp_path: Path
) -> None:
    stems = stems_of(3.0)
    track = GivenTrack(stems, format="mp3")
    first = mix(track, tempo_ratio=1.1, format="flac")
    second = mix(track, tempo_ratio=1.1, format="flac")
    assert first.finished.file.sha256 == second.finished.file.sha256
    assert first.finished.file.name == "Band - Song.wav [mix].flac"

    whole = mix(track, bit_depth="32f")
    assert abs(whole.samples.shape[1] - 3 * RATE) < 3000
    n = 2 * RATE
    expected = added(stems.values())[:, :n]
    assert np.corrcoef(whole.samples[0, :n], expected[0])[0, 1] > 0.99


@pytest.mark.parametrize(
    ("fields", "error", "field", "word"),
    [
        ({"lanes": {"kazoo": {}}}, InvalidOption, "lanes", "vocals, drums, bass, other"),
        ({"lanes": {"drums": {"muted": True}}}, InvalidOption, "lanes", "muted"),
        ({"track_index": 1}, InvalidOption, "track_index", "index 1"),
        ({"start_s": 2.0}, InvalidOption, "start_s", "2.000 s"),
        ({"end_s": 3.0}, InvalidOption, "end_s", "2.000 s"),
        ({"format": "flac", "bit_depth": "32f"}, InvalidOption, "bit_depth", "float"),
        ({"job_id": "nowhere"}, JobNotFound, None, "nowhere"),
    ],
)
def test_a_mix_that_cannot_be_made_says_what_to_do(
    tmp_path: Path,
    fields: dict[str, Any],
    error: type[StemcrateError],
    field: str | None,
    word: str,
) -> None:
    store = JobStore(tmp_path)
    job_id = make_job(store, GivenTrack(stems_of(2.0)))
    with pytest.raises(error) as raised:
        plan_mix(store, MixRequest.model_validate({"job_id": job_id, **fields}))
    assert raised.value.field == field
    assert word in str(raised.value)
    assert raised.value.hint


def test_missing_stems_are_named(tmp_path: Path) -> None:
    """An analysis has no stems; a file that was cut or deleted by hand would be silence."""
    store = JobStore(tmp_path)
    analysis = make_job(store, GivenTrack({}))
    with pytest.raises(ArtefactNotFound, match="delivered no stems"):
        plan_mix(store, MixRequest(job_id=analysis))
    job_id = make_job(store, GivenTrack(stems_of(1.0)))
    bass = next(store.job_folder(job_id).rglob("bass.wav"))
    bass.write_bytes(bass.read_bytes()[:-1000])
    with pytest.raises(ArtefactNotFound, match="'bass' has changed"):
        plan_mix(store, MixRequest(job_id=job_id))
    bass.unlink()
    with pytest.raises(ArtefactNotFound, match="'bass' no longer exists"):
        plan_mix(store, MixRequest(job_id=job_id))


def test_equal_requests_have_one_id(tmp_path: Path) -> None:
    """Defaults that are spelled out and mutes are the same mix; another gain or job is another."""
    store = JobStore(tmp_path)
    track = GivenTrack(stems_of(1.0))
    job_id, other_job = make_job(store, track), make_job(store, track)

    def id_of(**fields: Any) -> str:
        return identify(
            plan_mix(store, MixRequest.model_validate({"job_id": job_id, **fields})), LOCAL
        )

    all_lanes = {name: {"gain_db": 0.0} for name in STEMS}
    assert id_of() == id_of(lanes=all_lanes, gain_db=0, bit_depth="32f")
    muted = {"vocals": {}, "drums": {"muted": True, "gain_db": -3}}
    assert id_of(lanes={"vocals": {}}) == id_of(lanes=muted)
    ids = {id_of(), id_of(gain_db=-1), id_of(job_id=other_job), id_of(format="flac")}
    assert len(ids) == 4
