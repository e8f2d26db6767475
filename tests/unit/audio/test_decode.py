"""What may go wrong between a client's bytes and our float32: level, place, length, content."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.audio.decode import decode, probe
from core.errors import (
    AudioTooLong,
    CorruptAudio,
    EmptyFile,
    JobCancelled,
    NotAudio,
    ZeroDuration,
)

RATE = 44_100


PCM = [
    (container, subtype)
    for container in ("WAV", "RF64", "AIFF", "FLAC", "CAF")
    for subtype in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32")
    if soundfile.check_format(container, subtype)
]


@pytest.mark.parametrize("n_channels", [1, 2])
@pytest.mark.parametrize(("container", "subtype"), PCM)
def test_every_code_of_a_pcm_file_arrives(tmp_path, decoded, container, subtype, n_channels):
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
def test_float_files_are_known_as_such(tmp_path, noise, decoded, subtype, bits):
    samples = noise()
    path = tmp_path / "upload"
    soundfile.write(path, samples.T, RATE, format="WAV", subtype=subtype)
    result, audio = decoded(path)
    np.testing.assert_array_equal(audio, samples)
    assert (result.source.bit_depth, result.source.is_float) == (bits, True)


@pytest.mark.parametrize(
    ("container", "subtype"), [("MP3", "MPEG_LAYER_III"), ("OGG", "VORBIS"), ("OGG", "OPUS")]
)
def test_lossy_files_of_libsndfile_line_up(tmp_path, noise, decoded, lag, container, subtype):
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
    tmp_path,
    noise,
    decoded,
    lag,
    encode_with_ffmpeg,
    codec,
    container,
    sample_format,
    rate,
    with_video,
):
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
    # FFmpeg's MP4 edit list counts milliseconds, rounded up.
    assert 0 <= audio.shape[1] - samples.shape[1] < rate / 1000


def test_wma_is_read_though_its_container_names_no_delay(
    tmp_path, noise, decoded, lag, encode_with_ffmpeg
):
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
def test_alac_is_exact(tmp_path, noise, decoded, encode_with_ffmpeg, sample_format, bits):
    codes = np.rint(noise() * 2 ** (bits - 1)).astype(np.int32)
    written = codes << 8 if bits == 24 else codes.astype(np.int16)
    path = encode_with_ffmpeg(
        tmp_path / "upload", written, codec="alac", container="ipod", sample_format=sample_format
    )
    result, audio = decoded(path)
    np.testing.assert_array_equal(audio * 2 ** (bits - 1), codes)
    assert (result.source.bit_depth, result.source.decoder) == (bits, "pyav")


def test_flac_without_a_length_is_decoded_by_the_other_decoder(tmp_path, noise, decoded):
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


def test_float_samples_beyond_full_scale_are_kept(tmp_path, decoded):
    path = tmp_path / "upload"
    soundfile.write(path, np.array([0.5, -3.0, 2.5]), RATE, format="WAV", subtype="FLOAT")
    assert decoded(path)[1].tolist() == [[0.5, -3.0, 2.5]]


def test_one_sample_is_a_recording(tmp_path, decoded):
    path = tmp_path / "upload"
    soundfile.write(path, np.array([0.5]), RATE, format="WAV", subtype="PCM_16")
    assert decoded(path)[1].tolist() == [[0.5]]


@pytest.mark.parametrize("container", ["WAVEX", "WAV", "FLAC"])
def test_surround_is_mixed_down_by_its_layout(tmp_path, decoded, container):
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
def test_what_is_not_audio_is_refused(tmp_path, noise, content):
    """The playlists name a file that exists: a decoder that followed them would read our disk."""
    soundfile.write(tmp_path / "song.wav", noise(1000).T, RATE)
    path = tmp_path / "holiday.wav"
    path.write_bytes(content)
    for refused in (lambda: probe(path), lambda: decode(path, tmp_path / "out")):
        with pytest.raises(NotAudio, match=r"holiday\.wav"):
            refused()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("seed", range(8))
def test_random_bytes_are_not_audio(tmp_path, seed):
    path = tmp_path / "upload"
    path.write_bytes(np.random.default_rng(seed).bytes(100_000))
    with pytest.raises(NotAudio):
        probe(path)


def test_video_without_sound_is_not_audio(tmp_path, noise, encode_with_ffmpeg):
    import av

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


def test_an_empty_file_is_named_by_the_clients_name(tmp_path):
    path = tmp_path / "0a1b2c"
    path.touch()
    with pytest.raises(EmptyFile, match=r"^Song\.mp3 ") as caught:
        probe(path, name="Song.mp3")
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("container", ["WAV", "AIFF"])
def test_a_file_without_samples_has_zero_duration(tmp_path, container):
    path = tmp_path / "upload"
    soundfile.write(path, np.zeros((0, 2)), RATE, format=container, subtype="PCM_16")
    with pytest.raises(ZeroDuration):
        probe(path)
    with pytest.raises(ZeroDuration):
        decode(path, tmp_path / "out")


@pytest.mark.parametrize("container", ["WAV", "RF64", "AIFF", "FLAC"])
def test_a_lossless_file_cut_short_is_corrupt(tmp_path, noise, container):
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
def test_an_mp4_cut_short_is_corrupt(tmp_path, noise, encode_with_ffmpeg, options):
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


def test_an_mp3_cut_short_is_a_shorter_mp3(tmp_path, noise, decoded):
    path = tmp_path / "upload"
    soundfile.write(path, noise().T, RATE, format="MP3")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    probe(path)
    result, audio = decoded(path)
    assert 0.3 * RATE < audio.shape[1] < 0.7 * RATE
    assert "shorter than its header" in result.warnings[0]


def test_a_wav_streamed_without_a_size_is_valid(tmp_path, noise, decoded):
    path = tmp_path / "upload"
    samples = noise()
    soundfile.write(path, samples.T, RATE, format="WAV", subtype="PCM_16")
    content = bytearray(path.read_bytes())
    content[4:8] = content[40:44] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    assert decoded(path)[1].shape == samples.shape


def test_flac_with_broken_frames_is_corrupt(tmp_path, noise):
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
def test_samples_that_are_no_numbers_are_corrupt(tmp_path, noise, value, subtype):
    samples = noise()
    samples[0, 700] = value
    path = tmp_path / "upload"
    soundfile.write(path, samples.T, RATE, format="WAV", subtype=subtype)
    with pytest.raises(CorruptAudio, match="no numbers"):
        decode(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_limit_of_length_is_held_by_header_and_by_count(tmp_path, noise):
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


def test_cancelling_stops_and_leaves_no_file(tmp_path, noise):
    path = tmp_path / "upload"
    soundfile.write(path, noise().T, RATE, format="WAV")
    with pytest.raises(JobCancelled):
        decode(path, tmp_path / "out", cancelled=lambda: True)
    assert not (tmp_path / "out").exists()


def test_progress_rises_to_one(tmp_path, noise, decoded):
    path = tmp_path / "upload"
    soundfile.write(path, noise(600_000, 1).T, RATE, format="WAV")
    seen: list[float] = []
    decoded(path, progress=seen.append)
    assert seen == sorted(seen)
    assert len(seen) > 1
    assert seen[-1] == 1.0


@pytest.mark.parametrize("name", ["a.raw", "a.mp3", "a.txt", "a.sd2", "http:__x", "no suffix"])
def test_the_file_name_decides_nothing(tmp_path, noise, decoded, name):
    path: Path = tmp_path / name
    soundfile.write(path, noise(3000).T, RATE, format="WAV", subtype="PCM_16")
    assert decoded(path)[1].shape == (2, 3000)
