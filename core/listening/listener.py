"""Serves lanes in pieces: makes each once, in processes of its own, and keeps it (decision 12).

Files of strangers and of ours are read alike: the API's process loads no decoder.
"""

import copy
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from queue import Queue
from typing import TypeVar

from core.artifacts.job_ids import is_job_id
from core.artifacts.store import JobStore
from core.errors import (
    ArtefactNotFound,
    InvalidAudio,
    JobNotFound,
    StageFailed,
    StemcrateError,
    TrackNotFound,
)
from core.library.library import Library
from core.library.records.record import LibraryRecord
from core.library.stems import find_unchanged, is_unchanged
from core.listening import tasks
from core.listening.cache import ListeningCache
from core.listening.lanes import Lane, TrackLanes, segment_name
from core.listening.listing import list_lanes
from core.listening.recordings import list_recording
from core.listening.sharing import Decoding, Flights, Known
from core.system.isolation import IsolatedProcess, ProcessDied, ProcessLimits
from stemcrate.schemas.manifest import ProcessingManifest

R = TypeVar("R")


class Listener:
    """What players hear and draw of the tracks of jobs and of the library, and their covers.

    Safe for many threads.

    Parameters
    ----------
    n_processes : how many make short pieces at a time, and how many work on whole lanes.
    limits : what one piece may take.
    max_bytes : of the pieces that are kept.
    """

    def __init__(
        self,
        store: JobStore,
        library: Library,
        n_processes: int,
        limits: ProcessLimits,
        max_bytes: int,
    ) -> None:
        self._store = store
        self._library = library
        self._cache = ListeningCache(store.listening, max_bytes)
        self._short = _Pool(n_processes, limits)
        self._long = _Pool(n_processes, limits)
        self._making = Flights()
        self._decoding: dict[Path, Decoding] = {}
        self._known = Known[tuple[ProcessingManifest, TrackLanes]]()
        self._known_recordings = Known[TrackLanes]()
        self._lock = threading.Lock()

    def over(self, store: JobStore, library: Library) -> "Listener":
        """Return a listener to these jobs and tracks, with the processes and pieces of this one."""
        other = copy.copy(self)
        other._store = store
        other._library = library
        other._known = Known()
        other._known_recordings = Known()
        return other

    def track(self, job_id: str, index: int) -> tuple[ProcessingManifest, TrackLanes]:
        """Return a job's manifest and the lanes of one of its tracks.

        Raises
        ------
        JobNotFound, JobNotFinished, ArtefactNotFound : as `list_lanes`.
        """

        def read() -> tuple[ProcessingManifest, TrackLanes]:
            manifest = self._store.load(job_id)
            return manifest, list_lanes(self._store, manifest, index)

        return self._known.get((job_id, index), self._store.stamp(job_id), read)

    def recording(self, record: LibraryRecord) -> TrackLanes:
        """Return a track of the library, whose one lane is its file as it was added.

        Raises
        ------
        ArtefactNotFound : no file on record is there unchanged, or it cannot be read.
        StageFailed : the process that reads it died.
        """
        file = find_unchanged(record, self._store)
        if file is None:
            raise ArtefactNotFound(
                f"The file of '{record.title}' was moved, changed or deleted.",
                hint="Add it to the library again where it is now.",
            )

        def read() -> TrackLanes:
            try:
                found = self._short.call(tasks.find_format, Path(file.path), record.name)
            except InvalidAudio as error:
                raise ArtefactNotFound(error.message, hint=error.hint) from error
            except ProcessDied as error:
                raise StageFailed(f"'{record.name}' could not be read: {error}.") from error
            return list_recording(record, file, found)

        return self._known_recordings.get(record.id, (file, record.duration_s), read)

    def lane(self, job_id: str, index: int, label: str) -> tuple[TrackLanes, Lane]:
        """Return a lane by its label. Raises what `track` raises."""
        _, track = self.track(job_id, index)
        for lane in track.lanes:
            if lane.label == label:
                return track, lane
        raise ArtefactNotFound(
            f"Track {index} of job '{job_id}' has no lane '{label}'.",
            hint=f"Its lanes: {', '.join(lane.label for lane in track.lanes)}.",
        )

    def warm_up(self) -> None:
        """Start the processes that make segments, without waiting for them."""
        self._short.warm_up()

    def segment(self, track: TrackLanes, lane: Lane, number: int) -> bytes:
        """Return a segment as FLAC.

        Raises
        ------
        ArtefactNotFound : there is no such segment, or its file is gone.
        StageFailed : the process died.
        """
        if not 0 <= number < track.n_segments:
            raise ArtefactNotFound(
                f"'{lane.label}' has no segment {number}: it has {track.n_segments}, "
                "counted from 0."
            )
        path = self._cache.path(track.owner, lane.key, segment_name(number))
        make = (
            partial(self._decode_to, track, lane, number)
            if lane.is_whole
            else partial(self._short.call, tasks.segment, track, lane, number, path)
        )
        return self._get(path, make, track, lane)

    def spectrogram(self, track: TrackLanes, lane: Lane) -> bytes:
        """Return the picture of a lane's spectrum over time, as WebP. Raises `StageFailed`."""
        path = self._cache.path(track.owner, lane.key, "spectrogram.webp")
        make = partial(self._long.call, tasks.spectrogram, track, lane, path)
        return self._get(path, make, track, lane)

    def waveform(self, track: TrackLanes, lane: Lane, kind: str) -> bytes:
        """Return a lane's waveform, ``dat`` or ``bands``. Raises `StageFailed`."""
        path = self._cache.path(track.owner, lane.key, f"waveform.{kind}")
        make = partial(self._long.call, tasks.waveform, track, lane, path.parent)
        with self._making.of(path.with_name("waveform")):  # both kinds are made at once
            return self._get(path, make, track, lane)

    def stream(self, track: TrackLanes, lane: Lane, name: str) -> bytes:
        """Return the playlist or the segments of a lane's stream, by their name.

        ``name`` is a bit rate in kbit/s with the suffix ``.m3u8`` or ``.mp4``. Raises
        `StageFailed`, `ArtefactNotFound`.
        """
        path = self._cache.path(track.owner, lane.key, name)
        make = partial(self._long.call, tasks.stream, track, lane, int(path.stem), path.parent)
        with self._making.of(path.with_suffix(".stream")):  # both files are made at once
            return self._get(path, make, track, lane)

    def thumbnail(self, cover: Path) -> bytes | None:
        """Return a cover of the library as a small WebP, made once and kept beside it.

        None if the cover can't be read. Raises `StageFailed` if the process died.
        """
        path = cover.with_name(f"{cover.name}.webp")
        with self._making.of(path):
            if not path.is_file():
                try:
                    self._short.call(tasks.thumbnail, cover, path)
                except ProcessDied as error:
                    path.write_bytes(b"")  # the next request would end the next process
                    raise StageFailed(f"A cover could not be read: {error}.") from error
        return path.read_bytes() or None

    def close(self) -> None:
        """End the processes."""
        self._short.close()
        self._long.close()

    def _get(self, path: Path, make: Callable[[], None], track: TrackLanes, lane: Lane) -> bytes:
        """Return a piece, made where it does not exist; by one thread, if several ask for it."""
        data = self._cache.read(path)
        if data is not None:
            return data
        with self._making.of(path):
            data = self._cache.read(path)
            if data is None:
                self._require_files(lane)
                try:
                    make()
                except ProcessDied as error:
                    raise StageFailed(f"'{path.name}' could not be made: {error}.") from error
                data = self._cache.read(path)
                self._cache.note_added(path)
                self._require_owner(track.owner)
        if data is None:
            raise StageFailed(
                f"'{path.name}' had to make room before it was sent.",
                hint="Raise LISTEN_CACHE_MAX_BYTES.",
            )
        return data

    def _require_files(self, lane: Lane) -> None:
        """Fetch files of a lane that are not on this host.

        Raises `ArtefactNotFound` if one is gone, or another than on record.
        """
        for part in lane.parts:
            if part.file is not None and not is_unchanged(part.file):
                raise ArtefactNotFound(
                    f"The file of '{lane.name}' was moved, changed or deleted.",
                    hint="Add it to the library again where it is now.",
                )
            if not self._store.fetch(part.path).is_file():
                raise ArtefactNotFound(
                    f"The file of '{lane.label}' no longer exists.",
                    hint="Run the job again to recreate it.",
                )

    def _decode_to(self, track: TrackLanes, lane: Lane, number: int) -> None:
        """Decode a lane from its first sample, and return once segment ``number`` is there."""
        folder = self._cache.path(track.owner, lane.key, "")
        with self._lock:
            decoding = self._decoding.get(folder)
            if decoding is None:
                decoding = self._decoding[folder] = Decoding()
                work = partial(self._decode, track, lane, folder, decoding)
                threading.Thread(target=work, daemon=True).start()
        decoding.wait_for(number)

    def _decode(self, track: TrackLanes, lane: Lane, folder: Path, decoding: Decoding) -> None:
        error: Exception | None = None
        try:
            for number in self._long.stream(tasks.segments, track, lane, folder):
                decoding.reach(number)
                self._cache.note_added(folder / segment_name(number))
        except (StemcrateError, ProcessDied) as failure:
            error = failure
        with self._lock:
            del self._decoding[folder]
        decoding.end(error)
        with suppress(JobNotFound, TrackNotFound):
            self._require_owner(track.owner)

    def _require_owner(self, owner: str) -> None:
        """Remove what was made for a job or track that was deleted meanwhile.

        Raises `JobNotFound` and `TrackNotFound`.
        """
        if is_job_id(owner):
            if self._store.exists(owner):
                return
            self._store.forget_listening(owner)
            raise JobNotFound(f"There is no job '{owner}'.")
        if self._library.find_record(owner) is None:
            self._store.forget_listening(owner)
            raise TrackNotFound(f"There is no track '{owner}'.")


class _Pool:
    """Processes that take tasks one by one; callers wait for a free one."""

    def __init__(self, n_processes: int, limits: ProcessLimits) -> None:
        self._processes = [IsolatedProcess(limits, tasks.load) for _ in range(n_processes)]
        self._free: Queue[IsolatedProcess] = Queue()
        for process in self._processes:
            self._free.put(process)

    def call(self, function: Callable[..., R], *arguments: object) -> R:
        process = self._free.get()
        try:
            return process.call(function, *arguments)
        finally:
            self._free.put(process)

    def stream(self, function: Callable[..., Iterator[R]], *arguments: object) -> Iterator[R]:
        process = self._free.get()
        try:
            yield from process.stream(function, *arguments)
        finally:
            self._free.put(process)

    def warm_up(self) -> None:
        for process in self._processes:
            if process.pid is None:
                threading.Thread(target=self._start_one, daemon=True).start()

    def _start_one(self) -> None:
        with suppress(ProcessDied):
            self.call(tasks.load)

    def close(self) -> None:
        for process in self._processes:
            process.close()
