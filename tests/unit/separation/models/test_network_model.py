"""The families of pymss-core: real networks, tiny, loaded by the real code from MODEL_DIR."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from core.audio.buffer import Samples
from core.errors import JobCancelled, ModelUnavailable, UnsafeWeights
from core.separation.models.base import SeparatorModel
from core.separation.models.factory import SeparatorFactory
from core.separation.streaming.effort import PRESETS
from core.separation.streaming.overlap_add import triangle
from tests.models import (
    TINY_CHUNK,
    TINY_NETWORKS,
    make_network_config,
    make_tiny_network,
    write_tiny_network,
)
from tests.unit.separation.measure import RATE, make_noise, make_store, snr_db

FAMILIES = tuple(TINY_NETWORKS)
SIX = ("Vocals", "Drums", "Bass", "Guitar", "Piano", "Other")
# SCNet names no window, and torch says so at each transform of the reference.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:A window was not provided:UserWarning"),
]


def create(folder: Path, **options: Any) -> SeparatorModel:
    return SeparatorFactory.create("mine", device="cpu", model_dir=folder, **options)


def run_plainly(network: Any, chunk: Samples) -> NDArray[Any]:
    with torch.inference_mode():
        stems = network(torch.from_numpy(np.ascontiguousarray(chunk))[None])[0].numpy()
    stems = stems if stems.ndim == 3 else stems[None]
    return np.pad(stems, ((0, 0), (0, 0), (0, chunk.shape[1] - stems.shape[2])))


@pytest.mark.parametrize("suffix", [".safetensors", ".ckpt"])
@pytest.mark.parametrize("family", FAMILIES)
def test_one_chunk_is_what_the_network_itself_gives(
    tmp_path: Path, family: Any, suffix: Any
) -> None:
    """Weights under wrong names, a lost axis or a shifted chunk would still sound like stems."""
    write_tiny_network(tmp_path, family, suffix=suffix, seed=3)
    mixture = make_noise(TINY_CHUNK)
    stems = create(tmp_path).separate(mixture, RATE)
    network = make_tiny_network(family, make_network_config(family), seed=3)
    expected = run_plainly(network, mixture)
    assert list(stems) == ["vocals", "other"]
    for stem, reference in zip(stems.values(), expected, strict=True):
        assert snr_db(reference, stem) > 110


@pytest.mark.parametrize("family", FAMILIES)
def test_a_mixture_of_many_chunks_has_no_seam(tmp_path: Path, family: Any) -> None:
    """Chunks weighted, mirrored or cut wrongly differ from the plain sum at their joins."""
    write_tiny_network(tmp_path, family, num_overlap=4)
    mixture = make_noise(9001)
    stems = create(tmp_path).separate(mixture, RATE)
    margin = 3 * TINY_CHUNK // 4
    padded = np.pad(mixture, ((0, 0), (margin, margin)), mode="reflect")
    network = make_tiny_network(family, make_network_config(family))
    total, weight = np.zeros((2, *padded.shape)), np.zeros(padded.shape[1])
    start, length = 0, padded.shape[1]
    while True:
        stop = min(start + TINY_CHUNK, length)
        before = (TINY_CHUNK - (stop - start)) // 2
        # The last chunk is padded on both sides: by the mixture, and by zeros beyond its ends.
        first = start - before
        chunk = np.pad(padded, ((0, 0), (0, TINY_CHUNK)))[:, first : first + TINY_CHUNK]
        part = run_plainly(network, chunk)[..., before : before + stop - start]
        weights = triangle(TINY_CHUNK).numpy()[: stop - start]
        total[..., start:stop] += weights * part
        weight[start:stop] += weights
        if stop == length:
            break
        start += TINY_CHUNK // 4
    expected = (total / weight)[..., margin:-margin]
    for stem, reference in zip(stems.values(), expected, strict=True):
        assert stem.shape == mixture.shape
        assert snr_db(reference, stem) > 100


@pytest.mark.parametrize("family", FAMILIES)
def test_what_a_single_output_leaves_is_the_other_stem(tmp_path: Path, family: Any) -> None:
    """Most published RoFormers give the vocals alone; the rest has to null with them."""
    write_tiny_network(tmp_path, family, instruments=("Vocals", "Instrumental"), target="Vocals")
    model = create(tmp_path)
    assert model.stems == ("vocals", "accompaniment")
    assert model.residual_stem == "accompaniment"
    mixture = make_noise(6000)
    stems = model.separate(mixture, RATE)
    assert stems["vocals"].any()
    np.testing.assert_allclose(sum(stems.values()), mixture, atol=1e-7)
    alone = model.separate(mixture, RATE, stems=["accompaniment"])
    np.testing.assert_array_equal(alone["accompaniment"], stems["accompaniment"])


@pytest.mark.parametrize("family", FAMILIES)
def test_six_stems(tmp_path: Path, family: Any) -> None:
    write_tiny_network(tmp_path, family, instruments=SIX)
    model = create(tmp_path)
    assert model.stems == ("vocals", "drums", "bass", "guitar", "piano", "other")
    assert model.residual_stem == "other"
    mixture = make_noise(5000)
    stems = model.separate(mixture, RATE)
    assert len({samples.tobytes() for samples in stems.values()}) == 6
    some = model.separate(mixture, RATE, stems=["piano", "bass"])
    assert list(some) == ["bass", "piano"]
    for stem, samples in some.items():
        np.testing.assert_array_equal(samples, stems[stem])


def test_stems_without_a_remainder_have_no_residual_stem(tmp_path: Path) -> None:
    """A residual folded into the snare drum would be heard there."""
    write_tiny_network(tmp_path, "mdx23c", instruments=("kick", "snare", "hi hat"))
    model = create(tmp_path)
    assert model.stems == ("kick", "snare", "hi_hat")
    assert model.residual_stem is None


def test_the_rate_of_the_config_is_the_models(tmp_path: Path) -> None:
    write_tiny_network(tmp_path, "bs_roformer", sample_rate=48000)
    model = create(tmp_path)
    assert model.sample_rate == 48000
    stems = model.separate(make_noise(7001), RATE)
    assert {samples.shape for samples in stems.values()} == {(2, 7001)}


@pytest.mark.parametrize("normalize", [False, True])
def test_networks_that_want_a_scaled_mixture_get_one(tmp_path: Path, normalize: bool) -> None:
    """Trained on mixtures of deviation 1, a network hears a quiet song as silence."""
    write_tiny_network(tmp_path, "scnet", normalize=normalize)
    model, mixture = create(tmp_path), make_noise(9000)
    loud, quiet = (model.separate(gain * mixture, RATE)["vocals"] for gain in (1.0, 0.125))
    assert (snr_db(loud, 8 * quiet) > 60) == normalize


@pytest.mark.parametrize("n_samples", [1, 100, TINY_CHUNK + 1, 2 * TINY_CHUNK])
def test_any_length(tmp_path: Path, n_samples: Any) -> None:
    write_tiny_network(tmp_path, "mel_band_roformer")
    stems = create(tmp_path).separate(make_noise(n_samples, n_channels=1), RATE)
    assert {samples.shape for samples in stems.values()} == {(1, n_samples)}


def test_silence_stays_silence(tmp_path: Path) -> None:
    write_tiny_network(tmp_path, "mdx23c")
    stems = create(tmp_path).separate(np.zeros((2, 5000), dtype=np.float32), RATE)
    assert not any(samples.any() for samples in stems.values())


def test_a_killed_separation_goes_on_after_its_last_chunk(tmp_path: Path) -> None:
    write_tiny_network(tmp_path / "models", "scnet")
    model, mixture = create(tmp_path / "models"), make_noise(30000)
    options: dict[str, Any] = {"checkpoint": tmp_path / "chunks", "effort": PRESETS["balanced"]}

    def stream(**more: Any) -> Any:
        read = lambda start, stop: mixture[:, start:stop]  # noqa: E731
        return model.stream(read, 2, mixture.shape[1], RATE, **options, **more)

    first = stream()
    for _ in range(4):
        next(first)
    first.close()
    fractions = []
    joined = np.concatenate([b["vocals"] for b in stream(progress=fractions.append)], axis=1)
    assert fractions[0] > 0.1
    np.testing.assert_array_equal(joined, model.separate(mixture, RATE)["vocals"])


def test_cancel_within_a_chunk(tmp_path: Path) -> None:
    write_tiny_network(tmp_path, "scnet")
    seen = []
    with pytest.raises(JobCancelled):
        create(tmp_path).separate(
            make_noise(30000), RATE, progress=seen.append, cancelled=lambda: len(seen) > 3
        )
    assert seen[-1] < 0.5


def test_the_fast_preset_overlaps_less(tmp_path: Path) -> None:
    write_tiny_network(tmp_path, "scnet", num_overlap=4)
    model, mixture, counts = create(tmp_path), make_noise(60000), {}
    for preset in ("fast", "balanced"):
        seen = []
        model.separate(mixture, RATE, effort=PRESETS[preset], progress=seen.append)
        counts[preset] = len(seen)
    assert counts["fast"] < 0.4 * counts["balanced"]


@pytest.mark.parametrize("family", FAMILIES)
def test_without_the_extra_the_command_is_named(
    tmp_path: Path, family: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing optional package is a normal state, reported before anything runs."""
    write_tiny_network(tmp_path, family)
    monkeypatch.setitem(sys.modules, "pymss_core", None)
    for ask in (SeparatorFactory.check, SeparatorFactory.create):
        with pytest.raises(ModelUnavailable) as caught:
            ask("mine", model_dir=tmp_path)
        assert "pip install" in caught.value.hint
        assert "pymss" in caught.value.hint
    assert not make_store(tmp_path).is_available("mine")


