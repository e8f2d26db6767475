"""Analysis of a file, decoded once for all listeners."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from core.analysis.store import KnownFacts
from core.analysis.track import TrackAnalyser
from core.audio.buffer import Samples
from core.audio.tagging.tags import name_track, read_tags

if TYPE_CHECKING:
    from core.analysis.meter import Measurement
    from core.analysis.spectra import Spectra
    from core.audio.reading.source import SourceFormat


class Listener(Protocol):
    """Receiver of a recording, block by block."""

    def add(self, block: Samples) -> None:
        """Add the next samples, float32 ``(n_channels, n)``."""


L = TypeVar("L", bound=Listener)


class FileMixture(Generic[L]):
    """Mixture from a file for `TrackAnalyser`; decoded only if a fact is unknown.

    Parameters
    ----------
    path : the file.
    name : name for messages; default ``path.name``.
    max_duration_s : longest accepted recording, in seconds.
    listen : makes another listener to the same samples, from sample rate (Hz) and channels.

    Attributes
    ----------
    source : format of the file; None before it was decoded.
    listener : made by ``listen``; None before the file was decoded, and without ``listen``.
    """

    def __init__(
        self,
        path: Path,
        *,
        name: str | None = None,
        max_duration_s: float | None = None,
        listen: Callable[[int, int], L] | None = None,
    ) -> None:
        self.source: SourceFormat | None = None
        self.listener: L | None = None
        self._path = path
        self._name = name
        self._max_duration_s = max_duration_s
        self._listen = listen

    def kept_spectra(self) -> "Spectra | None":
        """Return None: measurements are not kept."""
        return None

    def measure_spectra(self) -> "Spectra":
        """Decode the file. Raises as `measure`."""
        return self.measure().spectra

    def measure(self) -> "Measurement":
        """Decode the file. Raises `InvalidAudio`: its subclasses say what is wrong with it."""
        from core.audio.reading.decode import read_through

        self.source, measured = read_through(
            self._path, self._hear, name=self._name, max_duration_s=self._max_duration_s
        )
        return measured

    def _hear(self, sample_rate: int, n_channels: int, blocks: Iterator[Samples]) -> "Measurement":
        from core.analysis.meter import MixtureMeter

        meter = MixtureMeter(sample_rate, n_channels)
        self.listener = self._listen(sample_rate, n_channels) if self._listen else None
        for block in blocks:
            meter.add(block)
            if self.listener is not None:
                self.listener.add(block)
        return meter.finish()


def analyse_file(path: Path) -> dict[str, Any]:
    """Analyse a file without stored facts; see `describe_file`."""
    return describe_file(path, TrackAnalyser(KnownFacts(), FileMixture[Listener](path)))


def describe_file(path: Path, analyser: TrackAnalyser) -> dict[str, Any]:
    """Return the facts of a file in the format of ``stemcrate analyze``.

    Returns
    -------
    The facts under the names of the manifest, with title and artist; ``waveform`` is an overview
    as peaks.js reads it.

    Raises
    ------
    InvalidAudio : its subclasses say what is wrong with the file.
    """
    facts = analyser.facts().model_dump(mode="json")
    title, artist = name_track(read_tags(path), path.name)
    return {"title": title, "artist": artist, **facts, "waveform": analyser.waveform()}
