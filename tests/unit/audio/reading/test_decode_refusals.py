"""What must not become a stem job: other files, broken ones, half ones, endless ones."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile

from core.audio.reading.decode import DecodedAudio, decode, probe
from core.errors import (
    AudioTooLong,
    CorruptAudio,
    EmptyFile,
    InvalidAudio,
    JobCancelled,
    NotAudio,
    ZeroDuration,
)

RATE = 44_100


@pytest.mark.parametrize(
    "content",
    [
        b"plain text, quite a lot of it\n" * 500,
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40,
        b"%PDF-1.7\n" + bytes(5000),
        bytes(50_000),
        b"RIFF\x10\x20\0\0WEBPVP8 " + bytes(5000),
        b"#EXTM3U\n#EXTINF:2,\nsong.wav\n",
        b"ffconcat version 1.0\nfile song.wav\n",
    ],
    ids=["text", "png", "pdf", "zeros", "webp", "m3u8", "concat"],
)
def test_what_is_not_audio_is_refused(
    tmp_path: Path, noise: Callable[..., np.ndarray], content: Any
) -> None:
    """The playlists name a file that exists: a decoder that followed them would read our disk."""
    soundfile.write(tmp_path / "song.wav", noise(1000).T, RATE)
    path = tmp_path / "holiday.wav"
    path.write_bytes(content)
    for refused in (lambda: probe(path), lambda: decode(path, tmp_path / "out")):
        with pytest.raises(NotAudio, match=r"holiday\.wav"):
            refused()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("seed", range(8))
def test_random_bytes_are_not_audio(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "upload"
    path.write_bytes(np.random.default_rng(seed).bytes(100_000))
    with pytest.raises(NotAudio):
        probe(path)


def test_video_without_sound_is_not_audio(
    tmp_path: Path, noise: Callable[..., np.ndarray], encode_with_ffmpeg: Callable[..., Path]
) -> None:
    path = tmp_path / "upload"
    with av.open(str(path), "w", format="mp4") as out:
        stream = out.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        image = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24")
        out.mux(stream.encode(image))
        out.mux(stream.encode(None))
    with pytest.raises(NotAudio, match="no audio track"):
        probe(path)


def test_an_empty_file_is_named_by_the_clients_name(tmp_path: Path) -> None:
    path = tmp_path / "0a1b2c"
    path.touch()
    with pytest.raises(EmptyFile, match=r"^Song\.mp3 ") as caught:
        probe(path, name="Song.mp3")
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("container", ["WAV", "AIFF"])
def test_a_file_without_samples_has_zero_duration(tmp_path: Path, container: str) -> None:
    path = tmp_path / "upload"
    soundfile.write(path, np.zeros((0, 2)), RATE, format=container, subtype="PCM_16")
    with pytest.raises(ZeroDuration):
        probe(path)
    with pytest.raises(ZeroDuration):
        decode(path, tmp_path / "out")


@pytest.mark.parametrize("container", ["WAV", "RF64", "W64", "AIFF", "CAF", "FLAC"])
def test_a_lossless_file_cut_short_is_corrupt(
    tmp_path: Path, noise: Callable[..., np.ndarray], container: str
) -> None:
    """Both libraries read a cut WAV without a word, and half a song would be separated."""
    path = tmp_path / "upload"
    soundfile.write(path, noise().T, RATE, format=container, subtype="PCM_16")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(CorruptAudio, match="cut short"):
        probe(path)
    with pytest.raises(CorruptAudio, match=r"holds \d\d% of|only 0\.\d\d s of 1\.00 s"):
        decode(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("options", [{}, {"movflags": "+faststart"}], ids=["moov last", "first"])
def test_an_mp4_cut_short_is_corrupt(
    tmp_path: Path,
    noise: Callable[..., np.ndarray],
    encode_with_ffmpeg: Callable[..., Path],
    options: dict[str, Any],
) -> None:
    path = encode_with_ffmpeg(
        tmp_path / "upload",
        noise(),
        codec="aac",
        container="ipod",
        sample_format="fltp",
        options=options,
    )
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(CorruptAudio):
        probe(path)
    with pytest.raises(CorruptAudio):
        decode(path, tmp_path / "out")


@pytest.mark.parametrize(
    ("codec", "container", "sample_format", "rate"),
    [
        ("libopus", "webm", "flt", 48_000),
        ("flac", "matroska", "s16", RATE),
        ("wmav2", "asf", "fltp", RATE),
    ],
)
def test_a_container_that_is_smaller_than_it_says_is_corrupt(
    tmp_path: Path,
    noise: Callable[..., np.ndarray],
    encode_with_ffmpeg: Callable[..., Path],
    codec: str,
    container: str,
    sample_format: str,
    rate: Any,
) -> None:
    """FFmpeg reads what is there: half a download became half a song."""
    samples = noise(2 * rate, 2, rate)
    path = encode_with_ffmpeg(
        tmp_path / "upload",
        np.rint(samples * 32767).astype(np.int16) if sample_format == "s16" else samples,
        codec=codec,
        container=container,
        sample_format=sample_format,
        rate=rate,
        bit_rate=128_000,
    )
    content = path.read_bytes()
    path.write_bytes(content + bytes(5000))
    probe(path)
    path.write_bytes(content[: len(content) * 2 // 3])
    for refused in (lambda: probe(path), lambda: decode(path, tmp_path / "out")):
        with pytest.raises(CorruptAudio, match=r"holds \d\d% of"):
            refused()
    assert not (tmp_path / "out").exists()


def test_a_live_recording_has_no_size_to_miss(
    tmp_path: Path,
    noise: Callable[..., np.ndarray],
    decoded: Callable[..., tuple[DecodedAudio, np.ndarray]],
    encode_with_ffmpeg: Callable[..., Path],
) -> None:
    """Browsers record WebM without going back to write its size."""
    path = encode_with_ffmpeg(
        tmp_path / "upload",
        noise(48_000, 2, 48_000),
        codec="libopus",
        container="webm",
        sample_format="flt",
        rate=48_000,
        options={"live": "1"},
    )
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    result, audio = decoded(path)
    assert audio.shape[1] > 20_000
    assert result.source.codec == "opus"


@pytest.mark.parametrize("share", [1.0, 0.999, 0.8])
@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_an_ogg_without_its_end_is_said_to_be(
    tmp_path: Path,
    noise: Callable[..., np.ndarray],
    decoded: Callable[..., tuple[DecodedAudio, np.ndarray]],
    subtype: str,
    share: float,
) -> None:
    """An Ogg file holds no total length: only the mark on its last page shows that it is whole."""
    path = tmp_path / "upload"
    soundfile.write(path, noise(240_000, 2, 48_000).T, 48_000, format="OGG", subtype=subtype)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    warnings = decoded(path)[0].warnings
    assert any("no end mark" in warning for warning in warnings) == (share < 1)


def test_a_file_that_has_gone_meanwhile_is_no_defect(tmp_path: Path) -> None:
    """The log asked to report it with a traceback, when a job was deleted or a file moved."""
    with pytest.raises(InvalidAudio, match=r"song\.wav cannot be read: No such file"):
        decode(tmp_path / "upload", tmp_path / "out", name="song.wav")


@pytest.mark.parametrize("change", [{"rate": 48_000}, {"n_channels": 1}])
def test_a_chain_that_changes_its_format_is_refused(
    tmp_path: Path, noise: Callable[..., np.ndarray], change: dict[str, Any]
) -> None:
    """The first recording alone was taken for the whole."""
    path, links = tmp_path / "upload", []
    for made in ({}, change):
        rate = made.get("rate", RATE)
        samples = noise(rate, made.get("n_channels", 2), rate)
        soundfile.write(path, samples.T, rate, format="OGG", subtype="VORBIS")
        links.append(path.read_bytes())
    path.write_bytes(b"".join(links))
    for refused in (lambda: probe(path), lambda: decode(path, tmp_path / "out")):
        with pytest.raises(CorruptAudio, match="number 2 changes from 2 channels at 44100 Hz to"):
            refused()


def test_a_chain_of_a_thousand_stubs_is_refused(
    tmp_path: Path, noise: Callable[..., np.ndarray]
) -> None:
    """Every link costs an open file: a small upload could use up the server's."""
    path = tmp_path / "upload"
    soundfile.write(path, noise(100).T, RATE, format="OGG", subtype="VORBIS")
    path.write_bytes(path.read_bytes() * 1001)
    with pytest.raises(InvalidAudio, match="chain of 1001 recordings"):
        probe(path)


