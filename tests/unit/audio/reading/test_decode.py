"""What may go wrong between a client's bytes and our float32: level, place, length, content."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from core.audio.reading.decode import DecodedAudio, probe

RATE = 44_100


PCM = [
    (container, subtype)
    for container in ("WAV", "RF64", "AIFF", "FLAC", "CAF")
    for subtype in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32")
    if soundfile.check_format(container, subtype)
]


@pytest.mark.parametrize("n_channels", [1, 2])
@pytest.mark.parametrize(("container", "subtype"), PCM)
def test_every_code_of_a_pcm_file_arrives(
    tmp_path: Path,
    decoded: Callable[..., tuple[DecodedAudio, np.ndarray]],
    container: Any,
    subtype: Any,
    n_channels: int,
) -> None:
    bits = int(subtype.split("_")[1].lstrip("U"))
    top = 1 << (bits - 1)
    codes = np.random.default_rng(0).integers(-top, top, (n_channels, 5000))
    codes[:, :2] = -top, top - 1
    path = tmp_path / "upload"
    left_aligned = (codes << (32 - bits)).astype(np.int32)
    soundfile.write(path, left_aligned.T, RATE, format=container, subtype=subtype)
    result, audio = decoded(path)
    np.testing.assert_array_equal(audio, (codes / top).astype(np.float32))
    assert result.source.bit_depth == bits
    assert not result.source.is_float
    assert not result.source.is_lossy
    assert result.downmix is None
    assert probe(path) == result.source


@pytest.mark.parametrize(("subtype", "bits"), [("FLOAT", 32), ("DOUBLE", 64)])
def test_float_files_are_known_as_such(
    tmp_path: Path,
    noise: Callable[..., np.ndarray],
    decoded: Callable[..., tuple[DecodedAudio, np.ndarray]],
    subtype: str,
    bits: int,
) -> None:
    samples = noise()
    path = tmp_path / "upload"
    soundfile.write(path, samples.T, RATE, format="WAV", subtype=subtype)
    result, audio = decoded(path)
    np.testing.assert_array_equal(audio, samples)
    assert (result.source.bit_depth, result.source.is_float) == (bits, True)


@pytest.mark.parametrize(
    ("container", "subtype"), [("MP3", "MPEG_LAYER_III"), ("OGG", "VORBIS"), ("OGG", "OPUS")]
)
def test_lossy_files_of_libsndfile_line_up(
    tmp_path: Path,
    noise: Callable[..., np.ndarray],
    decoded: Callable[..., tuple[DecodedAudio, np.ndarray]],
    lag: Callable[[np.ndarray, np.ndarray], int],
    container: str,
    subtype: str,
) -> None:
    rate = 48_000 if subtype == "OPUS" else RATE
    samples = noise(rate + 123, 2, rate)
    path = tmp_path / "upload"
    soundfile.write(path, samples.T, rate, format=container, subtype=subtype)
    result, audio = decoded(path)
    assert audio.shape == samples.shape
    assert lag(audio[0], samples[0]) == 0
    assert result.source.is_lossy
    assert result.source.bit_depth is None


@pytest.mark.parametrize(
    ("codec", "container", "sample_format", "rate", "with_video"),
    [
        ("libmp3lame", "mp3", "fltp", RATE, False),
        ("aac", "ipod", "fltp", RATE, False),
        ("libopus", "webm", "flt", 48_000, False),
        ("libopus", "opus", "flt", 48_000, False),
        ("aac", "mp4", "fltp", RATE, True),
        ("flac", "matroska", "s16", RATE, False),
    ],
)
def test_files_of_ffmpeg_line_up(
    tmp_path: Path,
    noise: Callable[..., np.ndarray],
    decoded: Callable[..., tuple[DecodedAudio, np.ndarray]],
    lag: Callable[[np.ndarray, np.ndarray], int],
    encode_with_ffmpeg: Callable[..., Path],
    codec: str,
    container: str,
    sample_format: str,
    rate: Any,
    with_video: bool,
) -> None:
    samples = noise(rate + 123, 2, rate)
    written = np.rint(samples * 32767).astype(np.int16) if "s16" in sample_format else samples
    path = encode_with_ffmpeg(
        tmp_path / "upload",
        written,
        codec=codec,
        container=container,
        sample_format=sample_format,
        rate=rate,
        with_video=with_video,
    )
    _, audio = decoded(path)
    assert lag(audio[0], samples[0]) == 0
    assert audio.shape == samples.shape


@pytest.mark.parametrize("n_samples", [RATE - 5, RATE + 7])
def test_the_last_packet_of_an_mp4_says_where_it_ends(
    tmp_path: Path,
    noise: Callable[..., np.ndarray],
    decoded: Callable[..., tuple[DecodedAudio, np.ndarray]],
    encode_with_ffmpeg: Callable[..., Path],
    n_samples: Any,
) -> None:
    """FFmpeg's edit list counts milliseconds: the end was lost, or silence added to it."""
    path = encode_with_ffmpeg(
        tmp_path / "upload", noise(n_samples), codec="aac", container="ipod", sample_format="fltp"
    )
    assert decoded(path)[1].shape == (2, n_samples)


