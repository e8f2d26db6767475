"""The contents of a job's ZIP: every file for people, once, and the manifest."""

from collections.abc import Iterator

from core.artifacts.store import JobStore
from core.export.pack import PackEntry
from stemcrate.schemas.manifest import ProcessingManifest


def pack_entries(store: JobStore, manifest: ProcessingManifest) -> Iterator[PackEntry]:
    """List the files of a finished job's ZIP, under the names that the manifest gives them."""
    for artefact in manifest.all_artefacts():
        if artefact.is_packed:
            path = store.artefact_path(manifest.job_id, artefact)
            yield PackEntry(artefact.name, store.fetch(path))
    path = store.job_folder(manifest.job_id) / "manifest.json"
    yield PackEntry("manifest.json", store.fetch(path))
