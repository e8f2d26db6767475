"""The client: one connection, and every operation of the API."""

from types import TracebackType

from stemcrate.client.batches import BatchCalls
from stemcrate.client.collections import CollectionCalls
from stemcrate.client.connection import Connection
from stemcrate.client.decks import DeckCalls
from stemcrate.client.downloads import DownloadCalls
from stemcrate.client.enrichments import EnrichmentCalls
from stemcrate.client.imports import ImportCalls
from stemcrate.client.ingests import IngestCalls
from stemcrate.client.jobs import JobCalls
from stemcrate.client.library import LibraryCalls
from stemcrate.client.player import PlayerCalls
from stemcrate.client.playlists import PlaylistCalls
from stemcrate.client.renders import RenderCalls
from stemcrate.client.resumable import ResumableCalls
from stemcrate.client.system import SystemCalls
from stemcrate.client.transfers import TransferCalls
from stemcrate.client.webhooks import WebhookCalls
from stemcrate.client.weights import WeightsCalls

DEFAULT_URL = "http://127.0.0.1:8000"


class Client(
    SystemCalls,
    ResumableCalls,
    JobCalls,
    BatchCalls,
    WebhookCalls,
    DownloadCalls,
    PlayerCalls,
    RenderCalls,
    LibraryCalls,
    CollectionCalls,
    ImportCalls,
    TransferCalls,
    IngestCalls,
    DeckCalls,
    EnrichmentCalls,
    PlaylistCalls,
    WeightsCalls,
):
    """Client of one API. Not thread-safe; close it, or use it in a ``with``.

    Every method raises `ApiError` if the API refuses, `ApiUnreachable` if it does not answer,
    and `UnexpectedAnswer` if something else does.

    Parameters
    ----------
    base_url : URL of the API, such as ``https://stems.example.org/api``.
    api_key : key for an API that demands one; empty: none.
    person : for whom a key with the scope ``people`` sends requests: the owner, and after spaces
        the scopes; empty: for the key's own owner.
    timeout_s : maximum seconds without data from the API; ten minutes for uploads.
    use_environment : whether to use the environment's proxies and ``.netrc``. The API is
        usually an internal service without a proxy.
    """

    def __init__(
        self,
        base_url: str = DEFAULT_URL,
        *,
        api_key: str = "",
        person: str = "",
        timeout_s: float = 30.0,
        use_environment: bool = False,
    ) -> None:
        super().__init__(
            Connection(
                base_url,
                api_key=api_key,
                person=person,
                timeout_s=timeout_s,
                use_environment=use_environment,
            )
        )

    def close(self) -> None:
        """Close all connections."""
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