def test_wma_is_read_though_its_container_names_no_delay(
    tmp_path: Path,
    noise: Callable[..., np.ndarray],
    decoded: Callable[..., tuple[DecodedAudio, np.ndarray]],
    lag: Callable[[np.ndarray, np.ndarray], int],
    encode_with_ffmpeg: Callable[..., Path],
) -> None:
    samples = noise()
    path = encode_with_ffmpeg(
        tmp_path / "upload",
        samples,
        codec="wmav2",
        container="asf",
        sample_format="fltp",
        bit_rate=192_000,
    )
    result, audio = decoded(path)
    assert (result.source.codec, result.sample_rate) == ("wmav2", RATE)
    assert abs(lag(audio[0], samples[0])) <= 2048


@pytest.mark.parametrize(("sample_format", "bits"), [("s16p", 16), ("s32p", 24)])
def test_alac_is_exact(
    tmp_path: Path,
    noise: Callable[..., np.ndarray],
    decoded: Callable[..., tuple[DecodedAudio, np.ndarray]],
    encode_with_ffmpeg: Callable[..., Path],
    sample_format: str,
    bits: int,
) -> None:
    codes = np.rint(noise() * 2 ** (bits - 1)).astype(np.int32)
    written = codes << 8 if bits == 24 else codes.astype(np.int16)
    path = encode_with_ffmpeg(
        tmp_path / "upload", written, codec="alac", container="ipod", sample_format=sample_format
    )
    result, audio = decoded(path)
    np.testing.assert_array_equal(audio * 2 ** (bits - 1), codes)
    assert (result.source.bit_depth, result.source.decoder) == (bits, "pyav")


def test_flac_without_a_length_is_decoded_by_the_other_decoder(
    tmp_path: Path,
    noise: Callable[..., np.ndarray],
    decoded: Callable[..., tuple[DecodedAudio, np.ndarray]],
) -> None:
    samples = noise()
    path = tmp_path / "upload"
    soundfile.write(path, samples.T, RATE, format="FLAC", subtype="PCM_24")
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    path.write_bytes(content)
    result, audio = decoded(path)
    assert result.source.decoder == "pyav"
    assert result.source.n_samples is None
    assert np.abs(audio - samples).max() <= 2**-24


def test_float_samples_beyond_full_scale_are_kept(
    tmp_path: Path, decoded: Callable[..., tuple[DecodedAudio, np.ndarray]]
) -> None:
    path = tmp_path / "upload"
    soundfile.write(path, np.array([0.5, -3.0, 2.5]), RATE, format="WAV", subtype="FLOAT")
    assert decoded(path)[1].tolist() == [[0.5, -3.0, 2.5]]


def test_one_sample_is_a_recording(
    tmp_path: Path, decoded: Callable[..., tuple[DecodedAudio, np.ndarray]]
) -> None:
    path = tmp_path / "upload"
    soundfile.write(path, np.array([0.5]), RATE, format="WAV", subtype="PCM_16")
    assert decoded(path)[1].tolist() == [[0.5]]


