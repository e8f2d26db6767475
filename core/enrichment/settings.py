"""Settings of enrichers, for those that run none."""

from dataclasses import dataclass
from pathlib import Path

ACOUSTID_URL = "https://api.acoustid.org/v2/lookup"


@dataclass(frozen=True, slots=True)
class EnricherSettings:
    """Settings of enrichers, described in `config.Settings`.

    ``weights_dir`` : folder of imported weights.
    ``outgoing_allowed`` : addresses that may be called although they are not public.
    """

    names: tuple[str, ...] = ()
    weights_dir: Path = Path("models")
    max_duration_s: float | None = None
    acoustid_key: str = ""
    acoustid_url: str = ACOUSTID_URL
    outgoing_allowed: tuple[str, ...] = ()
