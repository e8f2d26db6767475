"""Demucs models that the tests make: real networks, tiny, with seeded random weights."""

import hashlib
import json
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

STEMS = ["drums", "bass", "other", "vocals"]
SEGMENT = Fraction(3, 5)


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


def _encode_fraction(value: Fraction) -> dict[str, Any]:
    return {"_type": "fraction", "numerator": value.numerator, "denominator": value.denominator}
