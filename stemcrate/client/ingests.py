"""Links and lists of tracks that a worker fetches."""

from collections.abc import Sequence

from stemcrate.client.calls import Calls
from stemcrate.client.connection import path_of
from stemcrate.client.uploads import Options, write_options
from stemcrate.schemas.ingests import Ingest, IngestManifest, IngestRequest, Ingests


class IngestCalls(Calls):
    """Operations on ingests."""

    def create_ingest(
        self,
        links: Sequence[str] = (),
        *,
        list_text: str | None = None,
        list_name: str = "",
        job: Options | None = None,
    ) -> Ingest:
        """Have links, and the tracks of a list, fetched: only what you have the right to copy.

        Parameters
        ----------
        list_text : a list in any of the formats, such as `artist - title` lines; ``list_name`` is
            the name of its file, if it has one.
        job : options of a job that processes the tracks, as for `submit_job`; `{}` for the
            defaults. None: the tracks are added to the library.

        Raises `ApiError` 422 ``invalid_link``, ``invalid_list`` or ``invalid_option``.
        """
        request = IngestRequest(
            links=list(links),
            list_text=list_text,
            list_name=list_name,
            job=None if job is None else write_options(job),
        )
        return self._api.read("POST", "/ingest", Ingest, json=request.model_dump(mode="json"))

    def list_ingests(self) -> Ingests:
        """Return the last ingests, newest first."""
        return self._api.read("GET", "/ingest", Ingests)

    def get_ingest(self, ingest_id: str) -> Ingest:
        """Return state and progress of an ingest. Raises `ApiError` ``ingest_not_found`` (404)."""
        return self._api.read("GET", path_of("ingest", ingest_id), Ingest)

    def get_ingest_manifest(self, ingest_id: str) -> IngestManifest:
        """Return every track of an ingest with what became of it.

        Raises `ApiError` ``ingest_not_found`` (404).
        """
        return self._api.read("GET", path_of("ingest", ingest_id, "manifest"), IngestManifest)

    def cancel_ingest(self, ingest_id: str) -> Ingest:
        """Cancel an ingest; tracks that were added stay. One that has ended is unchanged.

        Raises `ApiError` ``ingest_not_found`` (404).
        """
        return self._api.read("POST", path_of("ingest", ingest_id, "cancel"), Ingest)
