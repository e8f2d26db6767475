"""The record of a track on disk, from which the database is built.

A record holds the recording's files, hashes, tags, facts,
fingerprint and descriptors, but no audio and no covers.
"""

import base64
from datetime import datetime
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from core.library.identity.fingerprint import Algorithm, Fingerprint
from stemcrate.schemas.collections import KeptFilter
from stemcrate.schemas.facts import TrackFacts, VocalsFacts
from stemcrate.schemas.record import Record
from stemcrate.schemas.sets import SetDescription
from stemcrate.schemas.tags import TextTags

SCHEMA_VERSION = 1
_KEPT_ELSEWHERE = ("title", "artist", "descriptors")
"""Facts that have a place of their own in a record."""


def _check_base64(text: str) -> str:
    base64.b64decode(text, validate=True)
    return text


Base64 = Annotated[str, AfterValidator(_check_base64)]


class FileReference(Record):
    """A file of the track. Size and modification time show whether it has changed."""

    path: str
    bytes: int
    modified_ns: int


class JobReference(Record):
    """A job that processed the track."""

    job_id: str
    track_index: int
    stems: list[str] = Field(default_factory=list)


class JobEntry(Record):
    """A job whose tracks are in the library or being added.

    Written before its first track, so that no track ever refers to a job that cannot be
    removed; ``is_complete`` once all are added. A job that is tried again adds its other tracks;
    those ``added_before`` stay as they are, or stay removed.
    """

    job_id: str
    track_ids: list[str]
    is_complete: bool = False
    added_before: list[str] = Field(default_factory=list)


class CoverReference(Record):
    """A cover in the store, by the SHA-256 of its bytes."""

    sha256: str
    mime: str


class FingerprintRecord(Record):
    """A fingerprint: little-endian uint32 in base64."""

    algorithm: Algorithm
    hashes: Base64

    @classmethod
    def of(cls, fingerprint: Fingerprint) -> "FingerprintRecord":
        """Pack a fingerprint."""
        return cls(
            algorithm=fingerprint.algorithm,
            hashes=base64.b64encode(fingerprint.hashes.astype("<u4").tobytes()).decode(),
        )

    def unpack(self) -> Fingerprint:
        """Return the fingerprint."""
        return Fingerprint(self.algorithm, np.frombuffer(self.data(), dtype="<u4"))

    def data(self) -> bytes:
        """Return the bytes of the hashes."""
        return base64.b64decode(self.hashes)


class DescriptorRecord(Record):
    """Descriptor vectors of the mixture and of stems, little-endian float32 in base64.

    Vectors of one ``version`` have one length and can be compared.
    """

    version: str
    vectors: dict[str, Base64]

    @classmethod
    def of(cls, version: str, vectors: dict[str, NDArray[np.float32]]) -> "DescriptorRecord":
        """Pack vectors of shape (n_features,)."""
        packed = {
            part: base64.b64encode(vector.astype("<f4").tobytes()).decode()
            for part, vector in vectors.items()
        }
        return cls(version=version, vectors=packed)

    def joined_by(self, found: "DescriptorRecord") -> "DescriptorRecord":
        """Return the new vectors, with older ones of other parts that are comparable."""
        if found.version != self.version:
            return found
        return DescriptorRecord(version=found.version, vectors={**self.vectors, **found.vectors})

    def data(self, part: str) -> bytes | None:
        """Return the bytes of a part's vector; None if it has none."""
        packed = self.vectors.get(part)
        return None if packed is None else base64.b64decode(packed)


class LibraryRecord(Record):
    """One track. ``id`` is the SHA-256 of its bytes, ``name`` what its file was called.

    ``facts`` are those of `core.analysis`, under the names that manifests use, and
    ``analysis_version`` is the version that made them; None: unknown, so that they count as stale.
    ``title`` and ``artist`` come from the tags, else from the name.
    """

    schema_version: int = SCHEMA_VERSION
    id: str = Field(pattern=r"^[0-9a-f]{64}$")
    name: str
    title: str
    artist: str | None = None
    added_at: datetime
    bytes: int
    files: list[FileReference] = Field(default_factory=list)
    jobs: list[JobReference] = Field(default_factory=list)
    duration_s: float | None = None
    sample_rate: int | None = None
    n_channels: int | None = None
    bit_depth: int | None = None
    codec: str | None = None
    container: str | None = None
    packet_sha256: str | None = None
    tags: TextTags = Field(default_factory=TextTags)
    cover: CoverReference | None = None
    facts: TrackFacts = Field(default_factory=TrackFacts)
    fingerprint: FingerprintRecord | None = None
    descriptors: DescriptorRecord | None = None
    analysis_version: str | None = None

    def take_facts(self, found: TrackFacts, version: str | None) -> None:
        """Replace facts by those found.

        Facts that need stems are kept if the new facts had none: sung passages, and
        comparable descriptors of stems.

        Parameters
        ----------
        found : the facts of the recording, or some of them.
        version : the version of the analysis that all facts then have; None: they differ.
        """
        self.analysis_version = version
        if found.descriptors is not None:
            descriptors = DescriptorRecord.model_validate(found.descriptors.model_dump())
            before = self.descriptors
            self.descriptors = before.joined_by(descriptors) if before else descriptors
        left_out = set(_KEPT_ELSEWHERE)
        if found.vocals_s is None and self.facts.vocals_s is not None:
            left_out |= VocalsFacts.model_fields.keys()
        self.facts.merge(found.without(left_out))


class CollectionRecord(Record):
    """A collection: ids of tracks in the order they came, or the ``query`` of a smart one."""

    schema_version: int = SCHEMA_VERSION
    id: str
    name: str
    created_at: datetime
    track_ids: list[str] = Field(default_factory=list)
    query: KeptFilter | None = None


class PlaylistRecord(Record):
    """A playlist: ids of tracks in order, and their ``plan``."""

    schema_version: int = SCHEMA_VERSION
    id: str
    name: str
    created_at: datetime
    track_ids: list[str]
    plan: SetDescription = Field(default_factory=SetDescription)
