"""How much of the disk an owner takes."""

from pathlib import Path

import pytest

from core.artifacts import footprint
from core.artifacts.footprint import Footprint
from core.artifacts.job_ids import new_job_id
from core.artifacts.resumable import ResumableUploads
from core.artifacts.store import JobStore
from core.system.clock import now
from stemcrate.schemas.manifest import (
    Artefact,
    ProcessingManifest,
    SourceRecord,
    TrackRecord,
)


def make_job(store: JobStore, *artefacts: Artefact) -> str:
    source = SourceRecord(name="a.wav", sha256="0" * 64, bytes=1_000)
    manifest = ProcessingManifest(
        job_id=new_job_id(),
        created_at=now(),
        owner=store.owner or "",
        tracks=[TrackRecord(index=0, source=source)],
        artefacts=list(artefacts),
    )
    store.create(manifest)
    return manifest.job_id


def artefact(name: str, n_bytes: int, same_as: str | None = None) -> Artefact:
    return Artefact(
        name=name,
        role="stem",
        label=name,
        stage="separation",
        format="wav",
        sha256="1" * 64,
        bytes=n_bytes,
        same_as=same_as,
    )


def test_files_of_jobs_and_unfinished_uploads_of_one_owner_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is listed twice and stored once counts once; what was deleted counts no more."""
    monkeypatch.setattr(footprint, "FRESH_S", -1.0)
    annas, bens = JobStore(tmp_path, "anna"), JobStore(tmp_path, "ben")
    incoming = ResumableUploads(tmp_path, "anna")
    size = Footprint(annas, incoming)
    assert size.n_bytes() == 0

    job_id = make_job(annas, artefact("a", 50), artefact("b", 50, same_as="a"))
    make_job(bens, artefact("c", 70))
    assert size.n_bytes() == 1_050
    with annas.update(job_id) as manifest:
        manifest.artefacts.append(artefact("d", 8))
    assert size.n_bytes() == 1_058
    incoming.create("more.wav", 300)
    ResumableUploads(tmp_path, "ben").create("more.wav", 900)
    assert size.n_bytes() == 1_358

    annas.delete(job_id)
    assert size.n_bytes() == 300
