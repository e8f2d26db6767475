"""Looking into uploads in processes of their own: a file may hang, bloat or crash its decoder."""

from pathlib import Path
from queue import Queue

from core.errors import InvalidAudio, UnreadableAudio
from core.system.isolation import IsolatedProcess, ProcessDied, ProcessLimits, ProcessTimedOut


class Prober:
    """Probes files, up to ``n_processes`` at once; further callers wait. Safe for many threads."""

    def __init__(
        self, n_processes: int, limits: ProcessLimits, *, max_duration_s: float | None = None
    ) -> None:
        self._limits = limits
        self._max_duration_s = max_duration_s
        self._processes = [IsolatedProcess(limits, _load_decoders) for _ in range(n_processes)]
        self._free: Queue[IsolatedProcess] = Queue()
        for process in self._processes:
            self._free.put(process)

    def probe(self, path: Path, name: str) -> float | None:
        """Return the duration of a file in seconds, None if it does not say; it can be used.

        Messages call it ``name``. Raises what `core.audio.reading.decode.probe` raises, and
        `UnreadableAudio` for a file that takes longer or more memory than the limits allow, or
        that crashes the decoder.
        """
        process = self._free.get()
        try:
            return process.call(_probe, path, name, self._max_duration_s)
        except ProcessTimedOut as error:
            raise UnreadableAudio(
                f"{name} could not be read within {self._limits.silence_s:g} s.",
                hint="Its tags or its headers may be damaged: export it again.",
            ) from error
        except ProcessDied as error:
            raise UnreadableAudio(
                f"{name} could not be read: {error}.",
                hint="The file may be broken: export it again.",
            ) from error
        finally:
            self._free.put(process)

    def find_refusal(self, path: Path, name: str) -> InvalidAudio | None:
        """Return why a file cannot be used, None where it can; see `probe`."""
        try:
            self.probe(path, name)
        except InvalidAudio as error:
            return error
        return None

    def close(self) -> None:
        """End the processes."""
        for process in self._processes:
            process.close()


def _load_decoders() -> None:
    # There, and not above: decoders are loaded in those processes alone.
    import core.audio.reading.decode  # noqa: F401


def _probe(path: Path, name: str, max_duration_s: float | None) -> float | None:
    from core.audio.reading.decode import probe

    return probe(path, name=name, max_duration_s=max_duration_s).duration_s
