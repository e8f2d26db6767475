"""Settings of the machine that stages run on."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Runtime:
    """Plain values from the settings that stages need."""

    device: str = "auto"
    model_dir: Path | None = None
    max_duration_s: float = 3600.0
    cache_max_bytes: int = 10_000_000_000
    model_cache_bytes: int = 2_000_000_000
    compile_models: bool = False
    compiled_dir: Path | None = None
    warm_up_model: str = ""
