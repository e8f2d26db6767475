from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional

from core.errors import JobCancelled
from core.separation.models.base import SeparatorModel
from tests.unit.separation.measure import RATE, level_db, make_noise, snr_db

pytestmark = pytest.mark.slow


def separate_whole(model: Any, mixture: Any) -> Any:
    """The vocals by whole-file maths: one STFT, one inverse STFT, both from torch."""
    n_samples = mixture.shape[1]
    padded = functional.pad(torch.from_numpy(mixture), (0, -n_samples % 1024))
    window = torch.hann_window(4096)
    options = {"n_fft": 4096, "hop_length": 1024, "window": window, "center": True}
    spectrum = torch.stft(padded, **options, pad_mode="constant", return_complex=True)
    n_frames = spectrum.shape[-1]
    seen = functional.pad(spectrum.abs()[:, :1024], (0, -n_frames % 512))
    blocks = torch.stack(seen.split(512, dim=-1)).transpose(2, 3)
    with torch.inference_mode():
        vocals, rest = (network(blocks) ** 2 for network in model._networks)
    mask = (vocals + 0.5e-10) / (vocals + rest + 1e-10)
    mask = torch.cat(list(mask.transpose(2, 3)), dim=-1)[..., :n_frames]
    above = mask[:, 896:].mean(dim=1, keepdim=True).expand(-1, 1025, -1)
    masked = spectrum * torch.cat([mask, above], dim=1)
    return torch.istft(masked, **options)[:, :n_samples].numpy()


@pytest.fixture(scope="module")
def clip_stems(spleeter: SeparatorModel, clip: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
    return spleeter.separate(clip, RATE)


def test_a_real_song(clip: NDArray[np.float32], clip_stems: Any) -> None:
    vocals, accompaniment = clip_stems["vocals"], clip_stems["accompaniment"]
    assert level_db(vocals[:, : 2 * RATE]) < -60  # nobody sings there
    assert level_db(vocals) == pytest.approx(-19.0, abs=0.5)
    assert level_db(accompaniment) == pytest.approx(-13.2, abs=0.5)
    assert abs(np.corrcoef(vocals.ravel(), accompaniment.ravel())[0, 1]) < 0.15
    assert snr_db(clip, vocals + accompaniment) > 100


def test_blocks_give_what_whole_file_maths_gives(
    spleeter: SeparatorModel, clip: NDArray[np.float32]
) -> None:
    """Three blocks of 512 frames and a ragged end: the seams must not be there."""
    mixture = np.concatenate([clip, clip[:, ::-1], clip], axis=1)[:, : 27 * RATE + 123]
    expected = separate_whole(spleeter, mixture)
    stems = spleeter.separate(mixture, RATE)
    assert snr_db(expected, stems["vocals"]) > 100
    assert snr_db(mixture - expected, stems["accompaniment"]) > 100


def test_above_11_khz_both_stems_have_something(clip: NDArray[np.float32], clip_stems: Any) -> None:
    """Spleeter's famous hole: everything above 11 kHz was lost."""
    first = round(11_500 * clip.shape[1] / RATE)
    spectra = {name: np.fft.rfft(samples)[:, first:] for name, samples in clip_stems.items()}
    mixture = np.fft.rfft(clip)[:, first:]
    assert snr_db(mixture.real, np.add(*spectra.values()).real) > 80
    assert level_db(abs(spectra["vocals"])) > level_db(abs(mixture)) - 30


@pytest.mark.parametrize(
    ("rate", "n_channels", "n_samples"),
    [(44100, 1, 1), (44100, 2, 1024), (48000, 2, 30_001), (96000, 1, 30_001)],
)
def test_shape_at_any_rate(
    spleeter: SeparatorModel, rate: int, n_channels: int, n_samples: int
) -> None:
    mixture = make_noise(n_samples, n_channels=n_channels)
    stems = spleeter.separate(mixture, rate)
    assert list(stems) == ["vocals", "accompaniment"]
    assert all(samples.shape == mixture.shape for samples in stems.values())
    if rate == RATE:
        assert snr_db(mixture, np.add(*stems.values())) > 100


def test_mono_is_the_mean_of_equal_channels(
    spleeter: SeparatorModel, clip: NDArray[np.float32]
) -> None:
    mono = clip[:1, : 3 * RATE]
    stereo = spleeter.separate(np.repeat(mono, 2, axis=0), RATE)["vocals"]
    alone = spleeter.separate(mono, RATE)["vocals"]
    np.testing.assert_allclose(alone[0], stereo.mean(axis=0), atol=1e-7)


def test_block_boundaries_in_length(spleeter: SeparatorModel) -> None:
    """A last block of one frame, and one that ends with the grid, are both whole."""
    for n_frames in (512, 513):
        mixture = make_noise((n_frames - 1) * 1024)
        stems = spleeter.separate(mixture, RATE)
        assert snr_db(mixture, np.add(*stems.values())) > 100
        assert stems["vocals"][:, -1024:].any()


def test_silence_and_a_silent_middle(spleeter: SeparatorModel, clip: NDArray[np.float32]) -> None:
    silent = spleeter.separate(np.zeros((2, RATE), np.float32), RATE)
    assert not any(samples.any() for samples in silent.values())
    mixture = clip[:, : 3 * RATE].copy()
    mixture[:, RATE : 2 * RATE] = 0
    stems = spleeter.separate(mixture, RATE)
    # Half a window into the gap the spectrum is exactly zero.
    gap = np.s_[:, RATE + 4096 : 2 * RATE - 4096]
    assert not any(samples[gap].any() for samples in stems.values())


def test_progress_and_cancel_at_each_block(
    spleeter: SeparatorModel, clip: NDArray[np.float32]
) -> None:
    mixture, seen = np.concatenate([clip, clip], axis=1), []
    spleeter.separate(mixture, RATE, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[0] == 0.0
    assert seen[-1] == 1.0
    heard = []
    with pytest.raises(JobCancelled):
        spleeter.separate(mixture, RATE, progress=heard.append, cancelled=lambda: len(heard) == 2)
    assert len(heard) == 2


def test_what_the_manifest_records(spleeter: SeparatorModel) -> None:
    assert len(spleeter.weights_sha256) == 64
    assert "MIT" in spleeter.licence
    assert spleeter.residual_stem == "accompaniment"
