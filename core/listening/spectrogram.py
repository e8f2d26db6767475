"""A lane's mel spectrum over time as a small grey picture, measured block by block.

Column ``x`` of a picture ``width`` wide covers the frames from ``x * n_frames / width`` on; the
lowest band is the bottom row. Grey 0 is -90 dB and 255 is -10 dB, linear in between.
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.analysis.signal import mel_filters, to_mono
from core.audio.buffer import Samples

_Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SpectrogramRules:
    """The picture of a spectrum.

    Parameters
    ----------
    window_s : least length of a window; the next power of two of frames is taken, 46 ms at
        44.1 kHz, which resolves both a kick and a bass line.
    n_bands : rows. More lie within one bin of the spectrum at the bass.
    top_hz : the highest frequency drawn.
    max_columns : of any recording: twice the pixels of a wide screen.
    hop_windows : windows that overlap, where the picture has columns for them.
    floor_db, top_db : levels of black and white, relative to a sine at full scale. Bands are means
        over many bins, so that no music reaches 0 dB.
    quality : of the WebP, 0 to 100; at 80 no compression is seen, at a fifth of the size of PNG.
    """

    window_s: float = 0.04
    n_bands: int = 128
    top_hz: float = 20_000.0
    max_columns: int = 4096
    hop_windows: tuple[int, int] = (2, 16)
    floor_db: float = -90.0
    top_db: float = -10.0
    quality: int = 80


RULES = SpectrogramRules()


def draw_spectrogram(blocks: Iterable[Samples], sample_rate: int, n_frames: int) -> bytes:
    """Return the picture of a recording as WebP.

    Parameters
    ----------
    blocks : float32 ``(n_channels, n)`` each, ``n_frames`` in all.
    """
    levels_db = 10 * np.log10(np.maximum(measure_bands(blocks, sample_rate, n_frames), 1e-12))
    grey = (levels_db - RULES.floor_db) / (RULES.top_db - RULES.floor_db) * 255
    pixels = np.clip(np.rint(grey), 0, 255).astype(np.uint8).T[::-1]
    file = io.BytesIO()
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    picture.save(file, "WEBP", quality=RULES.quality, method=2)
    return file.getvalue()


def measure_bands(blocks: Iterable[Samples], sample_rate: int, n_frames: int) -> _Matrix:
    """Return the mean power in each column and band, ``(n_columns, n_bands)``; a sine has 1."""
    n_fft = 1 << int(np.ceil(np.log2(max(RULES.window_s * sample_rate, 2))))
    widest, finest = (n_fft // n for n in RULES.hop_windows)
    hop = min(widest, max(finest, n_frames // RULES.max_columns))
    n_windows = -(-n_frames // hop)
    n_columns = min(RULES.max_columns, n_windows)
    columns = np.arange(n_windows) * n_columns // n_windows
    window = np.hanning(n_fft + 1)[:-1].astype(np.float32)
    window *= 2 / window.sum()
    filters = np.ascontiguousarray(
        mel_filters(sample_rate, n_fft, RULES.n_bands, top_hz=RULES.top_hz).T
    )
    bands = np.zeros((n_columns, RULES.n_bands), dtype=np.float32)
    done, rest = 0, np.zeros(n_fft // 2, dtype=np.float32)
    for mono in _monos(blocks, n_fft):
        rest = np.concatenate([rest, mono])
        n_ready = min(n_windows - done, max(0, (len(rest) - n_fft) // hop + 1))
        if not n_ready:
            continue
        frames = np.lib.stride_tricks.sliding_window_view(rest, n_fft)[::hop][:n_ready]
        magnitudes: _Matrix = np.abs(np.fft.rfft(frames * window))
        np.add.at(bands, columns[done : done + n_ready], np.square(magnitudes) @ filters)
        done += n_ready
        rest = rest[n_ready * hop :]
    n_windows_of = np.bincount(columns, minlength=n_columns).astype(np.float32)
    means: _Matrix = bands / n_windows_of[:, None]
    return means


def _monos(blocks: Iterable[Samples], n_fft: int) -> Iterable[NDArray[np.float32]]:
    """Yield the blocks mixed down, then the silence that the last windows overlap."""
    yield from map(to_mono, blocks)
    yield np.zeros(2 * n_fft, dtype=np.float32)
