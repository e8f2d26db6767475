"""The library: records on disk, the catalogue built from them, and queries on both.

Every change is written to the record first and then to the database; the database can be lost.
Corrections have records of their own, which neither an analysis nor a removal touches; the
catalogue holds the facts with corrections.
"""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from core.audio.tagging.tags import Cover
from core.errors import InvalidOption, TrackChanged, TrackNotFound
from core.library.catalogue.columns import TrackColumns
from core.library.catalogue.repository import LibraryRepository
from core.library.catalogue.rows import TrackRows, make_rows
from core.library.catalogue.similarity import SimilarityIndex, build_index
from core.library.catalogue.summary import KnownFile, TrackPage, TrackSummary
from core.library.corrections.change import change_corrections
from core.library.corrections.record import CorrectionRecord, CorrectionStore, corrected_fields
from core.library.corrections.records import correct_record, found_facts, version_of
from core.library.kept import Kept
from core.library.records.collections import CollectionStore
from core.library.records.enrichment import EnrichmentRecord, EnrichmentStore, KeptOutcome
from core.library.records.playlists import PlaylistStore
from core.library.records.record import (
    CollectionRecord,
    CoverReference,
    FileReference,
    JobEntry,
    LibraryRecord,
)
from core.library.records.store import RecordStore
from core.library.stems import is_upload
from core.system.clock import now
from core.system.database import database_of
from core.system.homes import home_name, home_of
from core.system.locks import locks_of
from core.system.storage import Storage
from stemcrate.schemas.corrections import CorrectionsChange
from stemcrate.schemas.enrichment import SimilarityBasis
from stemcrate.schemas.facts import MIXTURE
from stemcrate.schemas.library import LibraryMap
from stemcrate.schemas.owners import LOCAL
from stemcrate.schemas.search import TrackQuery, TrackSearch

MIN_PREFIX = 6
"""Letters of an id that have to be given at least."""


