"""Renders: request, follow, download, delete."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from stemcrate.client.calls import Calls
from stemcrate.client.connection import path_of
from stemcrate.client.files import DownloadProgress, Target, fetch
from stemcrate.client.waiting import wait_until_final
from stemcrate.schemas.renders import Render, RenderRequest

RENDER_POLL_S = 0.5
RenderProgress = Callable[[Render], None]


class RenderCalls(Calls):
    """Operations on renders. Each one that takes an id raises ``render_not_found`` (404)."""

    def create_render(self, wanted: RenderRequest) -> Render:
        """Request a render and return it; it is complete if it was made before.

        Raises `ApiError`: 404 ``job_not_found``, ``track_not_found`` or ``artefact_not_found``, 409
        ``job_not_finished`` or ``beat_grid_missing``, 422 ``invalid_option``, 507
        ``storage_full``.
        """
        body = wanted.model_dump(mode="json", exclude_unset=True) | {"kind": wanted.kind}
        return self._api.read("POST", "/renders", Render, json=body)

    def get_render(self, render_id: str) -> Render:
        """Return a render's state and progress."""
        return self._api.read("GET", path_of("renders", render_id), Render)

    def wait_for_render(
        self,
        render_id: str,
        *,
        progress: RenderProgress | None = None,
        timeout_s: float | None = None,
    ) -> Render:
        """Wait for the end of a render and return it, whether it completed or failed.

        Parameters
        ----------
        progress : called with the render after every look, the last time after its end.
        timeout_s : maximum seconds to wait; None: no limit.

        Raises
        ------
        WaitTimeout : it has not ended after ``timeout_s``; it continues.
        """
        return wait_until_final(
            lambda: self.get_render(render_id), progress, timeout_s, RENDER_POLL_S
        )

    def download_render(
        self,
        render_id: str,
        to: Target,
        *,
        disposition: Literal["attachment", "inline"] | None = None,
        resume: bool = True,
        progress: DownloadProgress | None = None,
    ) -> Path:
        """Download the file of a completed render; see `download`.

        Raises `ApiError` ``render_not_finished`` (409) before it has completed.
        """
        fetched = fetch(
            self._api,
            path_of("renders", render_id, "file"),
            to,
            query={"disposition": disposition},
            resume=resume,
            progress=progress,
        )
        return fetched.path

    def delete_render(self, render_id: str) -> None:
        """Stop a render if it runs, and delete it with its file."""
        self._api.tell("DELETE", path_of("renders", render_id))
