"""Reading a file once, block by block, without a file in between."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from core.audio.buffer import Samples
from core.audio.reading.decode import decode, read_through
from core.audio.writing.wavefile import AudioReader
from core.errors import CorruptAudio, JobCancelled, NotAudio
from tests.signals import make_song


def _collect(sample_rate: int, n_channels: int, blocks: Iterator[Samples]) -> Any:
    return sample_rate, n_channels, np.concatenate(list(blocks), axis=1)


@pytest.mark.parametrize("n_channels", [1, 2, 6])
def test_the_samples_are_those_that_decoding_writes(tmp_path: Path, n_channels: int) -> None:
    """Two ways to read a file must not give two analyses of it."""
    path = tmp_path / "song.flac"
    samples = np.tile(make_song(7.0, 44100, 1), (n_channels, 1))
    soundfile.write(path, samples.T, 44100, format="FLAC")
    decoded = decode(path, tmp_path / "out.wav")
    source, (sample_rate, channels, read) = read_through(path, _collect)
    assert (sample_rate, channels) == (decoded.sample_rate, decoded.n_channels)
    assert source == decoded.source
    with AudioReader(tmp_path / "out.wav") as reader:
        np.testing.assert_array_equal(read, reader.read())


def test_a_broken_file_is_refused_and_nothing_is_returned(tmp_path: Path) -> None:
    path = tmp_path / "cut.flac"
    soundfile.write(path, make_song(5.0, 44100).T, 44100, format="FLAC")
    path.write_bytes(path.read_bytes()[:-20_000])
    with pytest.raises(CorruptAudio, match="cut"):
        read_through(path, _collect)


def test_what_is_no_audio_is_never_handed_on(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no music")
    with pytest.raises(NotAudio):
        read_through(path, lambda *_: pytest.fail("called"))


def test_it_stops_when_told_to(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    soundfile.write(path, make_song(3.0, 44100).T, 44100)
    with pytest.raises(JobCancelled):
        read_through(path, _collect, cancelled=lambda: True)
