"""Makes what a player asks for, in the listener's processes: segments, pictures, waveforms."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from core.audio.buffer import Samples
from core.audio.metering.audiowaveform import encode_bands, encode_dat
from core.audio.metering.waveform_data import WaveformMeter
from core.audio.writing.encode import Encoder
from core.audio.writing.quantise import quantise
from core.listening.lanes import Lane, TrackLanes, segment_name
from core.listening.reading import LaneReader
from core.listening.spectrogram import draw_spectrogram
from core.system.atomic import atomic_path, write_atomically
from core.system.threads import one_blas_thread


def make_segment(track: TrackLanes, lane: Lane, number: int, destination: Path) -> None:
    """Write one segment of a lane whose files can be read from anywhere."""
    with LaneReader(track, lane) as reader:
        _write_flac(track, lane, reader.read(*track.segment(number)), destination)


def make_segments(track: TrackLanes, lane: Lane, folder: Path) -> Iterator[int]:
    """Write all segments of a lane, the first one first, and yield the number of each."""
    with LaneReader(track, lane) as reader:
        for number, samples in enumerate(reader.blocks()):
            destination = folder / segment_name(number)
            if not destination.exists():
                _write_flac(track, lane, samples, destination)
            yield number


def make_waveform(track: TrackLanes, lane: Lane, folder: Path) -> None:
    """Write a lane's ``waveform.dat`` and ``waveform.bands``, before its gain."""
    meter = WaveformMeter(track.sample_rate, track.n_channels)
    factor = np.float32(10 ** (-lane.gain_db / 20))
    with one_blas_thread(), LaneReader(track, lane) as reader:
        for block in reader.blocks():
            meter.add(block * factor)
    finest = meter.finish().levels[0]
    write_atomically(folder / "waveform.dat", encode_dat(finest, track.sample_rate))
    write_atomically(folder / "waveform.bands", encode_bands(finest, track.sample_rate))


def make_spectrogram(track: TrackLanes, lane: Lane, destination: Path) -> None:
    """Write the picture of a lane's spectrum over time."""
    with one_blas_thread(), LaneReader(track, lane) as reader:
        picture = draw_spectrogram(reader.blocks(), track.sample_rate, track.n_frames)
    write_atomically(destination, picture)


def _write_flac(track: TrackLanes, lane: Lane, samples: Samples, destination: Path) -> None:
    codes = quantise(samples / np.float32(lane.scale), lane.bit_depth)
    with (
        atomic_path(destination) as temporary,
        Encoder(
            temporary,
            format="flac",
            bit_depth=str(lane.bit_depth),
            sample_rate=track.sample_rate,
            n_channels=track.n_channels,
        ) as encoder,
    ):
        encoder.write_codes(codes)
