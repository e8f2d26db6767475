"""Segments, pictures and waveforms of lanes, against the files that they come from."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from PIL import Image

from core.audio.reading.decode import decode
from core.audio.resample import resample
from core.audio.writing.encode import Encoder
from core.audio.writing.quantise import quantise
from core.audio.writing.wavefile import AudioReader
from core.listening.lanes import SEGMENT_FRAMES, Lane, LanePart, TrackLanes
from core.listening.rendering import make_segment, make_segments, make_spectrogram, make_waveform
from core.listening.spectrogram import RULES

RATE = 44_100
Signal = NDArray[np.float32]


def tones(seconds: float, n_channels: int = 2, rate: int = RATE) -> Signal:
    """Gliding tones, which no lossy encoder replaces by noise."""
    time = np.arange(round(seconds * rate)) / rate
    glide = np.sin(2 * np.pi * (300 * time + 40 * np.sin(time)))
    channels = [glide * (1 + 0.3 * np.sin(7 * time + c)) for c in range(n_channels)]
    return (0.3 * np.array(channels)).astype(np.float32)


def write(path: Path, samples: Signal, form: str, depth: str = "24", rate: int = RATE) -> Path:
    with Encoder(
        path, format=form, bit_depth=depth, sample_rate=rate, n_channels=len(samples)
    ) as encoder:
        if form in ("mp3", "m4a", "opus") or depth == "32f":
            encoder.write(samples)
        else:
            encoder.write_codes(quantise(samples, 16 if depth == "16" else 24))
    return path


def lane_of(
    path: Path, samples: Signal, rate: int = RATE, **fields: Any
) -> tuple[TrackLanes, Lane]:
    access = fields.pop("access", "seek")
    lane = Lane("x", "stem", path.name, "key", (LanePart(path, path.name, access),), **fields)
    return TrackLanes("job", 0, rate, len(samples), samples.shape[1], (lane,)), lane


def decoded(path: Path, folder: Path) -> Signal:
    """The file from its first sample to its last, as any job reads it."""
    decode(path, folder / "decoded.wav")
    with AudioReader(folder / "decoded.wav") as reader:
        return reader.read()


def heard(track: TrackLanes, lane: Lane, folder: Path) -> NDArray[np.float64]:
    """The lane as its segments play, out of order: each must stand by itself."""
    parts = {}
    for number in reversed(range(track.n_segments)):
        path = folder / f"{number}.flac"
        if not path.exists():
            make_segment(track, lane, number, path)
        assert soundfile.info(str(path)).subtype == f"PCM_{lane.bit_depth}"
        start, stop = track.segment(number)
        parts[number] = soundfile.read(path, always_2d=True)[0].T * lane.scale
        assert parts[number].shape[1] == stop - start
    return np.concatenate([parts[n] for n in sorted(parts)], axis=1)


@pytest.mark.parametrize("n_channels", [1, 2])
@pytest.mark.parametrize(
    ("form", "depth", "access"),
    [
        ("wav", "16", "seek"),
        ("wav", "24", "seek"),
        ("flac", "16", "seek"),
        ("flac", "24", "seek"),
        ("alac", "16", "packets"),
        ("alac", "24", "packets"),
    ],
)
def test_integer_formats_are_exact(
    tmp_path: Path, form: str, depth: str, access: str, n_channels: int
) -> None:
    """An offset of one sample or a lost bit is a comb filter when stems are summed."""
    samples = tones(7.3, n_channels)
    path = write(tmp_path / "file", samples, form, depth)
    bits: Any = int(depth)
    track, lane = lane_of(path, samples, access=access, bit_depth=bits)
    expected = quantise(samples, bits) / float(1 << (bits - 1))
    np.testing.assert_array_equal(heard(track, lane, tmp_path), expected)


def test_a_float_file_beyond_full_scale_is_not_clipped(tmp_path: Path) -> None:
    """FLAC ends at full scale."""
    samples = tones(4.0) * np.float32(9)
    path = write(tmp_path / "file.wav", samples, "wav", "32f")
    track, lane = lane_of(path, samples, scale=4.0)
    assert np.abs(samples).max() > 2
    np.testing.assert_allclose(heard(track, lane, tmp_path), samples, atol=4 / (1 << 23))


@pytest.mark.parametrize("form", ["mp3", "opus"])
def test_a_lossy_file_sounds_as_if_decoded_from_its_start(tmp_path: Path, form: str) -> None:
    """A segment decoded without what precedes it begins with a click."""
    samples = tones(9.0, rate=48_000)
    path = write(tmp_path / "file", samples, form, rate=48_000)
    track, lane = lane_of(path, samples, 48_000, scale=2.0)
    expected = decoded(path, tmp_path)[:, : samples.shape[1]]
    found = heard(track, lane, tmp_path)
    np.testing.assert_allclose(found, expected, atol=2 / (1 << 23))
    assert np.abs(found - samples)[:, 4096:-4096].max() < 0.02  # no delay of the encoder


def test_aac_is_aligned_and_has_no_seams(tmp_path: Path) -> None:
    samples = tones(9.0)
    path = write(tmp_path / "file", samples, "m4a")
    track, lane = lane_of(path, samples, access="packets", scale=2.0)
    found = heard(track, lane, tmp_path)
    np.testing.assert_allclose(found, decoded(path, tmp_path), atol=2e-3)
    assert np.abs(found - samples)[:, 4096:-4096].max() < 0.02


def test_a_file_at_another_rate_lies_on_the_axis_of_the_track(tmp_path: Path) -> None:
    """Opus has 48 kHz alone: without conversion it would run away from the other lanes."""
    samples = tones(9.0)
    path = write(tmp_path / "file", samples, "opus")
    assert soundfile.info(str(path)).samplerate == 48_000
    track, lane = lane_of(path, samples, scale=2.0)
    found = heard(track, lane, tmp_path)
    whole = resample(decoded(path, tmp_path), 48_000, RATE, n_samples=samples.shape[1])
    np.testing.assert_allclose(found[:, :-4096], whole[:, :-4096], atol=1e-5)
    assert np.abs(found - samples)[:, 4096:-4096].max() < 0.02


@pytest.mark.parametrize("form", ["mp3", "m4a", "flac"])
def test_a_file_that_is_decoded_whole_gives_the_same_segments(tmp_path: Path, form: str) -> None:
    """Uploads in lossy formats may not be decodable from anywhere."""
    samples = tones(7.0)
    path = write(tmp_path / "file", samples, form)
    track, lane = lane_of(path, samples, access="whole", scale=2.0)
    assert list(make_segments(track, lane, tmp_path)) == [0, 1, 2]
    expected = decoded(path, tmp_path)[:, : samples.shape[1]]
    np.testing.assert_allclose(heard(track, lane, tmp_path), expected, atol=2 / (1 << 23))


def test_what_is_missing_at_the_end_is_silence(tmp_path: Path) -> None:
    samples = tones(3.5)
    path = write(tmp_path / "file.wav", samples, "wav")
    longer = np.pad(samples, ((0, 0), (0, SEGMENT_FRAMES)))
    track, lane = lane_of(path, longer)
    found = heard(track, lane, tmp_path)
    assert found.shape == longer.shape
    assert not found[:, samples.shape[1] :].any()


def test_stems_without_their_gains_add_up_to_the_original(tmp_path: Path) -> None:
    """Where the upload is gone, A/B has nothing else to play."""
    samples = tones(4.0)
    parts = []
    for name, share, gain_db in (("a", 0.7, -6.0), ("b", 0.3, -6.0)):
        factor = np.float32(share * 10 ** (gain_db / 20))
        path = write(tmp_path / name, samples * factor, "wav")
        parts.append(LanePart(path, name, "seek", 10 ** (-gain_db / 20)))
    track, lane = lane_of(tmp_path / "a", samples)
    lane = replace(lane, parts=tuple(parts))
    np.testing.assert_allclose(heard(track, lane, tmp_path), samples, atol=4 / (1 << 23))


def test_the_last_segment_of_an_hour_is_read_without_the_rest(tmp_path: Path) -> None:
    """An hour of float samples in memory is more than a gigabyte."""
    rate, second = 8000, tones(1.0, 1, 8000)
    path = tmp_path / "hour.wav"
    with soundfile.SoundFile(path, "w", rate, 1, "PCM_16") as file:
        for _ in range(60):
            file.write(np.tile(second, 60).T)
    track, lane = lane_of(path, np.empty((1, 3600 * rate), dtype=np.float32), rate, bit_depth=16)
    assert track.n_segments == 220
    make_segment(track, lane, 219, tmp_path / "219.flac")
    start, stop = track.segment(219)
    expected, _ = soundfile.read(path, start=start, stop=stop)
    np.testing.assert_array_equal(soundfile.read(tmp_path / "219.flac")[0], expected)
    make_spectrogram(track, lane, tmp_path / "picture")
    with Image.open(tmp_path / "picture") as picture:
        assert picture.size == (RULES.max_columns, RULES.n_bands)
    assert (tmp_path / "picture").stat().st_size < 500_000


def picture_of(samples: Signal, folder: Path, rate: int = RATE) -> NDArray[np.uint8]:
    path = write(folder / "file.wav", samples, "wav", rate=rate)
    track, lane = lane_of(path, samples, rate)
    make_spectrogram(track, lane, folder / "picture.webp")
    with Image.open(io.BytesIO((folder / "picture.webp").read_bytes())) as picture:
        assert picture.format == "WEBP"
        return np.asarray(picture.convert("L"))


@pytest.mark.parametrize("rate", [22_050, 44_100, 96_000])
def test_a_tone_is_a_line_at_its_frequency_and_time(tmp_path: Path, rate: int) -> None:
    """A picture that is upside down, or whose time is stretched, belies what is heard."""
    time = np.arange(6 * rate) / rate
    tone = 0.5 * np.sin(2 * np.pi * 1000 * time) * (time >= 3)
    picture = picture_of(tone[None].astype(np.float32), tmp_path, rate)
    top = 2595 * np.log10(1 + min(RULES.top_hz, rate / 2) / 700)
    band = round(2595 * np.log10(1 + 1000 / 700) / top * (RULES.n_bands + 1)) - 1
    width = picture.shape[1]
    rows = picture[:, width * 3 // 4].argsort()[::-1]
    assert abs(RULES.n_bands - 1 - int(rows[0]) - band) <= 1
    assert picture[rows[0], : width * 15 // 32].max() < 40
    assert picture[rows[0], width * 17 // 32 : width * 31 // 32].min() > 200


@pytest.mark.parametrize("n_samples", [1, 100, 22_050])
@pytest.mark.parametrize("level", [0.0, 1.0])
def test_the_shortest_and_the_silent_have_all_they_need(
    tmp_path: Path, n_samples: int, level: float
) -> None:
    samples = np.full((1, n_samples), 0.25 * level, dtype=np.float32)
    assert picture_of(samples, tmp_path).shape[0] == RULES.n_bands
    track, lane = lane_of(tmp_path / "file.wav", samples)
    assert heard(track, lane, tmp_path).shape == samples.shape
    make_waveform(track, lane, tmp_path)
    n_pixels = -(-n_samples // 512)
    assert (tmp_path / "waveform.dat").stat().st_size == 24 + 2 * n_pixels
    assert (tmp_path / "waveform.bands").stat().st_size == 24 + 3 * n_pixels


def test_a_waveform_is_that_before_gain(tmp_path: Path) -> None:
    """Waveforms of jobs are drawn before gain: one that is drawn after looks 6 dB quieter."""
    samples = tones(4.0)
    path = write(tmp_path / "file.wav", samples * np.float32(10 ** (-6 / 20)), "wav")
    track, lane = lane_of(path, samples, gain_db=-6.0)
    make_waveform(track, lane, tmp_path)
    codes = np.frombuffer((tmp_path / "waveform.dat").read_bytes()[24:], dtype=np.int8)
    assert codes.max() == pytest.approx(128 * samples.max(), abs=1)
    bands = np.frombuffer((tmp_path / "waveform.bands").read_bytes()[24:], dtype=np.uint8)
    rms = (bands.reshape(-1, 3)[20:-20] / 255.0) ** 2
    power = np.square(samples, dtype=np.float64).mean()
    assert np.square(rms).sum(axis=1).mean() == pytest.approx(power, rel=0.05)
