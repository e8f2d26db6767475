"""Records as an import makes them, without audio: for tests of the catalogue alone."""

import hashlib
from datetime import UTC, datetime

import numpy as np

from core.library.identity.fingerprint import Algorithm, Fingerprint
from core.library.records.record import (
    DescriptorRecord,
    FileReference,
    FingerprintRecord,
    JobReference,
    LibraryRecord,
)
from stemcrate.schemas.facts import TrackFacts
from stemcrate.schemas.tags import TextTags


def track_id(number: int) -> str:
    return hashlib.sha256(f"track {number}".encode()).hexdigest()


def make_record(
    number: int,
    *,
    title: str | None = None,
    artist: str | None = "Nobody",
    paths: tuple[str, ...] | None = None,
    tags: dict[str, object] | None = None,
    vectors: dict[str, list[float]] | None = None,
    version: str = "test-1",
    hashes: np.ndarray | None = None,
    packets: str | None = None,
    stems: list[str] | None = None,
    **facts: object,
) -> LibraryRecord:
    places = (f"/music/{number}.wav",) if paths is None else paths
    duration_s = facts.pop("duration_s", 180.0)
    return LibraryRecord(
        id=track_id(number),
        name=f"{number}.wav",
        title=f"Title {number:03}" if title is None else title,
        artist=artist,
        added_at=datetime.fromtimestamp(1_700_000_000 + number, UTC),
        bytes=1000 + number,
        files=[
            FileReference(path=path, bytes=1000 + number, modified_ns=number) for path in places
        ],
        jobs=[] if stems is None else [JobReference(job_id="job", track_index=0, stems=stems)],
        duration_s=duration_s,
        sample_rate=44_100,
        n_channels=2,
        codec="pcm_16",
        container="wav",
        packet_sha256=packets,
        tags=TextTags.model_validate(tags or {}),
        facts=TrackFacts.model_validate(facts),
        fingerprint=None
        if hashes is None
        else FingerprintRecord.of(Fingerprint(Algorithm.BANDS, hashes.astype(np.uint32))),
        descriptors=None
        if vectors is None
        else DescriptorRecord.of(
            version, {part: np.array(v, np.float32) for part, v in vectors.items()}
        ),
    )
