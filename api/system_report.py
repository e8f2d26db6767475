"""The report on an installation, for the people who run it."""

import platform
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from itertools import islice

from api.deps import Services
from api.version import VERSION
from api.worker_views import worker_view
from config import Settings
from core.artifacts.job_ids import age_s
from core.artifacts.store import JobStore
from core.errors import DatabaseUnavailable
from core.system.database import without_password
from core.system.disk import disk_space
from stemcrate.schemas.manifest import ProcessingManifest
from stemcrate.schemas.system import (
    DiskInfo,
    FolderSize,
    QueueInfo,
    RecentFailure,
    SettingInfo,
    SystemReport,
)

PACKAGES = (
    "torch",
    "demucs",
    "librosa",
    "numpy",
    "scipy",
    "soundfile",
    "av",
    "dbos",
    "sqlalchemy",
    "fastapi",
    "uvicorn",
    "streamlit",
    "pydantic",
)
MAX_JOBS = 200
MAX_FAILURES = 20


def report_system(services: Services) -> SystemReport:
    """Return how an installation stands; a database that is away makes gaps, no error."""
    n_total, n_free = disk_space(services.store.data_dir)
    try:
        workers = [worker_view(report) for report in services.reports.live()]
    except DatabaseUnavailable:
        workers = []
    return SystemReport(
        version=VERSION,
        versions=_versions(),
        workers=workers,
        queue=_queue(services),
        disk=DiskInfo(
            total_bytes=n_total,
            free_bytes=n_free,
            min_free_bytes=services.settings.min_free_bytes,
            folders=[
                FolderSize(name=name, bytes=size) for name, size in services.usage.sizes().items()
            ],
        ),
        settings=list(describe_settings(services.settings)),
        failures=list(islice(_failures(services.store), MAX_FAILURES)),
    )


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "system": platform.platform()}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _queue(services: Services) -> QueueInfo | None:
    try:
        waiting = services.queue.waiting()
        running = services.queue.running()
    except DatabaseUnavailable:
        return None
    oldest = min(waiting, default=None)  # ids sort by time
    return QueueInfo(
        waiting=len(waiting),
        running=len(running),
        oldest_waiting_s=None if oldest is None else round(age_s(oldest)),
    )


def describe_settings(settings: Settings) -> Iterator[SettingInfo]:
    """Yield the settings in force; a password in an address is replaced by asterisks."""
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        yield SettingInfo(
            name=name.upper(),
            value=_written(value),
            is_default=value == field.get_default(call_default_factory=True),
            description=field.description or "",
        )


def _written(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    text = str(value)
    return without_password(text) if "://" in text else text


def _failures(store: JobStore) -> Iterator[RecentFailure]:
    for manifest in store.page(before=None, limit=MAX_JOBS):
        yield from _failures_of(manifest)


def _failures_of(manifest: ProcessingManifest) -> Iterator[RecentFailure]:
    tracks = [track for track in manifest.tracks if track.error is not None]
    for track in tracks:
        assert track.error is not None
        yield RecentFailure(
            job_id=manifest.job_id,
            track_index=track.index,
            name=track.source.name,
            at=manifest.finished_at,
            code=track.error.code,
            message=track.error.message,
            hint=track.error.hint,
        )
    if manifest.error is not None and not tracks:
        yield RecentFailure(
            job_id=manifest.job_id,
            track_index=None,
            name=manifest.tracks[0].source.name if manifest.tracks else "",
            at=manifest.finished_at,
            code=manifest.error.code,
            message=manifest.error.message,
            hint=manifest.error.hint,
        )
