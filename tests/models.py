"""Models that the tests make: real networks, tiny, with seeded random weights."""

import hashlib
import json
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

STEMS = ["drums", "bass", "other", "vocals"]
SEGMENT = Fraction(3, 5)

_STFT = {"stft_n_fft": 512, "stft_hop_length": 128, "stft_win_length": 512}
_ROFORMER = {
    "dim": 16,
    "depth": 1,
    "stereo": True,
    "num_stems": 2,
    "time_transformer_depth": 1,
    "freq_transformer_depth": 1,
    "dim_head": 8,
    "heads": 2,
    "mask_estimator_depth": 1,
    **_STFT,
}
# Arguments of each family's network; chunks of 31 hops are 32 frames, which MDX23C halves twice.
TINY_NETWORKS: dict[str, dict[str, Any]] = {
    "scnet": {
        "sources": ["vocals", "other"],
        "dims": [4, 8, 8],
        "nfft": 512,
        "hop_size": 128,
        "win_size": 512,
        "conv_depths": [1, 1, 1],
        "compress": 2,
        "num_dplayer": 2,
    },
    "bs_roformer": {**_ROFORMER, "freqs_per_bands": [2] * 24 + [4] * 12 + [12] * 8 + [65]},
    "mel_band_roformer": {**_ROFORMER, "num_bands": 8, "sample_rate": 44100},
    "mdx23c": {
        "act": "gelu",
        "bottleneck_factor": 4,
        "growth": 4,
        "norm": "InstanceNorm",
        "num_blocks_per_scale": 1,
        "num_channels": 4,
        "num_scales": 2,
        "num_subbands": 2,
        "scale": [2, 2],
    },
}
TINY_CHUNK = 31 * 128


def make_tiny_htdemucs(seed: int = 0) -> Any:
    """Make an HTDemucs with 86 000 weights, 44.1 kHz, segments of 0.6 s; stereo, four stems."""
    import torch
    from demucs.htdemucs import HTDemucs

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = HTDemucs(
            sources=STEMS,
            audio_channels=2,
            channels=8,
            depth=3,
            nfft=2048,
            dconv_mode=3,
            t_layers=1,
            t_heads=2,
            t_hidden_scale=1.0,
            samplerate=44100,
            segment=SEGMENT,
        )
    return network.eval()


def write_tiny_htdemucs(
    folder: Path,
    *,
    name: str = "htdemucs",
    layout: Literal["th", "hub"] = "th",
    seed: int = 0,
    n_networks: int = 1,
    weights: list[list[float]] | None = None,
    segment_s: float | None = None,
) -> Path:
    """Write a bag of tiny networks into a folder that serves as MODEL_DIR; return that folder.

    ``th`` puts ``<name>.yaml`` and ``<signature>-<checksum>.th`` into the folder itself, ``hub``
    puts ``<name>.yaml`` and ``<signature>.safetensors`` into a folder of the model's name.
    """
    home = folder / name if layout == "hub" else folder
    home.mkdir(parents=True, exist_ok=True)
    signatures = [f"{name}x{seed + i}" for i in range(n_networks)]
    for i, signature in enumerate(signatures):
        network = make_tiny_htdemucs(seed + i)
        write_network(home, signature, network, layout=layout)
    bag: dict[str, Any] = {"models": signatures}
    if weights is not None:
        bag["weights"] = weights
    if segment_s is not None:
        bag["segment"] = segment_s
    # JSON is YAML.
    (home / f"{name}.yaml").write_text(json.dumps(bag))
    return folder


def write_network(
    home: Path, signature: str, network: Any, *, layout: Literal["th", "hub"] = "th"
) -> Path:
    """Write one network as demucs does: a pickled package with its checksum, or safetensors."""
    import torch
    from safetensors.torch import save_file

    args, kwargs = network._init_args_kwargs
    if layout == "hub":
        path = home / f"{signature}.safetensors"
        metadata = {
            "klass": f"{type(network).__module__}.{type(network).__qualname__}",
            "args": json.dumps(args),
            "kwargs": json.dumps(kwargs, default=_encode_fraction),
        }
        state = {key: value.contiguous() for key, value in network.state_dict().items()}
        save_file(state, path, metadata=metadata)
        return path
    package = {
        "klass": type(network),
        "args": args,
        "kwargs": kwargs,
        "state": network.state_dict(),
        "training_args": {"seed": 42, "lr": 3e-4, "model": "htdemucs"},
    }
    unnamed = home / f"{signature}.th"
    torch.save(package, unnamed)
    checksum = hashlib.sha256(unnamed.read_bytes()).hexdigest()[:8]
    return unnamed.rename(home / f"{signature}-{checksum}.th")


def make_network_config(
    family: str,
    instruments: tuple[str, ...] = ("vocals", "other"),
    *,
    target: str | None = None,
    sample_rate: int = 44100,
    num_overlap: int = 2,
    normalize: bool = False,
) -> dict[str, Any]:
    """Make what the YAML file of a tiny network holds; with ``target`` it gives one stem."""
    network = dict(TINY_NETWORKS[family])
    n_outputs = 1 if target else len(instruments)
    if family == "scnet":
        network["sources"] = [target] if target else list(instruments)
    elif "num_stems" in network:
        network["num_stems"] = n_outputs
    audio = {"chunk_size": TINY_CHUNK, "num_channels": 2, "sample_rate": sample_rate}
    if family == "mdx23c":
        audio |= {"dim_f": 256, "n_fft": 512, "hop_length": 128, "dim_t": 32}
    return {
        "audio": audio,
        "model": network,
        "training": {"instruments": list(instruments), "target_instrument": target},
        "inference": {"batch_size": 1, "num_overlap": num_overlap, "normalize": normalize},
    }


def make_tiny_network(family: str, config: dict[str, Any], seed: int = 0) -> Any:
    """Make one of pymss-core's networks by its own factory."""
    import tempfile

    import torch
    from pymss_core import get_model_from_config

    with tempfile.TemporaryDirectory() as folder, torch.random.fork_rng(devices=[]):
        file = Path(folder) / "config.yaml"
        file.write_text(json.dumps(config))
        torch.manual_seed(seed)
        return get_model_from_config(family, str(file))[0].eval()


def write_tiny_network(
    folder: Path,
    family: str,
    *,
    name: str = "mine",
    suffix: Literal[".safetensors", ".ckpt"] = ".safetensors",
    seed: int = 0,
    card: dict[str, Any] | None = None,
    **config: Any,
) -> Path:
    """Write a network and its config into ``<folder>/<name>``; return ``folder``."""
    import torch
    from safetensors.torch import save_file

    home = folder / name
    home.mkdir(parents=True, exist_ok=True)
    content = make_network_config(family, **config)
    state = make_tiny_network(family, content, seed).state_dict()
    state = {key: value.contiguous().clone() for key, value in state.items()}
    (home / "config.yaml").write_text(json.dumps(content))  # JSON is YAML.
    if suffix == ".safetensors":
        save_file(state, home / "model.safetensors")
    else:
        torch.save({"state_dict": state}, home / "model.ckpt")
    if card is not None:
        (home / "model.json").write_text(json.dumps(card))
    return folder


def _encode_fraction(value: Fraction) -> dict[str, Any]:
    return {"_type": "fraction", "numerator": value.numerator, "denominator": value.denominator}