class Malicious:
    def __reduce__(self) -> Any:
        return (open, ("executed", "w"))


def test_a_checkpoint_that_names_code_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_tiny_network(tmp_path, "scnet", suffix=".ckpt")
    torch.save({"state_dict": {}, "run": Malicious()}, tmp_path / "mine" / "model.ckpt")
    with pytest.raises(UnsafeWeights, match=r"model\.ckpt"):
        create(tmp_path)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("content", [b"", b"not weights", b"PK\x03\x04"])
@pytest.mark.parametrize("suffix", [".safetensors", ".ckpt"])
def test_weights_that_are_none(tmp_path: Path, suffix: Any, content: bytes) -> None:
    write_tiny_network(tmp_path, "scnet", suffix=suffix)
    (tmp_path / "mine" / f"model{suffix}").write_bytes(content)
    with pytest.raises(UnsafeWeights):
        create(tmp_path)


@pytest.mark.parametrize(
    ("place", "key", "value"),
    [
        ("model", "dims", [4, 16, 16]),
        ("model", "no_such_argument", 1),
        ("model", "sources", ["vocals"]),
        ("model", "audio_channels", 1),
        ("audio", "num_channels", 1),
        ("audio", "chunk_size", 10**9),
        ("audio", "chunk_size", "long"),
        ("audio", "sample_rate", 0),
        ("inference", "num_overlap", 0),
        ("training", "instruments", []),
        ("training", "instruments", ["a", "a"]),
        ("training", "instruments", ["../../up", "other"]),
        ("training", "instruments", None),
        ("training", "target_instrument", "vocals"),
    ],
)
def test_configs_that_do_not_fit_are_refused(
    tmp_path: Path, place: str, key: str, value: float | str | list[Any] | None
) -> None:
    """They'd fail deep in a job, or give stems under each other's names."""
    write_tiny_network(tmp_path, "scnet")
    file = tmp_path / "mine" / "config.yaml"
    config = json.loads(file.read_text())
    config[place][key] = value
    file.write_text(json.dumps(config))
    with pytest.raises(UnsafeWeights) as caught:
        create(tmp_path)
    assert str(tmp_path) not in str(caught.value)


