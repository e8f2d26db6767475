"""Settings of enrichers, for those that run none."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class EnricherSettings:
    """Settings of enrichers, described in `config.Settings`.

    ``weights_dir`` : folder of imported weights.
    """

    names: tuple[str, ...] = ()
    weights_dir: Path = Path("models")
    max_duration_s: float | None = None
