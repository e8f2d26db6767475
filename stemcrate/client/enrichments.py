"""Runs of the enrichers over tracks of the library."""

from collections.abc import Sequence

from stemcrate.client.calls import Calls
from stemcrate.client.connection import path_of
from stemcrate.schemas.enrichment import EnrichmentRequest, EnrichmentRun, EnrichmentRuns


class EnrichmentCalls(Calls):
    """Operations on runs of the enrichers."""

    def create_enrichment(self, track_ids: Sequence[str] | None = None) -> EnrichmentRun:
        """Let the enrichers look at tracks; None: at all that lack a result.

        A worker does so; `get_track` tells what was found.

        Raises `ApiError` ``track_not_found`` (404) or ``invalid_option`` (422): none is switched
        on.
        """
        ids = None if track_ids is None else list(track_ids)
        body = EnrichmentRequest(track_ids=ids).model_dump(mode="json")
        return self._api.read("POST", "/library/enrichments", EnrichmentRun, json=body)

    def list_enrichments(self) -> EnrichmentRuns:
        """Return the last runs, newest first."""
        return self._api.read("GET", "/library/enrichments", EnrichmentRuns)

    def get_enrichment(self, run_id: str) -> EnrichmentRun:
        """Return state and progress of a run.

        Raises `ApiError` ``enrichment_not_found`` (404).
        """
        return self._api.read("GET", path_of("library", "enrichments", run_id), EnrichmentRun)

    def cancel_enrichment(self, run_id: str) -> EnrichmentRun:
        """Cancel a run; what was found stays. One that has ended is unchanged.

        Raises `ApiError` ``enrichment_not_found`` (404).
        """
        path = path_of("library", "enrichments", run_id, "cancel")
        return self._api.read("POST", path, EnrichmentRun)
