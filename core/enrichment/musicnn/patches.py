"""Log-mel spectrograms of 3 s, as musicnn was trained on, block by block.

16 kHz mono; Hann windows of 512 samples, 256 apart; power in 96 bands by Slaney's mel scale, each
of unit area; log10(1 + 10,000 power), in float32: in float16, as the original has it, loud
recordings overflow.

Reference: Slaney, "Auditory Toolbox", 1998.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from core.audio.buffer import Samples
from core.audio.resample import StreamResampler
from core.enrichment.musicnn.network import N_BANDS, N_FRAMES

SAMPLE_RATE = 16_000
N_FFT = 512
HOP = 256
_PATCH = N_FRAMES * HOP
_READ = _PATCH - HOP + N_FFT  # a patch's samples with the overlap of its last frame
_BREAK_HZ, _BREAK_MEL, _STEP = 1000.0, 15.0, np.log(6.4) / 27.0

Floats = NDArray[np.float32]


def read_patches(sample_rate: int, blocks: Iterable[Samples]) -> Iterator[Floats]:
    """Yield spectrograms of shape ``(N_FRAMES, N_BANDS)``, one after the other.

    What remains after the last whole patch is left out; a recording shorter than one is filled up
    with silence. Blocks are float32 ``(n_channels, n)``.
    """
    resampler = StreamResampler(sample_rate, SAMPLE_RATE, 1, is_heard=False)
    # The first frame is centred on the first sample.
    kept = np.zeros(N_FFT // 2, dtype=np.float32)
    is_first = True
    for block in blocks:
        mono = resampler.add(block.mean(axis=0, keepdims=True, dtype=np.float32))
        kept = np.concatenate([kept, mono[0]])
        while len(kept) >= _READ:
            yield log_mel(kept[:_READ])
            kept, is_first = kept[_PATCH:], False
    kept = np.concatenate([kept, resampler.flush()[0], np.zeros(N_FFT // 2, dtype=np.float32)])
    while len(kept) >= _READ:
        yield log_mel(kept[:_READ])
        kept, is_first = kept[_PATCH:], False
    if is_first:
        yield log_mel(np.pad(kept, (0, _READ - len(kept))))


def log_mel(samples: Floats) -> Floats:
    """Return the spectrogram of samples at `SAMPLE_RATE`, one row for each whole frame."""
    spectrum = torch.stft(
        torch.from_numpy(np.ascontiguousarray(samples)),
        N_FFT,
        HOP,
        window=torch.hann_window(N_FFT),
        center=False,
        return_complex=True,
    )
    power = spectrum.abs().square().T @ _BANDS
    found: Floats = torch.log10(1.0 + 10_000.0 * power).numpy()
    return found


def _mel_bands() -> Floats:
    """Return the weights of the bands, shape ``(n_bins, N_BANDS)``."""
    edges = _mel_to_hz(np.linspace(0.0, _hz_to_mel(SAMPLE_RATE / 2), N_BANDS + 2))
    bins_hz = np.arange(N_FFT // 2 + 1) * SAMPLE_RATE / N_FFT
    widths = np.diff(edges)
    rising = (bins_hz[:, None] - edges[None, :-2]) / widths[:-1]
    falling = (edges[None, 2:] - bins_hz[:, None]) / widths[1:]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    bands: Floats = (triangles * 2.0 / (edges[2:] - edges[:-2])).astype(np.float32)
    return bands


def _hz_to_mel(hz: float) -> float:
    """Convert a frequency above 1 kHz."""
    return float(_BREAK_MEL + np.log(hz / _BREAK_HZ) / _STEP)


def _mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    high = _BREAK_HZ * np.exp(_STEP * (mel - _BREAK_MEL))
    return np.where(mel < _BREAK_MEL, mel * _BREAK_HZ / _BREAK_MEL, high)


_BANDS = torch.from_numpy(_mel_bands())
