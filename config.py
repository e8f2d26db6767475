"""Every setting, from the environment, `.env` or the defaults below, in this order.

Nothing but this module and `ui.settings`, which it extends, reads the environment; `core` gets
plain values as arguments.
"""

from copy import copy
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode  # noqa: TID251

from core.access.limits import OwnerLimits
from core.decks.discovery import PORT
from core.decks.interfaces import check_wanted
from core.decks.watcher import DeckWatcher
from core.enrichment.settings import EnricherSettings
from core.errors import InvalidOption
from core.net.addresses import AddressGuard
from core.pipeline.runtime import Runtime
from core.sources.source import DEFAULT_HOSTS, SourceSettings
from core.system.isolation import ProcessLimits
from core.system.processes import fit_connections
from core.system.storage import Storage
from stemcrate.schemas.options import (
    BitDepth,
    Clipping,
    DeliveryFormat,
    Normalization,
    Preset,
    ProcessingOptions,
    Residual,
)
from ui.settings import Listed, WorkbenchSettings, split


def _require_addresses(value: list[str]) -> list[str]:
    AddressGuard(value)
    return value


def _require_interfaces(value: list[str]) -> list[str]:
    check_wanted(value)
    return value


def _default_of(option: str) -> Any:
    """Return a setting for a job option's default, described as the option is."""
    return copy(ProcessingOptions.model_fields[option])