@pytest.mark.parametrize("container", ["WAVEX", "WAV", "FLAC"])
def test_surround_is_mixed_down_by_its_layout(tmp_path: Path, decoded: Any, container: Any) -> None:
    """Guards against a lost centre and against rears taken for fronts."""
    samples = np.diag([0.5] * 6)  # channel k sounds at sample k alone
    path = tmp_path / "upload"
    soundfile.write(path, samples.T, RATE, format=container, subtype="PCM_16")
    result, audio = decoded(path)
    surround = 0.5 * 0.7071
    expected = [[0.5, 0, surround, 0, surround, 0], [0, 0.5, surround, 0, 0, surround]]
    np.testing.assert_allclose(audio, expected, atol=1e-7)
    assert result.source.n_channels == 6
    assert result.n_channels == 2
    assert "0.7071 FC" in result.downmix
    assert ("assumed" in result.downmix) == (container == "WAV")


def test_eight_channels_in_planes_are_mixed_down(
    tmp_path: Path,
    noise: Callable[..., np.ndarray],
    decoded: Callable[..., tuple[DecodedAudio, np.ndarray]],
    lag: Callable[[np.ndarray, np.ndarray], int],
    encode_with_ffmpeg: Callable[..., Path],
) -> None:
    """PyAV takes a ninth plane after eight, and the process dies of it."""
    centre = noise(48_000, 1, 48_000)[0]
    samples = np.zeros((8, len(centre)), np.float32)
    samples[2] = centre
    path = encode_with_ffmpeg(
        tmp_path / "upload",
        samples,
        codec="libopus",
        container="ogg",
        sample_format="flt",
        rate=48_000,
        layout="7.1",
    )
    result, audio = decoded(path)
    assert (result.source.n_channels, result.n_channels) == (8, 2)
    assert audio.shape == (2, len(centre))
    assert lag(audio[0], centre) == 0
    np.testing.assert_allclose(audio[0], audio[1], atol=1e-3)
    assert np.std(audio[0]) == pytest.approx(0.7071 * np.std(centre), rel=0.1)


@pytest.mark.parametrize("container", ["WAV", "RF64", "AIFF"])
def test_a_tag_in_front_costs_no_sample(
    tmp_path: Path,
    noise: Callable[..., np.ndarray],
    decoded: Callable[..., tuple[DecodedAudio, np.ndarray]],
    container: str,
) -> None:
    """libsndfile skips an ID3 tag and forgets that the file ends as much later."""
    samples = noise()
    path = tmp_path / "upload"
    soundfile.write(path, samples.T, RATE, format=container, subtype="PCM_24")
    plain = decoded(path)[1]
    tag = b"ID3\x03\0\0\0\0\x0f\x76" + bytes(15 * 128 + 0x76)
    path.write_bytes(tag + path.read_bytes())
    np.testing.assert_array_equal(decoded(path)[1], plain)


def test_progress_rises_to_one(
    tmp_path: Path,
    noise: Callable[..., np.ndarray],
    decoded: Callable[..., tuple[DecodedAudio, np.ndarray]],
) -> None:
    path = tmp_path / "upload"
    soundfile.write(path, noise(600_000, 1).T, RATE, format="WAV")
    seen: list[float] = []
    decoded(path, progress=seen.append)
    assert seen == sorted(seen)
    assert len(seen) > 1
    assert seen[-1] == 1.0


@pytest.mark.parametrize("name", ["a.raw", "a.mp3", "a.txt", "a.sd2", "http:__x", "no suffix"])
def test_the_file_name_decides_nothing(
    tmp_path: Path,
    noise: Callable[..., np.ndarray],
    decoded: Callable[..., tuple[DecodedAudio, np.ndarray]],
    name: str,
) -> None:
    path: Path = tmp_path / name
    soundfile.write(path, noise(3000).T, RATE, format="WAV", subtype="PCM_16")
    assert decoded(path)[1].shape == (2, 3000)


