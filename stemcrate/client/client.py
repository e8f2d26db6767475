"""The client: one connection, and every operation of the API."""

from types import TracebackType

from stemcrate.client.connection import Connection
from stemcrate.client.downloads import DownloadCalls
from stemcrate.client.jobs import JobCalls
from stemcrate.client.library import LibraryCalls
from stemcrate.client.playlists import PlaylistCalls
from stemcrate.client.system import SystemCalls

DEFAULT_URL = "http://127.0.0.1:8000"


class Client(SystemCalls, JobCalls, DownloadCalls, LibraryCalls, PlaylistCalls):
    """Talks to one API. Use one client a thread; close it, or use it in a ``with``.

    Every method raises `ApiError` when the API refuses, `ApiUnreachable` when it does not answer,
    and `UnexpectedAnswer` when something else does.

    Parameters
    ----------
    base_url : where the API is, such as ``https://stems.example.org/api``.
    timeout_s : seconds for which the API may stay silent; uploads have ten minutes.
    use_environment : whether proxies and ``.netrc`` of the environment are used. The API is
        usually a service of one's own, which no proxy leads to.
    """

    def __init__(
        self,
        base_url: str = DEFAULT_URL,
        *,
        timeout_s: float = 30.0,
        use_environment: bool = False,
    ) -> None:
        super().__init__(Connection(base_url, timeout_s=timeout_s, use_environment=use_environment))

    def close(self) -> None:
        """Close every open connection."""
        self._api.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
