"""musicnn: its checkpoint, its network against numpy, its spectrogram, and its weights on disk."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from core.enrichment.enricher import EnrichedTrack
from core.enrichment.musicnn import weights as kept
from core.enrichment.musicnn.checkpoint import read_checkpoint
from core.enrichment.musicnn.enricher import MusicnnEnricher
from core.enrichment.musicnn.network import EPSILON, N_FRAMES, NAMES, MusicnnNetwork
from core.enrichment.musicnn.patches import SAMPLE_RATE, log_mel, read_patches
from core.enrichment.musicnn.tags import TAGS
from core.enrichment.musicnn.weights import Published, import_wheel, load_weights
from core.enrichment.settings import EnricherSettings
from core.errors import ModelUnavailable, UnsafeWeights, UploadNotFound
from stemcrate.schemas.facts import TrackFacts
from tests.unit.enrichment.checkpoints import (
    N_DIMENSIONS,
    checkpoint,
    make_patch,
    tiny_weights,
    write_wheel,
)

Arrays = dict[str, NDArray[np.float32]]
Doubles = NDArray[np.float64]


def tensors(arrays: Arrays) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def publish(folder: Path) -> tuple[Path, Published]:
    arrays = tiny_weights()
    wheel = write_wheel(folder / "musicnn.whl", arrays)
    wheel_sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return wheel, Published(wheel_sha256, kept._digest(tensors(arrays)))


def read(index: bytes, values: bytes) -> Arrays:
    return read_checkpoint(index, values, NAMES.__contains__, name="tiny")


def test_a_checkpoint_is_read_without_tensorflow() -> None:
    arrays = tiny_weights()
    optimiser = {"dense/kernel/Adam": np.ones((2, 2), np.float32)}
    found = read(*checkpoint(arrays | optimiser))
    assert found.keys() == NAMES
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("cut", [0, 20, 47, 400])
def test_a_damaged_index_is_refused(cut: int) -> None:
    index, values = checkpoint(tiny_weights())
    with pytest.raises(UnsafeWeights, match="no checkpoint"):
        read(index[:cut], values)


def test_no_number_in_a_checkpoint_is_trusted() -> None:
    """Lengths are written by whoever made the file; each byte may be anything."""
    index, values = checkpoint({"dense/bias": np.ones(3, np.float32)})
    for place in range(len(index)):
        for byte in (0, 127, 255):
            damaged = index[:place] + bytes([byte]) + index[place + 1 :]
            try:
                found = read(damaged, values)
            except UnsafeWeights:
                continue
            assert all(array.nbytes <= len(values) for array in found.values())


def test_values_beyond_the_file_and_other_types_are_refused() -> None:
    index, values = checkpoint(tiny_weights())
    with pytest.raises(UnsafeWeights, match="outside its file"):
        read(index, values[:-4])
    with pytest.raises(UnsafeWeights, match="not float32"):
        read(*checkpoint(tiny_weights(), dtype=3))
    with pytest.raises(UnsafeWeights, match="not finite"):
        read(*checkpoint({"dense/bias": np.array([np.nan], np.float32)}))


def infer_slowly(arrays: Arrays, patch: NDArray[np.float32]) -> tuple[Doubles, Doubles]:
    """The network as its publication defines it, in float64 and without torch."""
    w = {name: array.astype(np.float64) for name, array in arrays.items()}

    def norm(x: Doubles, n: int) -> Doubles:
        name = f"batch_normalization_{n}" if n else "batch_normalization"
        scale = w[f"{name}/gamma"] / np.sqrt(w[f"{name}/moving_variance"] + EPSILON)
        return (x - w[f"{name}/moving_mean"]) * scale + w[f"{name}/beta"]

    def convolve(x: Doubles, n: int, before: int, after: int) -> Doubles:
        """``x``: (time, width, 1); returns (time, places, channels)."""
        name = f"conv2d_{n}" if n else "conv2d"
        kernel = w[f"{name}/kernel"]
        x = np.pad(x, ((before, after), (0, 0), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(x[:, :, 0], kernel.shape[:2])
        return np.einsum("twij,ijc->twc", windows, kernel[:, :, 0]) + w[f"{name}/bias"]

    image = norm(patch[:, :, None].astype(np.float64), 0)
    padding = [(3, 3), (3, 3), (63, 64), (31, 32), (15, 16)]
    front = [
        norm(np.maximum(convolve(image, n, *padding[n]), 0), n + 1).max(axis=1) for n in range(5)
    ]
    layers = [np.concatenate(front, axis=1)]
    for n in (5, 6, 7):
        layer = norm(np.maximum(convolve(layers[-1][:, :, None], n, 3, 3), 0), n + 1)[:, 0]
        layers.append(layer + layers[-1] if n > 5 else layer)
    features = np.concatenate(layers, axis=1)
    pooled = np.stack([features.max(axis=0), features.mean(axis=0)], axis=1).reshape(-1)
    hidden = np.maximum(norm(pooled, 9) @ w["dense/kernel"] + w["dense/bias"], 0)
    embedding = norm(hidden, 10)
    logits = embedding @ w["dense_1/kernel"] + w["dense_1/bias"]
    return 1 / (1 + np.exp(-logits)), embedding


def test_the_network_computes_what_its_definition_says() -> None:
    arrays = tiny_weights()
    patches = np.stack([make_patch(0), make_patch(1)])
    scores, embeddings = MusicnnNetwork(tensors(arrays)).infer(patches)
    for n in range(2):
        expected, embedding = infer_slowly(arrays, patches[n])
        np.testing.assert_allclose(scores[n], expected, atol=1e-5)
        np.testing.assert_allclose(embeddings[n], embedding, rtol=1e-4, atol=1e-4)


def test_weights_that_do_not_fit_are_refused() -> None:
    arrays = tensors(tiny_weights())
    with pytest.raises(UnsafeWeights, match="they lack dense/bias"):
        MusicnnNetwork({name: w for name, w in arrays.items() if name != "dense/bias"})
    arrays["dense/kernel"] = torch.zeros(3, 3)
    with pytest.raises(UnsafeWeights, match="do not fit"):
        MusicnnNetwork(arrays)


def test_a_tone_is_in_its_band() -> None:
    """1 kHz is mel 15 of 45.2, so band 32 of 96."""
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    mel = log_mel(np.sin(2 * np.pi * 1000 * time).astype(np.float32))
    assert set(mel.argmax(axis=1)) <= {31, 32}
    assert mel.dtype == np.float32


def test_loud_recordings_stay_finite() -> None:
    """In float16, as the original computes it, full scale overflows to NaN everywhere."""
    mel = log_mel(np.ones(4096, np.float32) * np.float32(8.0))
    assert np.isfinite(mel).all()
    assert mel.max() > np.log10(np.finfo(np.float16).max)


@pytest.mark.parametrize(("seconds", "n"), [(0.0, 1), (0.5, 1), (3.0, 1), (6.1, 2), (9.2, 3)])
def test_a_recording_is_cut_into_patches(seconds: float, n: int) -> None:
    rng = np.random.default_rng(3)
    samples = rng.standard_normal((2, round(seconds * SAMPLE_RATE))).astype(np.float32) * 0.1
    whole = list(read_patches(SAMPLE_RATE, [samples]))
    assert [patch.shape for patch in whole] == [(N_FRAMES, 96)] * n
    blocks = [samples[:, i : i + 1000] for i in range(0, samples.shape[1], 1000)]
    for one, other in zip(whole, read_patches(SAMPLE_RATE, blocks), strict=True):
        np.testing.assert_array_equal(one, other)


def test_weights_are_taken_from_the_published_wheel_alone(tmp_path: Path) -> None:
    wheel, published = publish(tmp_path)
    path = import_wheel(wheel, tmp_path / "models", published)
    assert (path.parent / "LICENSE.md").read_text() == "ISC"
    assert load_weights(tmp_path / "models", published).keys() == NAMES
    with pytest.raises(UnsafeWeights, match="SHA-256"):
        import_wheel(wheel, tmp_path / "other")
    assert not (tmp_path / "other").exists()
    with pytest.raises(ModelUnavailable, match="cannot be read"):
        import_wheel(tmp_path / "none.whl", tmp_path / "other")
    with pytest.raises(UnsafeWeights, match="SHA-256"):
        load_weights(tmp_path / "models")
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(UnsafeWeights, match="cannot be read"):
        load_weights(tmp_path / "models", published)


def test_missing_weights_say_how_to_get_them(tmp_path: Path) -> None:
    enricher = MusicnnEnricher(EnricherSettings(weights_dir=tmp_path))
    with pytest.raises(ModelUnavailable) as raised:
        enricher.enrich(EnrichedTrack("0" * 64, "a.wav", tmp_path / "a.wav", TrackFacts()))
    assert "stemcrate models import musicnn" in raised.value.hint


def test_a_file_gets_tags_and_an_embedding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.signals import make_song
    from tests.unit.library.songs import RATE, encode

    wheel, published = publish(tmp_path)
    import_wheel(wheel, tmp_path, published)
    monkeypatch.setattr(load_weights, "__defaults__", (published,))
    enricher = MusicnnEnricher(EnricherSettings(weights_dir=tmp_path))
    song = encode(tmp_path / "song.wav", make_song(4.0, RATE, seed=1), "wav")
    found = enricher.enrich(EnrichedTrack("0" * 64, "song.wav", song, TrackFacts()))
    assert [tag.name for tag in found.tags] == list(TAGS)
    assert found.embedding is not None
    assert found.embedding.shape == (N_DIMENSIONS,)
    with pytest.raises(UploadNotFound, match="missing"):
        enricher.enrich(EnrichedTrack("0" * 64, "gone.wav", None, TrackFacts()))