class Library:
    """The tracks of one owner. Safe to use from several threads and processes.

    Each owner has records and tables apart: no question reaches those of another. Raises
    `DatabaseUnavailable` if the database does not answer.
    """

    def __init__(self, place: Path | Storage, database_url: str, owner: str = LOCAL) -> None:
        storage = Storage.at(place)
        home = home_of(storage.data_dir, owner)
        self.owner = owner
        self._records = RecordStore(storage, owner)
        self._repository = LibraryRepository(database_of(database_url, owner, home))
        self._corrections = CorrectionStore(storage, owner)
        self._enrichment = EnrichmentStore(storage, owner)
        self._locks = locks_of(storage)
        self._columns = Kept[TrackColumns]()
        self._indices = Kept[dict[tuple[SimilarityBasis, str], dict[str, SimilarityIndex]]]()
        self.playlists = PlaylistStore(self._records, self._lock)
        self.collections = CollectionStore(self._records, self._lock)

    # changes

    def put(self, record: LibraryRecord) -> None:
        """Add or replace a track.

        A file that held another track is removed from it: a track whose last file was
        rewritten is removed, and playlists switch to its successor if the audio is the same.
        """
        with self._writing():
            self._put(record)

    def change(self, track_id: str, change: Callable[[LibraryRecord], None]) -> bool:
        """Change a track's current record; return False if there is no such track."""
        with self._writing():
            record = self._records.read_track(track_id)
            if record is None:
                return False
            change(record)
            self._put(record)
            return True

    def add_file(self, track_id: str, file: FileReference) -> bool:
        """Add a file to a track; return False if there is no such track.

        Missing files of the track are removed: it was moved.
        """
        with self._writing():
            record = self._records.read_track(track_id)
            if record is None:
                return False
            others = [f for f in record.files if f.path != file.path and Path(f.path).is_file()]
            record.files = [*others, file]
            self._put(record)
            return True

    def remove(self, track_id: str) -> None:
        """Remove a track; its files are kept. Raises `TrackNotFound`."""
        with self._writing():
            if not self._repository.remove(track_id):
                raise _not_found(track_id)
            self._records.remove_track(track_id)

    def rebuild(self) -> int:
        """Rebuild the catalogue from the records; return the number of tracks."""
        with self._writing():
            self._repository.replace_all(self._rows(record) for record in self._records.tracks())
            return self.count()

    def correct(
        self,
        track_id: str,
        change: CorrectionsChange,
        *,
        versions: Collection[str] | None = None,
    ) -> CorrectionRecord:
        """Change the corrections of a track.

        Parameters
        ----------
        versions : of the track that the change was made for (`version_of`); None: any.

        Raises
        ------
        TrackNotFound : there is no such track.
        TrackChanged : it has another version.
        GridLocked : the change concerns a locked grid.
        InvalidOption : a value is invalid.
        """

        def changed(record: LibraryRecord, before: CorrectionRecord) -> CorrectionRecord:
            facts = found_facts(record)
            return before.replace(change_corrections(before.corrections, change, facts), now())

        return self._correct(track_id, changed, versions)

    def undo_correction(
        self, track_id: str, *, versions: Collection[str] | None = None
    ) -> CorrectionRecord:
        """Undo the last change of a track's corrections; without one nothing changes.

        Raises `TrackNotFound`, and `TrackChanged` as `correct` does.
        """
        return self._correct(track_id, lambda _, before: before.step_back(), versions)

    def keep_outcome(self, track_id: str, outcome: KeptOutcome) -> None:
        """Keep what an enricher found in place of what it found before. Raises `TrackNotFound`."""
        with self._writing():
            record = self._records.read_track(track_id)
            if record is None:
                raise _not_found(track_id)
            enrichment = self._enrichment.read(track_id)
            enrichment.outcomes[outcome.enricher] = outcome
            self._enrichment.write(enrichment)
            self._repository.put(self._rows(record))

    def note_job(self, entry: JobEntry) -> None:
        """Record which tracks a job adds."""
        self._records.write_job(entry)

    def noted_job(self, job_id: str) -> JobEntry | None:
        """Return which tracks a job added; None if unknown."""
        return self._records.read_job(job_id)

    def noted_jobs(self) -> set[str]:
        """List the jobs that added tracks."""
        return self._records.job_ids()

    def forget_jobs(
        self,
        is_gone: Callable[[str], bool],
        *,
        is_kept: Callable[[str], bool],
        track_ids: Sequence[str] | None = None,
    ) -> None:
        """Remove deleted jobs, and the tracks that only they added.

        ``is_kept`` returns whether the owner still has an uploaded track's bytes; ``track_ids`` are
        the tracks to check, None for all.
        """
        with self._writing():
            found = self._records.tracks()
            if track_ids is not None:
                found = (r for i in track_ids if (r := self._records.read_track(i)) is not None)
            for record in list(found):
                jobs = [job for job in record.jobs if not is_gone(job.job_id)]
                if len(jobs) < len(record.jobs):
                    record.jobs = jobs
                    self._put_or_remove(record, is_kept(record.id))
            for job_id in filter(is_gone, self._records.job_ids()):
                self._records.remove_job(job_id)

    def keep_cover(self, cover: Cover) -> CoverReference:
        """Store a cover for a record."""
        return self._records.keep_cover(cover)

    # questions

    def count(self, search: TrackSearch | None = None) -> int:
        """Return the number of matching tracks. Raises `CollectionNotFound`, `InvalidOption`."""
        search = search or TrackSearch()
        return self._repository.count(search, self._collection(search))

    def map(self, search: TrackSearch) -> LibraryMap:
        """Count tracks by key and tempo. Raises `CollectionNotFound`, `InvalidOption`."""
        return self._repository.map(search, self._collection(search))

    def stale_tracks(self, version: str) -> tuple[TrackSummary, ...]:
        """List the tracks with facts of another version of the analysis."""
        return self._repository.get(self._repository.ids_of_other_analyses(version))

    def search(self, query: TrackQuery) -> TrackPage:
        """Return a page of matching tracks.

        Raises `CollectionNotFound`, and `InvalidOption` for an invalid cursor.
        """
        return self._repository.search(query, self._collection(query))

    def summaries(self, track_ids: Sequence[str]) -> tuple[TrackSummary, ...]:
        """Return tracks in the order of ``ids``; unknown ids are left out."""
        return self._repository.get(track_ids)

    def summary(self, track_id: str) -> TrackSummary:
        """Return the summary of a track. Raises `TrackNotFound`."""
        found = self._repository.get([track_id])
        if not found:
            raise _not_found(track_id)
        return found[0]

    def record(self, track_id: str) -> LibraryRecord:
        """Return a track's record. Raises `TrackNotFound`."""
        record = self._records.read_track(self.summary(track_id).id)
        if record is None:
            raise _not_found(track_id)
        return record

    def find_record(self, track_id: str) -> LibraryRecord | None:
        """Return a track's record; None if it is not in the library."""
        return self._records.read_track(track_id)

    def corrections(self, track_id: str) -> CorrectionRecord:
        """Return the corrections of a recording, which may have left the library."""
        return self._corrections.read(track_id)

    def enrichment(self, track_id: str) -> EnrichmentRecord:
        """Return what enrichers found of a recording, which may have left the library."""
        return self._enrichment.read(track_id)

    def track_ids(self) -> list[str]:
        """List the ids of all tracks."""
        return [record.id for record in self._records.tracks()]

    def find_corrected(self, track_id: str) -> LibraryRecord | None:
        """Return a track's record with its corrections; None if it is not in the library."""
        record = self._records.read_track(track_id)
        if record is None:
            return None
        return correct_record(record, self._corrections.read(track_id).corrections)

    def find_id(self, text: str) -> str:
        """Complete a prefix of an id.

        Raises `TrackNotFound`, and `InvalidOption` for an ambiguous prefix.
        """
        found = self._repository.ids_beginning_with(text, 2) if len(text) >= MIN_PREFIX else []
        if not found:
            raise _not_found(text)
        if len(found) > 1:
            raise InvalidOption(f"Several tracks begin with '{text}'.", hint="Give more of the id.")
        return found[0]

    def known_files(self, paths: Sequence[str]) -> dict[str, KnownFile]:
        """Return the known files, by path."""
        return self._repository.known_files(paths)

    def cover_path(self, track_id: str) -> tuple[Path, str] | None:
        """Return path and media type of a track's cover. Raises `TrackNotFound`."""
        cover = self.record(track_id).cover
        path = cover and self._records.cover_path(cover)
        return (path, cover.mime) if cover and path and path.is_file() else None

    def read_cover(self, record: LibraryRecord) -> Cover | None:
        """Read a track's cover; None if it has none."""
        if record.cover is None:
            return None
        path = self._records.cover_path(record.cover)
        return Cover(path.read_bytes(), record.cover.mime) if path.is_file() else None

    def columns(self) -> TrackColumns:
        """Return the planner's columns; cached until the library changes."""
        return self._columns.get(self._repository.revision(), self._repository.columns)

    def similar(
        self,
        track_id: str,
        *,
        basis: SimilarityBasis = SimilarityBasis.DESCRIPTORS,
        part: str = MIXTURE,
        limit: int = 20,
    ) -> list[tuple[TrackSummary, float]]:
        """Find the most similar tracks, with the cosine of their vectors.

        Parameters
        ----------
        basis : what is compared: descriptors of the analysis, or what an enricher found.
        part : ``mixture``, or the name of a stem, which has descriptors alone.

        Raises
        ------
        TrackNotFound : there is no such track.
        InvalidOption : the track has no such vectors.
        """
        self.summary(track_id)
        if basis != SimilarityBasis.DESCRIPTORS and part != MIXTURE:
            raise InvalidOption(
                f"Stems are compared by descriptors, not by {basis}.",
                hint="Leave out the part, or the basis.",
                field="part",
            )
        for index in self._similarity(basis, part).values():
            try:
                found = index.nearest(track_id, limit)
            except KeyError:
                continue
            summaries = {s.id: s for s in self._repository.get([other for other, _ in found])}
            return [(summaries[other], c) for other, c in found if other in summaries]
        if basis != SimilarityBasis.DESCRIPTORS:
            raise InvalidOption(
                f"No enricher has found the {basis} of track '{track_id}'.",
                hint="Enrich it: stemcrate library enrich, or POST /library/enrichments.",
                field="basis",
            )
        raise InvalidOption(
            f"Track '{track_id}' has no descriptors of its {part}.",
            hint="Add its file again, or separate it with stems.",
            field="part",
        )

    def repository(self) -> LibraryRepository:
        """The catalogue, for other modules of the library."""
        return self._repository

    def _collection(self, search: TrackSearch) -> CollectionRecord | None:
        return None if search.collection is None else self.collections.get(search.collection)

    def _similarity(self, basis: SimilarityBasis, part: str) -> dict[str, SimilarityIndex]:
        kept = self._indices.get(self._repository.revision(), dict)
        if (basis, part) not in kept:
            vectors = self._repository.vectors(basis, part)
            kept[basis, part] = {name: build_index(found) for name, found in vectors.items()}
        return kept[basis, part]

    def _correct(
        self,
        track_id: str,
        change: Callable[[LibraryRecord, CorrectionRecord], CorrectionRecord],
        versions: Collection[str] | None,
    ) -> CorrectionRecord:
        with self._writing():
            record = self._records.read_track(self.summary(track_id).id)
            if record is None:
                raise _not_found(track_id)
            before = self._corrections.read(record.id)
            if versions is not None and version_of(record, before) not in versions:
                raise TrackChanged(
                    f"'{record.title}' was changed since it was read.",
                    hint="Read it again, and repeat the change on what it is now.",
                )
            after = change(record, before)
            if after is not before:
                self._corrections.write(after)
                self._repository.put(self._rows(record))
            return after

    def _rows(self, record: LibraryRecord) -> TrackRows:
        corrections = self._corrections.read(record.id).corrections
        return make_rows(
            correct_record(record, corrections),
            corrected_fields(corrections),
            self._enrichment.read(record.id),
        )

    def _put(self, record: LibraryRecord) -> None:
        paths = [file.path for file in record.files]
        for path, known in self._repository.known_files(paths).items():
            if known.track_id != record.id:
                self._take_file(known.track_id, path, record)
        self._records.write_track(record)
        self._repository.put(self._rows(record))

    def _put_or_remove(self, record: LibraryRecord, is_kept: bool) -> None:
        """Write a record that lost jobs; without jobs and files the track is removed.

        The user's own files count even if they are missing now: a disk may be unplugged.
        """
        if not is_kept:
            record.files = [file for file in record.files if not is_upload(file, record.id)]
        if record.jobs or record.files:
            self._put(record)
        else:
            self._repository.remove(record.id)
            self._records.remove_track(record.id)

    def _take_file(self, track_id: str, path: str, successor: LibraryRecord) -> None:
        record = self._records.read_track(track_id)
        if record is None:
            self._repository.remove(track_id)
            return
        record.files = [file for file in record.files if file.path != path]
        if record.files or record.jobs:
            self._records.write_track(record)
            self._repository.put(self._rows(record))
            return
        if record.packet_sha256 and record.packet_sha256 == successor.packet_sha256:
            self.playlists.follow(track_id, successor.id)
            self.collections.follow(track_id, successor.id)
            self._corrections.follow(track_id, successor.id)
            self._enrichment.follow(track_id, successor.id)
        self._repository.remove(track_id)
        self._records.remove_track(track_id)

    def _writing(self) -> AbstractContextManager[None]:
        """Hold the lock for changes of the library."""
        return self._lock("library")

    def _lock(self, name: str) -> AbstractContextManager[None]:
        return self._locks.held(f"{home_name(self.owner)}{name}")


def _not_found(track_id: str) -> TrackNotFound:
    return TrackNotFound(
        f"There is no track '{track_id[:100]}' in the library.",
        hint="GET /library/tracks, or 'stemcrate library list', lists them.",
    )
