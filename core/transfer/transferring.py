"""Puts all files of a job to a target, and an index of them beside."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from core.artifacts.store import JobStore
from core.errors import JobNotFinished
from core.system.clock import now
from core.transfer.naming import file_name
from core.transfer.targets import Target
from stemcrate.schemas.manifest import Artefact, ProcessingManifest, TrackRecord, TransferNote
from stemcrate.schemas.transfers import INDEX, TransferIndex, TransferredFile, TransferredTrack

Told = Callable[[int, int, int], None]
"""Called often, with the files in all, and the files and bytes that are done."""


@dataclass(frozen=True, slots=True)
class _Planned:
    artefact: Artefact
    name: str
    track: TrackRecord | None


def transfer_job(store: JobStore, job_id: str, url: str, template: str, told: Told) -> TransferNote:
    """Transfer the files of a job that has ended; what is there already is not sent again.

    The manifest gets the note that is returned. Raises `JobNotFound`, `JobNotFinished`,
    `ArtefactNotFound`, `TransferFailed`, and whatever ``told`` raises.
    """
    manifest = store.load(job_id)
    if not manifest.state.is_final:
        raise JobNotFinished(
            f"Job '{job_id}' is {manifest.state}.", hint="Transfer it when it has ended."
        )
    planned = list(_plan(manifest, template))
    target = Target(url)
    n_bytes = 0
    for n_done, file in enumerate(planned):

        def still(n_done: int = n_done, n_bytes: int = n_bytes) -> None:
            told(len(planned), n_done, n_bytes)

        still()
        path = store.artefact_path(job_id, file.artefact)
        target.put(file.name, path, file.artefact.sha256, still)
        n_bytes += file.artefact.bytes
    told(len(planned), len(planned), n_bytes)
    index_name = file_name(template, {**_fields(manifest, None), "name": INDEX})
    index = _index(manifest, planned, target)
    target.put_bytes(index_name, index.model_dump_json(indent=1).encode())
    note = TransferNote(
        target=url,
        index_url=target.url_of(index_name),
        at=now(),
        n_files=len(planned),
        n_bytes=n_bytes,
    )
    with store.update(job_id) as current:
        others = [old for old in current.transfers if old.index_url != note.index_url]
        current.transfers = [*others, note]
    return note


def _plan(manifest: ProcessingManifest, template: str) -> Iterator[_Planned]:
    for track in manifest.tracks:
        for artefact in track.artefacts:
            fields = {**_fields(manifest, track), "name": artefact.name}
            yield _Planned(artefact, file_name(template, fields), track)
    for artefact in manifest.artefacts:
        fields = {**_fields(manifest, None), "name": artefact.name}
        yield _Planned(artefact, file_name(template, fields), None)


def _fields(manifest: ProcessingManifest, track: TrackRecord | None) -> dict[str, str]:
    """Return the values of a template's fields; files of the whole job are those of no track."""
    if track is None:
        return {"job_id": manifest.job_id, "artist": "", "title": "", "track": "0"}
    return {
        "job_id": manifest.job_id,
        "artist": track.analysis.artist or "",
        "title": track.analysis.title or track.source.name,
        "track": str(track.index + 1),
    }


def _index(manifest: ProcessingManifest, planned: list[_Planned], target: Target) -> TransferIndex:
    def files(track: TrackRecord | None) -> list[TransferredFile]:
        return [
            TransferredFile(
                name=file.artefact.name,
                path=file.name,
                url=target.url_of(file.name),
                sha256=file.artefact.sha256,
                bytes=file.artefact.bytes,
                role=file.artefact.role,
                label=file.artefact.label,
                format=file.artefact.format,
            )
            for file in planned
            if file.track is track
        ]

    return TransferIndex(
        job_id=manifest.job_id,
        tracks=[
            TransferredTrack(
                sha256=track.source.sha256,
                title=track.analysis.title or track.source.name,
                artist=track.analysis.artist or "",
                facts=track.analysis,
                files=files(track),
            )
            for track in manifest.tracks
        ],
        files=files(None),
    )
