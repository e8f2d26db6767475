"""All facts of a recording from one pass over it: blocks in, `TrackAnalysis` out.

The command line and the library use it on files; the stages of a job call the same analysers on the
same spectra, and both name their facts by `core.analysis.facts`, so that a fact is the same
wherever it is asked for. What stems decide (drums on the tempo, bass and others on the key, vocals)
is known to jobs alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from core.analysis.descriptors import Descriptors, describe_sound
from core.analysis.energy import EnergyEstimate, estimate_energy
from core.analysis.facts import (
    chords_facts,
    descriptor_facts,
    energy_facts,
    key_facts,
    loudness_facts,
    structure_facts,
    tempo_facts,
    vocals_facts,
)
from core.analysis.form.structure import Structure, find_structure
from core.analysis.harmony.chords import ChordSegment, estimate_chords
from core.analysis.harmony.chroma import measure_chroma
from core.analysis.harmony.key import KeyEstimate, estimate_key
from core.analysis.rhythm.grid import rate_hold
from core.analysis.rhythm.tempo import TEMPO_RANGE_BPM, TempoEstimate, estimate_tempo
from core.analysis.signal import to_mono
from core.analysis.spectra import Spectra, SpectraMeter
from core.audio.buffer import Samples
from core.audio.metering.loudness import (
    MAX_SAMPLE_RATE,
    MIN_SAMPLE_RATE,
    Loudness,
    LoudnessMeter,
)
from core.audio.metering.waveform_data import WaveformData, WaveformMeter
from stemcrate.schemas.facts import MIXTURE, TrackFacts


@dataclass(frozen=True, slots=True)
class TrackAnalysis:
    """What was found in a recording; see the types of the fields.

    ``loudness`` is unknown at sample rates for which it is not defined.
    """

    duration_s: float
    tempo: TempoEstimate
    key: KeyEstimate
    loudness: Loudness
    energy: EnergyEstimate
    structure: Structure
    chords: tuple[ChordSegment, ...]
    descriptors: Descriptors
    waveform: WaveformData

    def facts(self) -> TrackFacts:
        """Return everything but the waveform."""
        facts = TrackFacts(duration_s=round(self.duration_s, 6))
        for found in (
            tempo_facts(self.tempo),
            key_facts(self.key),
            energy_facts(self.energy),
            loudness_facts(self.loudness),
            vocals_facts(None),
            structure_facts(self.structure),
            chords_facts(self.chords),
            descriptor_facts({MIXTURE: self.descriptors}),
        ):
            facts.merge(found)
        return facts


class TrackMeter:
    """Analyse a recording that comes in blocks; memory grows by about 20 kB a second.

    Parameters
    ----------
    sample_rate : in Hz.
    n_channels : 1 or 2.
    tempo_range_bpm : range that the tempo is folded into.
    """

    def __init__(
        self,
        sample_rate: int,
        n_channels: int,
        *,
        tempo_range_bpm: tuple[float, float] = TEMPO_RANGE_BPM,
    ) -> None:
        self._sample_rate = sample_rate
        self._tempo_range_bpm = tempo_range_bpm
        self._n_samples = 0
        self._loudness: LoudnessMeter | None = None
        if MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
            self._loudness = LoudnessMeter(sample_rate, n_channels)
        self._spectra = SpectraMeter(sample_rate)
        self._waveform = WaveformMeter(sample_rate, n_channels)

    def add(self, block: Samples) -> None:
        """Take the next samples, float32 ``(n_channels, n)``."""
        self._n_samples += block.shape[1]
        if self._loudness is not None:
            self._loudness.add(block)
        self._waveform.add(block)
        self._spectra.add(to_mono(block))

    def finish(self) -> TrackAnalysis:
        """Analyse what was added; call it once."""
        spectra = self._finish_spectra()
        chroma = measure_chroma(spectra)
        loudness = self._loudness.result() if self._loudness is not None else Loudness()
        tempo = estimate_tempo(spectra, tempo_range_bpm=self._tempo_range_bpm)
        return TrackAnalysis(
            duration_s=self._n_samples / self._sample_rate,
            tempo=tempo,
            key=estimate_key(chroma),
            loudness=loudness,
            energy=estimate_energy(spectra, loudness.integrated_lufs),
            structure=find_structure(
                spectra,
                tempo.downbeats_s,
                grid_confidence=rate_hold(tempo.confidence, [s.n_beats for s in tempo.grid]),
            ),
            chords=estimate_chords(chroma, tempo.beats_s),
            descriptors=describe_sound(spectra),
            waveform=self._waveform.finish(),
        )

    def _finish_spectra(self) -> Spectra:
        spectra = self._spectra.finish()
        self._spectra = SpectraMeter()  # lets go of the parts: of a long mix they are large
        return spectra


def analyse_track(
    blocks: Iterable[Samples],
    sample_rate: int,
    n_channels: int,
    *,
    tempo_range_bpm: tuple[float, float] = TEMPO_RANGE_BPM,
) -> TrackAnalysis:
    """Analyse a recording in one pass.

    Parameters
    ----------
    blocks : float32 ``(n_channels, n)`` each, in order.
    sample_rate, n_channels, tempo_range_bpm : as for `TrackMeter`.

    Returns
    -------
    The analysis. Silence, noise, one sample: the defined results of the analysers.
    """
    meter = TrackMeter(sample_rate, n_channels, tempo_range_bpm=tempo_range_bpm)
    for block in blocks:
        meter.add(block)
    return meter.finish()
