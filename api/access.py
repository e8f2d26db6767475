"""Who may do what: the scope that each operation demands, and the check of it.

Whoever adds an operation names its scope here: the app is not created without it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from core.access.keys import ApiKey, Scope
from core.errors import KeyRequired, ScopeMissing
from stemcrate.schemas.owners import LOCAL

OPEN_OPERATIONS = frozenset({"get_health", "check_alive", "check_ready"})
OPEN_PATHS = frozenset({"/health", "/livez", "/readyz", "/openapi.json", "/docs", "/redoc"})
"""What tells nothing of anybody: monitors, and pages that read the description."""
OPEN_FOLDERS = ("/docs/",)

OPERATIONS: dict[Scope, frozenset[str]] = {
    Scope.READ: frozenset(
        {
            "get_config",
            "list_jobs",
            "get_job",
            "get_manifest",
            "list_outputs",
            "stream_job_events",
            "download_artefact",
            "download_zip",
            "get_player",
            "get_segment",
            "get_waveform",
            "get_spectrogram",
            "list_batches",
            "get_batch",
            "list_batch_jobs",
            "get_batch_manifest",
            "get_stream",
            "get_lane_stream",
            "list_webhooks",
            "get_webhook",
            "list_deliveries",
            "get_decks",
            "stream_decks",
            "get_render",
            "download_render",
            "get_weights_fetch",
            "list_tracks",
            "get_map",
            "get_track",
            "get_track_player",
            "get_track_segment",
            "get_track_waveform",
            "get_track_spectrogram",
            "get_cover",
            "get_thumbnail",
            "list_similar",
            "list_compatible",
            "list_duplicates",
            "list_collections",
            "get_collection",
            "list_playlists",
            "get_playlist",
            "export_playlist",
            "list_ingests",
            "get_ingest",
            "get_ingest_manifest",
            "list_enrichments",
            "get_enrichment",
            "list_transfers",
            "get_transfer",
        }
    ),
    Scope.WRITE: frozenset(
        {
            "submit_job",
            "cancel_job",
            "retry_job",
            "delete_job",
            "create_batch",
            "cancel_batch",
            "delete_batch",
            "create_webhook",
            "delete_webhook",
            "rotate_webhook",
            "replay_delivery",
            "create_upload",
            "get_upload",
            "append_upload",
            "delete_upload",
            "create_render",
            "delete_render",
            "add_tracks",
            "create_ingest",
            "cancel_ingest",
            "create_enrichment",
            "cancel_enrichment",
            "create_transfer",
            "cancel_transfer",
            "add_job_tracks",
            "correct_track",
            "undo_correction",
            "remove_track",
            "create_collection",
            "change_collection",
            "delete_collection",
            "create_playlist",
            "rename_playlist",
            "reorder_playlist",
            "delete_playlist",
        }
    ),
    Scope.ADMIN: frozenset(
        {
            "get_system",
            "get_metrics",
            "fetch_weights",
            "cancel_weights_fetch",
            "list_folders",
            "create_import",
            "list_imports",
            "get_import",
            "cancel_import",
        }
    ),
}
"""By ``operationId``. Admin: what concerns the installation, its disk and its folders."""
SCOPE_OF = {name: scope for scope, names in OPERATIONS.items() for name in names}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request. ``key_id`` is None for the user of the machine."""

    owner: str
    scopes: frozenset[Scope]
    key_id: str | None = None

    @property
    def is_local_user(self) -> bool:
        """Whether this is the user of the machine, of whom no key is demanded."""
        return self.key_id is None and self.owner == LOCAL

    @classmethod
    def of(cls, key: ApiKey) -> "Caller":
        """Return the caller with a key."""
        return cls(key.owner, key.scopes, key.id)


LOCAL_CALLER = Caller(LOCAL, frozenset(Scope))


def is_open(path: str) -> bool:
    """Return whether a path is answered without a key."""
    return path in OPEN_PATHS or path.startswith(OPEN_FOLDERS)


def find_caller(request: Request) -> Caller:
    """Return who sends a request; `api.callers` found it out. Raises `KeyRequired`."""
    caller: Caller | None = getattr(request.state, "caller", None)
    if caller is None:
        raise no_key()
    return caller


async def require_scope(request: Request) -> None:
    """Refuse a request whose caller may not do this. Raises `KeyRequired`, `ScopeMissing`."""
    operation = str(request.scope["route"].operation_id)
    request.state.operation = operation  # for the audit trail
    if operation in OPEN_OPERATIONS or is_open(request.url.path):
        return
    caller = find_caller(request)
    scope = SCOPE_OF[operation]
    if scope not in caller.scopes:
        raise ScopeMissing(
            f"The key does not permit this: it needs the scope '{scope}'.",
            hint="Use another key, or have one made with 'stemcrate keys create --scopes'.",
        )


def no_key() -> KeyRequired:
    """Return the error for a request without a key."""
    return KeyRequired(
        "This API demands a key.",
        hint="Send it as 'Authorization: Bearer KEY'; the workbench takes it from "
        "STEMCRATE_API_KEY. 'stemcrate keys create' makes one.",
    )


def wrong_key() -> KeyRequired:
    """Return the error for a request with a key that is not valid."""
    return KeyRequired(
        "The key is not valid: it is unknown, was revoked or has expired.",
        hint="Who runs this installation sees the keys with 'stemcrate keys list'.",
    )


def check_table(routes: Iterable[BaseRoute]) -> None:
    """Raise ValueError unless every operation is in the table, and nothing else."""
    described = [r for r in routes if isinstance(r, APIRoute) and r.include_in_schema]
    differences = {route.operation_id for route in described} ^ (SCOPE_OF.keys() | OPEN_OPERATIONS)
    if differences:
        raise ValueError(f"operations without a scope, or scopes without one: {differences}")
