"""Analysis of a recording, shared by jobs, the library and the command line.

`TrackAnalyser` returns each part of the analysis: from known facts (`core.analysis.store`), else by
measuring and estimating it, once. ``library add`` and ``stemcrate analyze`` request all parts of a
file, each stage of a job its own; parts that depend on the mixture alone are the same for all.

The analysers are not imported for known facts.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from core.analysis.stems import (
    DRUMS,
    PITCHED,
    VOCALS,
    NoStems,
    Stems,
    arbitrate_key,
    arbitrate_tempo,
)
from core.analysis.store import KnownFacts
from core.analysis.version import TEMPO_RANGE_BPM
from core.system.threads import one_blas_thread
from stemcrate.schemas.facts import (
    MIXTURE,
    ChordFacts,
    DescriptorFacts,
    EnergyFacts,
    KeyFacts,
    LoudnessFacts,
    SourceFacts,
    StructureFacts,
    TempoFacts,
    TrackFacts,
    VocalsFacts,
)
from stemcrate.schemas.record import Facts

if TYPE_CHECKING:
    from core.analysis.harmony.chroma import Chroma
    from core.analysis.meter import Measurement
    from core.analysis.spectra import Spectra

F = TypeVar("F", bound=Facts)

NO_VOCAL_STEM = "There is no vocal stem to look at."

_MEASURED = ("duration", "loudness", "waveform")
_OF_MIXTURE = (*_MEASURED, "tempo", "key", "energy", "structure", "chords", "descriptors")
_BY_TEMPO_RANGE = frozenset({"tempo", "structure", "chords"})


class Mixture(Protocol):
    """A recording that can be measured."""

    def kept_spectra(self) -> "Spectra | None":
        """Return the spectra of an earlier measurement; None if unavailable."""

    def measure_spectra(self) -> "Spectra":
        """Measure the spectra alone, if all other measurements are known."""

    def measure(self) -> "Measurement":
        """Measure the recording in one pass."""


class WaveformFacts(Facts):
    """Overview in the format of peaks.js; None without samples."""

    waveform: dict[str, Any] | None = None


class TrackAnalyser:
    """The facts of one recording, part by part.

    Parameters
    ----------
    known : known facts; new ones are recorded there.
    mixture : measured if a fact is unknown.
    stems : of the recording, if it was separated.
    tempo_range_bpm : range into which the tempo is folded.

    Attributes
    ----------
    n_known, n_found : number of requested parts that were known, and that had to be found.
    """

    def __init__(
        self,
        known: KnownFacts,
        mixture: Mixture,
        *,
        stems: Stems | None = None,
        tempo_range_bpm: tuple[float, float] = TEMPO_RANGE_BPM,
    ) -> None:
        self.n_known = self.n_found = 0
        self._known = known
        self._mixture = mixture
        self._stems = stems or NoStems()
        self._tempo_range_bpm = tempo_range_bpm
        self._spectra: Spectra | None = None
        self._chroma: dict[tuple[str, ...], Chroma] = {}
        self._is_limited = False

    @property
    def is_known(self) -> bool:
        """Whether all parts requested so far were known."""
        return self.n_known > 0 and not self.n_found

    def knows_mixture(self) -> bool:
        """Return whether all parts that depend on the mixture alone are known."""
        return all(self._known.has(part, self._parameters(part)) for part in _OF_MIXTURE)

    def facts(self) -> TrackFacts:
        """Return all facts of the recording; defined for silence and one sample, too."""
        facts = TrackFacts()
        with nullcontext() if self.knows_mixture() else self._one_thread():
            for find in (
                self.duration,
                self.tempo,
                self.key,
                self.energy,
                self.loudness,
                self.vocals,
                self.structure,
                self.chords,
                self.descriptors,
            ):
                facts.merge(find())
        return facts

    def duration(self) -> SourceFacts:
        """Return the length of the mixture."""
        return self._measured("duration", SourceFacts)

    def loudness(self) -> LoudnessFacts:
        """Return loudness and peaks of the mixture."""
        return self._measured("loudness", LoudnessFacts)

    def waveform(self) -> dict[str, Any] | None:
        """Return an overview in the format of peaks.js; None without samples."""
        return self._measured("waveform", WaveformFacts).waveform

    def tempo(self) -> TempoFacts:
        """Return tempo, beats and bars; certain drums overrule the mixture."""
        return arbitrate_tempo(self._tempo_of_mixture(), self._tempo_of_drums())

    def is_tempo_of_drums(self) -> bool:
        """Return whether the drums overruled the mixture."""
        drums = self._tempo_of_drums()
        return drums is not None and arbitrate_tempo(self._tempo_of_mixture(), drums) is drums

    def key(self) -> KeyFacts:
        """Return the key; pitched stems decide where the mixture is uncertain."""
        pitched = self.pitched_stems()
        return arbitrate_key(self._key_of(), self._key_of(*pitched) if pitched else None)

    def energy(self) -> EnergyFacts:
        """Return the energy of the mixture."""
        loudness = self.loudness()
        return self._ask(
            "energy",
            EnergyFacts,
            lambda: _estimates().energy(self._mixture_spectra(), loudness.integrated_loudness_lufs),
        )

    def vocals(self) -> VocalsFacts:
        """Return the sung passages; None without a vocal stem, with the reason."""
        if VOCALS not in self._stems.names:
            return VocalsFacts(
                vocals_s=None,
                vocal_ratio=None,
                is_instrumental=None,
                vocals_confidence=None,
                vocals_absent_because=NO_VOCAL_STEM,
            )
        return self._ask(
            "vocals",
            VocalsFacts,
            lambda: _estimates().vocals(
                self._stems.levels(VOCALS), self._stems.levels(MIXTURE), self._stems.duration_s()
            ),
            VOCALS,
        )

    def structure(self) -> StructureFacts:
        """Return sections, mixing windows and cue points, on the downbeats of `tempo`."""
        tempo, vocals = self.tempo(), self.vocals()
        deciders = [VOCALS] if vocals.vocals_s is not None else []
        return self._ask(
            "structure",
            StructureFacts,
            lambda: _estimates().structure(self._mixture_spectra(), tempo, vocals),
            *deciders,
            *self._tempo_deciders(),
        )

    def chords(self) -> ChordFacts:
        """Return the chords of the pitched stems, else of the mixture, beat by beat."""
        tempo, pitched = self.tempo(), self.pitched_stems()
        return self._ask(
            "chords",
            ChordFacts,
            lambda: _estimates().chords(self._chroma_of(*pitched), tempo),
            *pitched,
            *self._tempo_deciders(),
        )

    def descriptors(self, progress: Callable[[float], None] | None = None) -> DescriptorFacts:
        """Return one vector for the mixture and one for each stem.

        ``progress`` is called with the fraction done after each.
        """
        found = self._describe()
        for done, stem in enumerate(self._stems.names):
            if progress is not None:
                progress((done + 1) / (len(self._stems.names) + 1))
            found = _join(found, self._describe(stem))
        return found

    def pitched_stems(self) -> tuple[str, ...]:
        """Return the names of the pitched stems."""
        return tuple(name for name in self._stems.names if name in PITCHED)

    def _tempo_of_mixture(self) -> TempoFacts:
        return self._ask(
            "tempo",
            TempoFacts,
            lambda: _estimates().tempo(self._mixture_spectra(), self._tempo_range_bpm),
        )

    def _tempo_of_drums(self) -> TempoFacts | None:
        if DRUMS not in self._stems.names:
            return None
        return self._ask(
            "tempo",
            TempoFacts,
            lambda: _estimates().tempo(self._stems.spectra([DRUMS]), self._tempo_range_bpm),
            DRUMS,
        )

    def _tempo_deciders(self) -> list[str]:
        return [DRUMS] if self.is_tempo_of_drums() else []

    def _key_of(self, *stems: str) -> KeyFacts:
        return self._ask("key", KeyFacts, lambda: _estimates().key(self._chroma_of(*stems)), *stems)

    def _describe(self, *stems: str) -> DescriptorFacts:
        name = stems[0] if stems else MIXTURE
        return self._ask(
            "descriptors",
            DescriptorFacts,
            lambda: _estimates().descriptors(name, self._spectra_of(*stems)),
            *stems,
        )

    def _measured(self, part: str, kind: type[F]) -> F:
        """Return a measurement of the mixture."""
        found = self._known.get(part, {}, kind)
        self.n_known += found is not None
        if found is None:
            self._measure()
            found = self._known.get(part, {}, kind)
            assert found is not None
        return found

    def _measure(self) -> "Spectra":
        with self._one_thread():
            measured = self._mixture.measure()
        for part, facts in _estimates().measured(measured).items():
            self._known.put(part, {}, facts, is_lasting=True)
        self.n_found += 1
        self._spectra = measured.spectra
        return measured.spectra

    def _mixture_spectra(self) -> "Spectra":
        if self._spectra is None:
            self._spectra = self._mixture.kept_spectra()
        if self._spectra is None and all(self._known.has(part, {}) for part in _MEASURED):
            self._spectra = self._mixture.measure_spectra()
        return self._spectra or self._measure()

    def _spectra_of(self, *stems: str) -> "Spectra":
        return self._stems.spectra(stems) if stems else self._mixture_spectra()

    def _chroma_of(self, *stems: str) -> "Chroma":
        if stems not in self._chroma:
            self._chroma[stems] = _estimates().chroma(self._spectra_of(*stems))
        return self._chroma[stems]

    def _ask(self, part: str, kind: type[F], find: Callable[[], F], *stems: str) -> F:
        """Return a known part, else find and record it; ``stems`` are those that it depends on."""
        parameters = self._parameters(part, *stems)
        found = self._known.get(part, parameters, kind)
        if found is not None:
            self.n_known += 1
            return found
        with self._one_thread():
            found = find()
        self.n_found += 1
        is_lasting = not stems or self._stems.identity is not None
        self._known.put(part, parameters, found, is_lasting=is_lasting)
        return found

    @contextmanager
    def _one_thread(self) -> Iterator[None]:
        """Limit BLAS to one thread, once: finding its libraries takes 2 ms."""
        if self._is_limited:
            yield
            return
        _estimates()  # loads the libraries to limit
        self._is_limited = True
        try:
            with one_blas_thread():
                yield
        finally:
            self._is_limited = False

    def _parameters(self, part: str, *stems: str) -> Mapping[str, Any]:
        """Return the parameters of a part besides the mixture."""
        parameters: dict[str, Any] = {}
        if part in _BY_TEMPO_RANGE:
            parameters["tempo_range_bpm"] = [float(bpm) for bpm in self._tempo_range_bpm]
        if stems:
            parameters |= {"stems": sorted(stems), "separation": self._stems.identity}
        return parameters


def _estimates() -> Any:
    """Load the analysers, which takes a second."""
    from core.analysis import estimates

    return estimates


def _join(one: DescriptorFacts, other: DescriptorFacts) -> DescriptorFacts:
    assert one.descriptors is not None
    assert other.descriptors is not None
    vectors = {**one.descriptors.vectors, **other.descriptors.vectors}
    return DescriptorFacts(descriptors=one.descriptors.model_copy(update={"vectors": vectors}))
