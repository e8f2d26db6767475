"""Settings of enrichers, for those that run none."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class EnricherSettings:
    """Settings of enrichers, described in `config.Settings`."""

    names: tuple[str, ...] = ()
    model_dir: Path | None = None
    max_duration_s: float | None = None
