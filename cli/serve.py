"""stemcrate serve, api, worker and ui: the processes of an installation."""

import errno
import socket
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from cli.output import EXIT_FAILED, err
from config import Settings, is_loopback, settings
from core.errors import DatabaseUnavailable
from core.jobs.supervisor import run_all
from core.system.logs import configure_logging

if TYPE_CHECKING:
    from core.jobs.watcher import WatchOptions
    from core.jobs.worker import WorkerOptions

SERVICES = ("api", "worker", "ui")  # commands of `stemcrate`


def api() -> None:
    """Run only the API, at API_HOST and API_PORT, until it is stopped."""
    # Imported late: no other command serves HTTP.
    import uvicorn

    from api.connections import server_options

    installation = settings()
    installation.storage()  # refuses what cannot be, before anything starts
    _warn_without_key(installation)
    _require_port(installation.api_host, installation.api_port, "API_PORT")
    uvicorn.run(
        "api.main:create_app_from_environment",
        factory=True,
        host=installation.api_host,
        port=installation.api_port,
        **server_options(installation.n_connections()),
    )


def workbench() -> None:
    """Run only the browser workbench, at UI_HOST and UI_PORT, until it is stopped."""
    # Imported late: no other command needs Streamlit.
    from cli.workbench import run_workbench

    installation = settings()
    _require_closed(installation, "UI_HOST")
    _require_port(installation.ui_host, installation.ui_port, "UI_PORT")
    configure_logging(
        installation.log_level, installation.data_dir, "ui", format=installation.log_format
    )
    run_workbench(installation)


def worker() -> None:
    """Run one worker: it takes jobs from the queue until it is stopped."""
    # Imported late: no other command needs DBOS.
    from core.jobs.worker import run_worker

    installation = settings()
    if installation.worker_metrics_port:
        host, port = installation.worker_metrics_host, installation.worker_metrics_port
        _require_closed(installation, "WORKER_METRICS_HOST")
        _require_port(host, port, "WORKER_METRICS_PORT")
    sys.exit(run_worker(worker_options(installation)))


def serve() -> None:
    """Run API, worker and browser workbench together; Ctrl-C stops all of them."""
    installation = settings()
    installation.storage()
    _require_closed(installation, "UI_HOST")
    configure_logging(
        installation.log_level, installation.data_dir, "serve", format=installation.log_format
    )
    err.print(
        f"Stemcrate: point your browser at http://localhost:{installation.ui_port}   "
        "(Ctrl-C stops everything)",
    )
    run_all({name: [sys.executable, "-m", "cli.main", name] for name in SERVICES})


def _require_closed(installation: Settings, *hosts: str) -> None:
    """End the process if one of these settings opens it to the network without leave."""
    if installation.allow_open_network:
        return
    if installation.sign_in != "none":
        hosts = tuple(setting for setting in hosts if setting != "UI_HOST")
    for setting in hosts:
        host = getattr(installation, setting.lower())
        if not is_loopback(host):
            err.print(
                f"error: {setting}={host} would be open to everyone on the network: there is no "
                "sign-in. Listen on 127.0.0.1, set SIGN_IN, or set ALLOW_OPEN_NETWORK=true if a "
                "proxy, a firewall or the container's published ports protect it.",
                soft_wrap=True,
            )
            sys.exit(EXIT_FAILED)


def _warn_without_key(installation: Settings) -> None:
    """Say how the API becomes of use if it demands a key and none was made yet."""
    if not installation.demands_key():
        return
    # Imported late: no other command waits for SQLAlchemy.
    from core.access.store import KeyStore

    store = KeyStore(installation.resolved_database_url())
    with suppress(DatabaseUnavailable):
        if not store.all():
            err.print(
                f"warning: API_HOST={installation.api_host} is reached from the network, so every "
                "request needs a key, and there is none. Make one: 'stemcrate keys create NAME "
                "--owner OWNER'.",
                soft_wrap=True,
            )


def _require_port(host: str, port: int, setting: str) -> None:
    """End the process with a message that names the setting if the port is taken."""
    if not port:  # the system chooses a free one
        return
    for family, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        try:
            socket.create_server(address[:2], family=family).close()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                continue  # the server itself says what is wrong with the address
            err.print(
                f"error: port {port} on {host} is taken by another program. "
                f"Stop that program, or choose another port with {setting}.",
                soft_wrap=True,
            )
            sys.exit(EXIT_FAILED)


def worker_options(installation: Settings) -> "WorkerOptions":
    """Convert the settings to a worker's options."""
    from core.jobs.worker import WorkerOptions

    return WorkerOptions(
        storage=installation.storage(),
        database_url=installation.resolved_database_url(),
        runtime=installation.runtime(),
        kinds=tuple(installation.worker_queues),
        cpu_slots=installation.worker_cpu_slots,
        reaper_interval_s=installation.reaper_interval_s,
        stage_max_attempts=installation.stage_max_attempts,
        stage_silence_s=installation.stage_silence_s,
        retention_days=installation.retention_days,
        render_days=installation.render_days,
        render_max_bytes=installation.render_max_bytes,
        scan_command=installation.scan_command,
        scan_timeout_s=installation.scan_timeout_s,
        probe_limits=installation.probe_limits(),
        max_upload_bytes=installation.max_upload_bytes,
        owner_limits=installation.owner_limits(),
        sources=installation.source_settings(),
        enrichers=installation.enricher_settings(),
        max_files_per_job=installation.max_files_per_job,
        watch=_watch_options(installation),
        metrics_host=installation.worker_metrics_host,
        metrics_port=installation.worker_metrics_port,
        log_level=installation.log_level,
        log_format=installation.log_format,
    )


def _watch_options(installation: Settings) -> "WatchOptions | None":
    """Return what WATCH_FOLDERS has watched. Raises `InvalidOption`."""
    if not installation.watch_folders:
        return None
    from core.jobs.watcher import WatchOptions
    from core.pipeline.options import parse_options

    given = dict[str, str]()
    for part in filter(str.strip, installation.watch_options.split(";")):
        name, _, value = part.partition("=")
        given[name.strip()] = value.strip()
    return WatchOptions(
        folders=tuple(folder.resolve() for folder in installation.watch_folders),
        options=parse_options(given, installation.default_options()),
        results=installation.watch_results,
        max_bytes=installation.max_upload_bytes,
        min_free_bytes=installation.min_free_bytes,
    )