def test_yaml_as_it_is_published(tmp_path: Path) -> None:
    """Published configs hold Python tuples and bare exponents; plain YAML loaders refuse them."""
    write_tiny_network(tmp_path, "bs_roformer")
    file = tmp_path / "mine" / "config.yaml"
    bands = "\n".join(f"    - {n}" for n in TINY_NETWORKS["bs_roformer"]["freqs_per_bands"])
    config = make_network_config("bs_roformer")
    del config["model"]["freqs_per_bands"]
    config["training"]["lr"] = 1
    text = json.dumps({key: value for key, value in config.items() if key != "model"})[1:-1]
    model = "\n".join(f"  {key}: {json.dumps(value)}" for key, value in config["model"].items())
    published = "\n".join(
        f"{key}: {json.dumps(value)}" for key, value in json.loads("{" + text + "}").items()
    ).replace('"lr": 1', '"lr": 5e-5')
    tuples = f"  freqs_per_bands: !!python/tuple\n{bands}\n"
    file.write_text(f"{published}\nmodel:\n{model}\n{tuples}")
    assert create(tmp_path).stems == ("vocals", "other")
    file.write_text(f"{published}\nmodel: !!python/object/apply:os.getcwd []\n")
    with pytest.raises(UnsafeWeights, match=r"config\.yaml"):
        create(tmp_path)