@pytest.mark.parametrize(
    ("share", "told"), [(0.001, "none of it"), (0.5, r"only 2\.4\d s of 5\.00 s")]
)
def test_a_cut_flac_says_how_much_of_it_is_left(
    tmp_path: Path, noise: Callable[..., np.ndarray], share: float, told: str
) -> None:
    """It said 0.00 s, and for cuts in the middle as little as its other decoder got to."""
    path = tmp_path / "upload"
    soundfile.write(path, noise(5 * RATE).T, RATE, format="FLAC", subtype="PCM_16")
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(CorruptAudio, match=f"{told} can be decoded"):
        decode(path, tmp_path / "out")


def test_an_mp3_cut_short_is_a_shorter_mp3(
    tmp_path: Path,
    noise: Callable[..., np.ndarray],
    decoded: Callable[..., tuple[DecodedAudio, np.ndarray]],
) -> None:
    path = tmp_path / "upload"
    soundfile.write(path, noise().T, RATE, format="MP3")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    probe(path)
    result, audio = decoded(path)
    assert 0.3 * RATE < audio.shape[1] < 0.7 * RATE
    assert "shorter than its header" in result.warnings[0]


def test_a_wav_streamed_without_a_size_is_valid(
    tmp_path: Path,
    noise: Callable[..., np.ndarray],
    decoded: Callable[..., tuple[DecodedAudio, np.ndarray]],
) -> None:
    path = tmp_path / "upload"
    samples = noise()
    soundfile.write(path, samples.T, RATE, format="WAV", subtype="PCM_16")
    content = bytearray(path.read_bytes())
    content[4:8] = content[40:44] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    assert decoded(path)[1].shape == samples.shape


