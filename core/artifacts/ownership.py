"""Whose job is whose, as the manifests say."""

from pathlib import Path

from pydantic import BaseModel, ValidationError

from stemcrate.schemas.owners import LOCAL


class _Owned(BaseModel):
    owner: str = LOCAL


class JobOwners:
    """The owners of the jobs below one data folder. Safe for several threads.

    The owner of a job never changes, so each manifest is parsed once for it.
    """

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, job_id: str, manifest: Path) -> str | None:
        """Return the owner of a job with this manifest; None if there is none to read."""
        known = self._known.get(job_id)
        if known is not None:
            return known
        try:
            owner = _Owned.model_validate_json(manifest.read_bytes()).owner
        except (OSError, ValidationError):
            return None
        self._known[job_id] = owner
        return owner

    def forget(self, job_id: str) -> None:
        """Forget a job that was deleted."""
        self._known.pop(job_id, None)