def test_an_mp3_without_a_length_is_whole(
    tmp_path: Path,
    noise: Callable[..., np.ndarray],
    decoded: Callable[..., tuple[DecodedAudio, np.ndarray]],
    encode_with_ffmpeg: Callable[..., Path],
) -> None:
    """libsndfile's estimate is no promise that the file could break."""
    path = encode_with_ffmpeg(
        tmp_path / "upload",
        noise(3 * RATE),
        codec="libmp3lame",
        container="mp3",
        sample_format="fltp",
        options={"write_xing": "0"},
    )
    result, audio = decoded(path)
    assert audio.shape[1] >= 3 * RATE
    assert result.warnings == ()


@pytest.mark.parametrize(("subtype", "rate"), [("VORBIS", RATE), ("OPUS", 48_000)])
def test_a_chain_of_recordings_is_read_to_its_last(
    tmp_path: Path,
    noise: Callable[..., np.ndarray],
    decoded: Callable[..., tuple[DecodedAudio, np.ndarray]],
    lag: Callable[[np.ndarray, np.ndarray], int],
    subtype: str,
    rate: Any,
) -> None:
    """Radio is recorded so; a song was taken for the whole programme, and nothing was said."""
    path = tmp_path / "upload"
    links = []
    for level in (0.05, 0.1, 0.2):
        samples = noise(rate // 2 + 123, 2, rate, level)
        soundfile.write(path, samples.T, rate, format="OGG", subtype=subtype)
        links.append((path.read_bytes(), samples))
    path.write_bytes(b"".join(content for content, _ in links))
    whole = np.concatenate([samples for _, samples in links], axis=1)
    result, audio = decoded(path)
    assert audio.shape == whole.shape
    assert [lag(audio[0, s], whole[0, s]) for s in (slice(0, 9000), slice(-9000, None))] == [0, 0]
    assert result.warnings == ("upload is a chain of 3 recordings: they are joined.",)
    assert probe(path) == result.source
    assert result.source.duration_s == whole.shape[1] / rate


def test_a_chain_goes_on_behind_damage_and_ends_in_a_header(
    tmp_path: Path,
    noise: Callable[..., np.ndarray],
    decoded: Callable[..., tuple[DecodedAudio, np.ndarray]],
) -> None:
    """What is left out is said."""
    path = tmp_path / "upload"
    soundfile.write(path, noise(RATE).T, RATE, format="OGG", subtype="VORBIS")
    content = path.read_bytes()
    path.write_bytes(content + bytes(100) + content + content[:60])
    result, audio = decoded(path)
    assert audio.shape[1] == 2 * RATE
    assert any("ends in the header of one more" in warning for warning in result.warnings)


FINE = [
    ("WAV", "PCM_32", 2, "32-bit integers"),
    ("WAV", "DOUBLE", 2, "64-bit floats"),
    ("WAV", "PCM_32", 6, "32-bit integers"),
    ("WAV", "DOUBLE", 6, "64-bit floats"),
]


@pytest.mark.parametrize(("container", "subtype", "n_channels", "what"), FINE)
def test_what_float32_cannot_hold_is_rounded_and_said(
    tmp_path: Path,
    noise: Callable[..., np.ndarray],
    decoded: Callable[..., tuple[DecodedAudio, np.ndarray]],
    container: str,
    subtype: str,
    n_channels: int,
    what: str,
) -> None:
    """Precision went without a word; a file that only looks finer loses nothing."""
    path = tmp_path / "upload"
    coarse = noise(70_000, n_channels).astype(np.float64)
    for samples, warned in ((coarse * (1 + 2e-8), True), (np.round(coarse * 2**23) / 2**23, False)):
        soundfile.write(path, samples.T, RATE, format=container, subtype=subtype)
        result, _ = decoded(path)
        note = f"upload is finer than 32-bit float: its {what} were rounded to that."
        assert (note in result.warnings) == warned
        assert len(result.warnings) == warned