def test_flac_with_broken_frames_is_corrupt(
    tmp_path: Path, noise: Callable[..., np.ndarray]
) -> None:
    path = tmp_path / "upload"
    soundfile.write(path, noise().T, RATE, format="FLAC", subtype="PCM_16")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20_000] = bytes(20_000)
    path.write_bytes(content)
    with pytest.raises(CorruptAudio):
        decode(path, tmp_path / "out")


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_samples_that_are_no_numbers_are_corrupt(
    tmp_path: Path, noise: Callable[..., np.ndarray], value: Any, subtype: str
) -> None:
    samples = noise()
    samples[0, 700] = value
    path = tmp_path / "upload"
    soundfile.write(path, samples.T, RATE, format="WAV", subtype=subtype)
    with pytest.raises(CorruptAudio, match="non-finite"):
        decode(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_limit_of_length_is_held_by_header_and_by_count(
    tmp_path: Path, noise: Callable[..., np.ndarray]
) -> None:
    path = tmp_path / "upload"
    soundfile.write(path, noise().T, RATE, format="FLAC", subtype="PCM_16")
    with pytest.raises(AudioTooLong, match=r"1\.0 s or more; the limit is 0\.5 s"):
        probe(path, max_duration_s=0.5)
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)  # the header no longer says how long it is
    path.write_bytes(content)
    probe(path, max_duration_s=0.5)
    with pytest.raises(AudioTooLong):
        decode(path, tmp_path / "out", max_duration_s=0.5)
    assert not (tmp_path / "out").exists()


def test_cancelling_stops_and_leaves_no_file(
    tmp_path: Path, noise: Callable[..., np.ndarray]
) -> None:
    path = tmp_path / "upload"
    soundfile.write(path, noise().T, RATE, format="WAV")
    with pytest.raises(JobCancelled):
        decode(path, tmp_path / "out", cancelled=lambda: True)
    assert not (tmp_path / "out").exists()


STRANGERS = [
    ("aac", "ipod", "fltp"),
    ("alac", "ipod", "s16p"),
    ("wmav2", "asf", "fltp"),
    ("libopus", "webm", "flt"),
    ("libmp3lame", "mp3", "fltp"),
    ("flac", "flac", "s16"),
    ("pcm_s16le", "wav", "s16"),
    ("pcm_s16be", "aiff", "s16"),
]


@pytest.mark.parametrize(("codec", "container", "sample_format"), STRANGERS)
def test_damage_never_raises_anything_but_invalid_audio(
    tmp_path: Path,
    noise: Callable[..., np.ndarray],
    encode_with_ffmpeg: Callable[..., Path],
    codec: str,
    container: str,
    sample_format: str,
) -> None:
    """A decoder library's own exception would fail a job as if the fault were ours."""
    rate = 48_000 if codec == "libopus" else RATE
    samples = noise(8000, 2, rate)
    if "s16" in sample_format:
        samples = np.rint(samples * 32767).astype(np.int16)
    path = encode_with_ffmpeg(
        tmp_path / "upload",
        samples,
        codec=codec,
        container=container,
        sample_format=sample_format,
        rate=rate,
        bit_rate=128_000,
    )
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    for round_number in range(25):
        broken = bytearray(content)
        reach = len(content) if round_number % 2 else min(len(content), 200)
        for position in rng.integers(0, reach, 1 + round_number):
            broken[position] = rng.integers(0, 256)
        path.write_bytes(broken)
        for attempt in (lambda: probe(path), lambda: decode(path, tmp_path / "out")):
            with suppress(InvalidAudio):
                attempt()


@pytest.mark.parametrize("sample_rate", [192_001, 5_000_000])
def test_a_sample_rate_beyond_the_meters_is_refused(tmp_path: Path, sample_rate: int) -> None:
    """A damaged header passed the probe, and a stage failed as if by a defect of ours."""
    path = tmp_path / "song.wav"
    soundfile.write(path, np.zeros(sample_rate // 10), sample_rate)
    for refused in (lambda: probe(path), lambda: decode(path, tmp_path / "out")):
        with pytest.raises(InvalidAudio, match=f"sample rate of {sample_rate} Hz"):
            refused()


def test_the_highest_usual_sample_rate_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    soundfile.write(path, np.zeros(19_200), 192_000)
    assert probe(path).sample_rate == 192_000