class Settings(WorkbenchSettings):
    """Settings of the whole installation. `.env.example` lists each with its default."""

    # Storage
    data_dir: Path = Field(
        Path("data"),
        description="Folder for jobs, library, caches, logs and the database.",
    )
    database_url: str = Field(
        "",
        description="Empty: SQLite in DATA_DIR. For several machines: postgresql+psycopg://…",
    )
    storage_url: str = Field(
        "",
        description="Object store for the files of all hosts: s3://bucket/prefix, gs://… or "
        "az://…; records are in the PostgreSQL of DATABASE_URL then. Credentials are those of the "
        "environment (AWS_ACCESS_KEY_ID, …). Empty: everything is in DATA_DIR.",
    )
    storage_copies_max_bytes: int = Field(
        20_000_000_000,
        ge=0,
        description="Maximum size of the copies of files in the object store that a process keeps "
        "in its DATA_DIR.",
    )
    storage_redirect_s: float = Field(
        0.0,
        ge=0,
        description="Let clients get files of jobs from the object store itself, by addresses that "
        "are valid for so long, in seconds. 0: they are sent through the API.",
    )
    library_folders: Annotated[list[Path], NoDecode, BeforeValidator(split)] = Field(
        [],
        description="Folders of this machine that may be added to the library over REST and in the "
        "workbench, with all below them, separated by commas. Empty: none.",
    )
    min_free_bytes: int = Field(
        1_000_000_000,
        ge=0,
        description="Refuse new files while the disk of DATA_DIR has less free space. 0: never.",
    )
    max_upload_bytes: int = Field(
        500_000_000, ge=1, description="Maximum size of one uploaded file."
    )
    max_files_per_job: int = Field(50, ge=1, description="Maximum number of files in one job.")
    max_duration_s: float = Field(
        3600.0, gt=0, description="Maximum duration of a recording in seconds."
    )
    retention_days: float = Field(
        0,
        ge=0,
        description="Delete jobs and uploads this many days after the end. 0: never.",
    )

    render_days: float = Field(
        7.0,
        gt=0,
        description="Delete renders (mixes, previews) that were not used for this many days.",
    )
    render_max_bytes: int = Field(
        5_000_000_000,
        ge=0,
        description="Maximum size of all renders; beyond it, the least recently used are deleted.",
    )

    # Sources
    ingest_links: bool = Field(
        True, description="Fetch what links lead to, for whoever may add tracks. false: no links."
    )
    ingest_hosts: Listed = Field(
        list(DEFAULT_HOSTS),
        description="Hosts whose pages are searched for recordings (by yt-dlp, where it is "
        "installed), with all hosts below them, separated by commas; `-`: none. Links to audio "
        "files may lead anywhere.",
    )
    ingest_buckets: Listed = Field(
        [],
        description="Buckets, or parts of them, whose objects may be fetched with the credentials "
        "of this installation, such as s3://music/incoming, separated by commas. Empty: none.",
    )
    ingest_max_playlist: int = Field(
        200, ge=1, description="Maximum number of tracks that are taken of one playlist."
    )
    ingest_timeout_s: float = Field(
        3600.0, gt=0, description="Give up a link that takes longer to fetch, in seconds."
    )
    watch_folders: Annotated[list[Path], NoDecode, BeforeValidator(split)] = Field(
        [],
        description="Folders of which each audio file becomes a job once it has stopped growing, "
        "separated by commas. Empty: none.",
    )
    watch_options: str = Field(
        "",
        description="Options of these jobs, such as `preset=fast; format=flac`. Empty: "
        "the defaults.",
    )
    watch_results: Path | None = Field(
        None,
        description="Folder to which the results of these jobs are copied. Empty: they stay in "
        "DATA_DIR.",
    )
    outgoing_allowed: Annotated[Listed, AfterValidator(_require_addresses)] = Field(
        [],
        description="Networks, addresses and host names that links and webhooks may lead to "
        "although they are not public, such as 10.0.0.0/8 or nas.local, separated by commas. "
        "Empty: none.",
    )

    # Decks
    decks: Literal["off", "on"] = Field(
        "off",
        description="Listen for players on the network that speak StageLinQ (Denon DJ).",
    )
    deck_interfaces: Annotated[Listed, AfterValidator(_require_interfaces)] = Field(
        [],
        description="Network interfaces to listen on: names, or addresses of this machine with the "
        "length of the network's prefix such as 192.168.1.20/24, separated by commas. Empty: all "
        "but loopback (Linux).",
    )
    deck_port: int = Field(
        PORT, ge=1, le=65535, description="UDP port on which players announce themselves."
    )

    # Enrichment
    enrichers: Listed = Field(
        [],
        description="Enrichers of the library's tracks, separated by commas: `character` "
        "(danceability, valence, arousal), `musicnn` (tags and an embedding, by imported weights), "
        "`acoustid` (title, artist and MusicBrainz ids, looked up by fingerprint). Empty: none.",
    )
    acoustid_api_key: str = Field(
        "",
        description="Key of your application at https://acoustid.org, for the enricher `acoustid`. "
        "Empty: none.",
    )

    # Limits of each owner
    owner_requests_per_minute: int = Field(
        0, ge=0, description="Maximum number of requests of an owner in a minute. 0: no limit."
    )
    owner_open_jobs: int = Field(
        0,
        ge=0,
        description="Maximum number of jobs of an owner that have not ended. 0: no limit.",
    )
    owner_upload_bytes_per_day: int = Field(
        0, ge=0, description="Maximum size of all files that an owner sends in a day. 0: no limit."
    )
    owner_audio_minutes_per_day: int = Field(
        0,
        ge=0,
        description="Maximum duration of all recordings that an owner submits in a day, in "
        "minutes. 0: no limit.",
    )
    owner_disk_bytes: int = Field(
        0,
        ge=0,
        description="Refuse new files while jobs and unfinished uploads of an owner take more of "
        "the disk. 0: no limit.",
    )
    limit_local_user: bool = Field(
        False,
        description="The limits of owners also hold for who needs no key: the user of the machine.",
    )

    # Separation
    separator_model: str = _default_of("model")
    device: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", description="Device for models.")
    model_dir: Path | None = Field(
        None,
        description="Folder with model weights, to which fetched ones are added. Empty: fetched "
        "weights go to the cache of the Hugging Face hub.",
    )
    preset: Preset = _default_of("preset")
    model_cache_bytes: int = Field(
        2_000_000_000, ge=0, description="Maximum size of the models that stay loaded between jobs."
    )
    warm_up_model: str = Field("", description="Model to load when a worker starts. Empty: none.")
    compile_models: bool = Field(
        False,
        description="Compile networks for long-running workers: takes minutes once, and needs a "
        "C++ compiler.",
    )
    cache_max_bytes: int = Field(
        10_000_000_000,
        ge=0,
        description="Maximum size of the cache of stage results. 0: no cache.",
    )
    listen_cache_max_bytes: int = Field(
        4_000_000_000,
        ge=100_000_000,
        description="Maximum size of the cache of segments and spectrograms for players.",
    )

    # Defaults of a job's options
    residual: Residual = _default_of("residual")
    normalization: Normalization = _default_of("normalization")
    target_lufs: float = _default_of("target_lufs")
    true_peak_ceiling_dbtp: float = _default_of("true_peak_ceiling_dbtp")
    clipping: Clipping = _default_of("clipping")
    output_format: DeliveryFormat = _default_of("format")
    bit_depth: BitDepth = _default_of("bit_depth")
    name_template: str = _default_of("name_template")

    # Processes
    api_host: str = Field("127.0.0.1", description="Listen address of the API.")
    ui_host: str = Field("127.0.0.1", description="Listen address of the browser workbench.")
    ui_port: int = Field(8501, ge=0, le=65535, description="Port of the browser workbench.")
    allow_open_network: bool = Field(
        False,
        description="Something else keeps strangers out: let the workbench listen beyond this "
        "machine (UI_HOST) without SIGN_IN, and the API (API_HOST) demand no key before one was "
        "made.",
    )
    cors_origins: Listed = Field(
        [],
        description="Origins of other web pages that may call the API, separated by commas. The "
        "workbench needs no entry.",
    )
    allowed_hosts: Listed = Field(
        [],
        description="Host names of API and workbench, separated by commas, besides IP addresses, "
        "names without a dot and those in API_HOST, UI_HOST, API_URL and CORS_ORIGINS. *: any.",
    )
    max_connections: int = Field(
        500,
        ge=8,
        description="Maximum number of connections, of API and workbench each: half of them for "
        "uploads, a quarter for event streams. Fewer where the system limits open files.",
    )
    worker_queues: Annotated[
        list[Literal["gpu", "cpu"]], NoDecode, BeforeValidator(split), Field(min_length=1)
    ] = Field(
        ["gpu", "cpu"],
        description="What a worker does: separation (`gpu`), all else (`cpu`), or both. Where "
        "workers do one of them alone, others have to do the other.",
    )
    worker_cpu_slots: int = Field(
        1, ge=1, description="Number of stages other than separation that a worker runs at a time."
    )
    worker_metrics_host: str = Field(
        "127.0.0.1", description="Listen address of a worker's figures for Prometheus."
    )
    worker_metrics_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Port of a worker's figures for Prometheus, one for each worker of a machine. "
        "No password is asked for. 0: none.",
    )
    reaper_interval_s: float = Field(
        5.0,
        gt=0,
        description="Interval of looking for jobs of dead workers, in seconds.",
    )
    stage_max_attempts: int = Field(
        3,
        ge=1,
        description="Number of deaths of a stage's process in a row, without progress between "
        "them, after which the stage fails. Restarts of the worker do not count.",
    )
    stage_silence_s: float = Field(
        1800.0,
        ge=0,
        description="Kill and retry a stage that reports no progress for this many seconds. "
        "0: never.",
    )
    probe_processes: int = Field(
        2,
        ge=1,
        description="Number of processes in which the API probes uploads.",
    )
    probe_timeout_s: float = Field(
        30.0, gt=0, description="Refuse an upload that takes longer to probe, in seconds."
    )
    scan_command: str = Field(
        "",
        description="Command that looks at each upload before a job takes it, such as "
        "'clamdscan --fdpass --no-summary'; the file's path is added. Exit code 0 takes the file, "
        "1 refuses it; with any other, or none in time, no file is taken. Empty: no scan.",
    )
    scan_timeout_s: float = Field(
        120.0, gt=0, description="How long SCAN_COMMAND may take for a file, in seconds."
    )
    pack_processes: int = Field(
        2,
        ge=1,
        description="Number of processes in which the API builds DJ packs.",
    )
    pack_timeout_s: float = Field(
        1800.0, gt=0, description="Abort a DJ pack that produces no output for this many seconds."
    )
    transfer_targets: Listed = Field(
        [],
        description="Places that files of jobs may be transferred to, with all below them, "
        "separated by commas: s3://bucket/prefix, gs://…, az://…, file:///folder, https://…. "
        "Credentials are those of the workers' environment. Empty: none.",
    )
    stream_bit_rates: Annotated[list[int], NoDecode, BeforeValidator(split)] = Field(
        [256, 160, 96],
        min_length=1,
        description="Bit rates of streams (HLS, AAC) in kbit/s, separated by commas.",
    )
    listen_processes: int = Field(
        2,
        ge=1,
        description="Number of processes in which the API makes segments for players, and number "
        "of those for whole lanes (spectrograms, lossy uploads).",
    )
    listen_timeout_s: float = Field(
        120.0, gt=0, description="Abort a segment, waveform or spectrogram that takes longer."
    )
    process_memory_bytes: int = Field(
        4_000_000_000,
        ge=200_000_000,
        description="Maximum address space of each of these processes, in bytes (Linux).",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Minimum level of log messages on the console and in DATA_DIR/logs."
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="Lines of the log: `text` for people, `json` for programs."
    )

    def resolved_database_url(self) -> str:
        """Return the URL of the job database; SQLite in the data folder by default."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'stemcrate.sqlite'}"

    def outgoing_guard(self) -> AddressGuard:
        """Return what decides which addresses links may lead to."""
        return AddressGuard(self.outgoing_allowed)

    def source_settings(self) -> SourceSettings:
        """Return the settings of links."""
        return SourceSettings(
            self.outgoing_guard(),
            is_on=self.ingest_links,
            hosts=tuple(host.lower() for host in self.ingest_hosts),
            buckets=tuple(self.ingest_buckets),
            max_bytes=self.max_upload_bytes,
            timeout_s=self.ingest_timeout_s,
            max_playlist=self.ingest_max_playlist,
            min_free_bytes=self.min_free_bytes,
            memory_bytes=self.process_memory_bytes,
        )

    def storage(self) -> Storage:
        """Return where the processes of the installation keep what they share.

        Raises `InvalidOption` for an object store of another kind, or without PostgreSQL.
        """
        url = self.resolved_database_url()
        scheme, _, path = self.storage_url.partition("://")
        if self.storage_url and (scheme not in ("s3", "gs", "az") or not path):
            raise InvalidOption(
                f"STORAGE_URL={self.storage_url} is no address of a bucket.",
                hint="Name one as s3://bucket/prefix, gs://bucket/prefix or "
                "az://account/container/prefix.",
                field="storage_url",
            )
        if self.storage_url and not url.startswith("postgres"):
            raise InvalidOption(
                "STORAGE_URL needs PostgreSQL: records and locks of all hosts are there.",
                hint="Set DATABASE_URL=postgresql+psycopg://….",
                field="database_url",
            )
        return Storage(self.data_dir, url, self.storage_url, self.storage_copies_max_bytes)

    def watch_decks(self) -> DeckWatcher | None:
        """Return a watcher of players, which has begun; None where it is off."""
        if self.decks == "off":
            return None
        return DeckWatcher(self.deck_interfaces, port=self.deck_port)

    def enricher_settings(self) -> EnricherSettings:
        """Return the settings of enrichers."""
        return EnricherSettings(
            tuple(dict.fromkeys(self.enrichers)),
            weights_dir=self.model_dir or self.data_dir / "models",
            max_duration_s=self.max_duration_s,
            acoustid_key=self.acoustid_api_key,
            outgoing_allowed=tuple(self.outgoing_allowed),
        )

    def demands_key(self) -> bool:
        """Return whether the API demands a key even if none was made."""
        return not is_loopback(self.api_host) and not self.allow_open_network

    def host_names(self) -> set[str]:
        """Return the host names, in lower case, of API and workbench; ``*`` is any."""
        urls = (self.api_url, *self.cors_origins)
        own = (urlsplit(url).hostname for url in urls)
        names = {*self.allowed_hosts, self.api_host, self.ui_host, *own}
        return {name.lower() for name in names if name}

    def n_connections(self) -> int:
        """Return how many connections a server of this process takes."""
        return fit_connections(self.max_connections)

    def default_options(self) -> ProcessingOptions:
        """Return the default options of a job."""
        return ProcessingOptions(
            model=self.separator_model,
            preset=self.preset,
            residual=self.residual,
            clipping=self.clipping,
            normalization=self.normalization,
            target_lufs=self.target_lufs,
            true_peak_ceiling_dbtp=self.true_peak_ceiling_dbtp,
            format=self.output_format,
            bit_depth=self.bit_depth,
            name_template=self.name_template,
        )

    def owner_limits(self) -> OwnerLimits:
        """Return the limits of each owner."""
        return OwnerLimits(
            requests_per_minute=self.owner_requests_per_minute,
            open_jobs=self.owner_open_jobs,
            upload_bytes_per_day=self.owner_upload_bytes_per_day,
            audio_minutes_per_day=self.owner_audio_minutes_per_day,
            disk_bytes=self.owner_disk_bytes,
        )

    def probe_limits(self) -> ProcessLimits:
        """Return the limits of probing an upload."""
        return ProcessLimits(self.probe_timeout_s, self.process_memory_bytes)

    def pack_limits(self) -> ProcessLimits:
        """Return the limits of making a DJ pack."""
        return ProcessLimits(self.pack_timeout_s, self.process_memory_bytes)

    def listen_limits(self) -> ProcessLimits:
        """Return the limits of making what a player asks for."""
        return ProcessLimits(self.listen_timeout_s, self.process_memory_bytes)

    def runtime(self) -> Runtime:
        """Return the settings that stages need."""
        return Runtime(
            device=self.device,
            model_dir=self.model_dir,
            max_duration_s=self.max_duration_s,
            cache_max_bytes=self.cache_max_bytes,
            model_cache_bytes=self.model_cache_bytes,
            compile_models=self.compile_models,
            compiled_dir=self.data_dir / "cache" / "compiled",
            warm_up_model=self.warm_up_model,
        )


def is_loopback(host: str) -> bool:
    """Return whether a listen address is reached from this machine alone.

    >>> is_loopback("localhost"), is_loopback("127.0.0.9"), is_loopback("::1"), is_loopback("")
    (True, True, True, False)
    """
    try:
        return host.lower() == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


@lru_cache
def settings() -> Settings:
    """Read the settings once."""
    return Settings()


def storage_at(data_dir: Path | None) -> Storage:
    """Return the installation's storage, or the one with another data folder."""
    installation = settings()
    if data_dir is not None:
        installation = installation.model_copy(update={"data_dir": data_dir})
    return installation.storage()
