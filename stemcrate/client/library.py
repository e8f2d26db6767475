"""The library: add and remove tracks, search, similar and compatible tracks."""

from collections.abc import Sequence
from dataclasses import dataclass

from stemcrate.client.calls import Calls
from stemcrate.client.connection import made_for, path_of
from stemcrate.client.jobs import UPLOAD_TIMEOUT_S
from stemcrate.client.uploads import Upload, UploadProgress, open_body
from stemcrate.schemas.corrections import CorrectionsChange
from stemcrate.schemas.enrichment import SimilarityBasis
from stemcrate.schemas.library import (
    Added,
    Adding,
    CompatibleTracks,
    Duplicates,
    LibraryMap,
    LibraryPage,
    SimilarTracks,
    TrackDetails,
)
from stemcrate.schemas.search import TrackQuery, TrackSearch


@dataclass(frozen=True, slots=True)
class Cover:
    """A cover image from the track's tags."""

    media_type: str
    data: bytes


class LibraryCalls(Calls):
    """Operations on the library. An id is the SHA-256 of a file's bytes, in hexadecimal.

    Each one that takes an id raises `ApiError` ``track_not_found`` (404).
    """

    def list_tracks(self, query: TrackQuery | None = None) -> LibraryPage:
        """Return a page of matching tracks, or of all tracks without a query.

        Raises `ApiError` 422 ``invalid_option``.
        """
        asked = query.model_dump(mode="json", exclude_unset=True) if query else {}
        return self._api.read("GET", "/library/tracks", LibraryPage, query=asked)

    def get_map(self, search: TrackSearch | None = None) -> LibraryMap:
        """Return how many tracks have which key and tempo, of a search or of all.

        Raises `ApiError` 422 ``invalid_option``.
        """
        asked = search.model_dump(mode="json", exclude_unset=True) if search else {}
        return self._api.read("GET", "/library/map", LibraryMap, query=asked)

    def add_tracks(
        self,
        files: Sequence[Upload] = (),
        *,
        upload_ids: Sequence[str] = (),
        progress: UploadProgress | None = None,
    ) -> Adding:
        """Upload files to the library; a job analyses them and adds them when it ends.

        A bad file does not affect the others and is listed in ``refused``. If every file is known
        already, ``job`` is None. `JobCalls.submit_job` describes the parameters.

        Raises `ApiError` 413 ``upload_too_large`` or 507 ``storage_full``.
        """
        with open_body(files, {}, progress, upload_ids=upload_ids) as body:
            return self._api.read(
                "POST", "/library/tracks", Adding, timeout_s=UPLOAD_TIMEOUT_S, **body
            )

    def add_job_tracks(self, job_id: str) -> Added:
        """Add the tracks of an ended job, with its facts and stems.

        Raises `ApiError` ``job_not_found`` (404) or ``job_not_finished`` (409).
        """
        return self._api.read("POST", path_of("library", "tracks", "from-job", job_id), Added)

    def get_track(self, track_id: str) -> TrackDetails:
        """Return all that is known of a track."""
        return self._api.read("GET", path_of("library", "tracks", track_id), TrackDetails)

    def correct_track(
        self, track_id: str, change: CorrectionsChange, *, version: str | None = None
    ) -> TrackDetails:
        """Correct a track by hand; a field of ``change`` set to None undoes its correction.

        ``version`` is that of the `TrackDetails` that the change was made for; None: any.

        Raises `ApiError` ``track_changed`` (412), ``grid_locked`` (409) or ``invalid_option``
        (422).
        """
        return self._api.read(
            "PATCH",
            path_of("library", "tracks", track_id),
            TrackDetails,
            json=change.model_dump(mode="json", exclude_unset=True),
            headers=made_for(version),
        )

    def undo_correction(self, track_id: str, *, version: str | None = None) -> TrackDetails:
        """Undo the last change of a track's corrections; without one nothing changes.

        Raises `ApiError` ``track_changed`` (412).
        """
        path = path_of("library", "tracks", track_id, "corrections", "undo")
        return self._api.read("POST", path, TrackDetails, headers=made_for(version))

    def remove_track(self, track_id: str) -> None:
        """Remove a track with its uploaded bytes; files on the server are kept."""
        self._api.tell("DELETE", path_of("library", "tracks", track_id))

    def get_cover(self, track_id: str) -> Cover:
        """Return the cover. Raises `ApiError` ``artefact_not_found`` (404) if there is none."""
        with self._api.stream("GET", path_of("library", "tracks", track_id, "cover")) as answer:
            return Cover(answer.headers["Content-Type"], answer.content)

    def get_thumbnail(self, track_id: str) -> Cover:
        """Return the cover as WebP, at most 256 pixels wide and high.

        Raises `ApiError` ``artefact_not_found`` (404) if there is none, or it can't be read.
        """
        path = path_of("library", "tracks", track_id, "thumbnail")
        with self._api.stream("GET", path) as answer:
            return Cover(answer.headers["Content-Type"], answer.content)

    def list_similar(
        self,
        track_id: str,
        *,
        basis: SimilarityBasis | None = None,
        part: str | None = None,
        limit: int = 20,
    ) -> SimilarTracks:
        """Return the most similar tracks, best first.

        ``basis`` says what is compared: ``descriptors`` (the default), or the ``sound`` or
        ``tags`` that an enricher found. ``part`` is ``mixture`` (the default) or, by descriptors,
        a stem such as ``drums``; ``limit`` is 1 to 500.
        """
        path = path_of("library", "tracks", track_id, "similar")
        query = {"basis": basis, "part": part, "limit": limit}
        return self._api.read("GET", path, SimilarTracks, query=query)

    def list_compatible(
        self, track_id: str, *, max_pitch_percent: float | None = None, limit: int = 20
    ) -> CompatibleTracks:
        """Return the tracks that mix well after this one, best first, with scores and reasons.

        ``max_pitch_percent`` is the maximum pitch change, above 0 and below 100; ``limit`` is
        1 to 500.
        """
        path = path_of("library", "tracks", track_id, "compatible")
        query = {"max_pitch_percent": max_pitch_percent, "limit": limit}
        return self._api.read("GET", path, CompatibleTracks, query=query)

    def list_duplicates(self) -> Duplicates:
        """Return groups of duplicates, most certain first."""
        return self._api.read("GET", "/library/duplicates", Duplicates)
