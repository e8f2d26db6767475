"""From what was measured to facts: every analyser is called here, and only here."""

from collections.abc import Mapping
from typing import Any

from core.analysis.descriptors import describe_sound
from core.analysis.energy import estimate_energy
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
from core.analysis.form.structure import find_structure
from core.analysis.form.vocals import Levels, find_vocals
from core.analysis.harmony.chords import estimate_chords
from core.analysis.harmony.chroma import Chroma, measure_chroma
from core.analysis.harmony.key import estimate_key
from core.analysis.meter import Measurement
from core.analysis.rhythm.grid import rate_hold
from core.analysis.rhythm.tempo import estimate_tempo
from core.analysis.spectra import Spectra
from core.analysis.track import WaveformFacts
from core.audio.metering.audiowaveform import encode_json
from core.audio.metering.waveform_data import WaveformData
from stemcrate.schemas.facts import (
    ChordFacts,
    DescriptorFacts,
    EnergyFacts,
    KeyFacts,
    SourceFacts,
    StructureFacts,
    TempoFacts,
    VocalsFacts,
)
from stemcrate.schemas.record import Facts

MAX_PIXELS = 1024
"""Maximum length of the overview, in pixels."""

chroma = measure_chroma


def measured(measurement: Measurement) -> Mapping[str, Facts]:
    """Return length, loudness and overview, by the name of the part."""
    return {
        "duration": SourceFacts(duration_s=round(measurement.duration_s, 6)),
        "loudness": loudness_facts(measurement.loudness, measurement.loudness_over_time),
        "waveform": WaveformFacts(waveform=_overview(measurement.waveform)),
    }


def tempo(spectra: Spectra, tempo_range_bpm: tuple[float, float]) -> TempoFacts:
    """Estimate tempo, beats and bars of the mixture or of its drums."""
    return tempo_facts(estimate_tempo(spectra, tempo_range_bpm=tempo_range_bpm))


def key(pitches: Chroma) -> KeyFacts:
    """Estimate the key of the mixture or of stems."""
    return key_facts(estimate_key(pitches))


def energy(spectra: Spectra, integrated_lufs: float | None) -> EnergyFacts:
    """Rate the energy of the mixture."""
    return energy_facts(estimate_energy(spectra, integrated_lufs))


def vocals(vocals_db: Levels, mixture_db: Levels, duration_s: float) -> VocalsFacts:
    """Find the sung passages by the levels of the vocal stem and of the mixture."""
    return vocals_facts(find_vocals(vocals_db, mixture_db, duration_s=duration_s))


def structure(spectra: Spectra, found: TempoFacts, sung: VocalsFacts) -> StructureFacts:
    """Find the sections on the downbeats; sung passages count where they are known."""
    hold = rate_hold(found.tempo_confidence or 0.0, [part.n_beats for part in found.beat_grid])
    return structure_facts(
        find_structure(spectra, found.downbeats_s, grid_confidence=hold, vocals_s=sung.vocals_s)
    )


def chords(pitches: Chroma, found: TempoFacts) -> ChordFacts:
    """Estimate the chords; they change on beats, else every half second."""
    return chords_facts(estimate_chords(pitches, found.beats_s))


def descriptors(name: str, spectra: Spectra) -> DescriptorFacts:
    """Compute the descriptors of the mixture or a stem."""
    return descriptor_facts({name: describe_sound(spectra)})


def _overview(waveform: WaveformData) -> dict[str, Any] | None:
    """Return the finest level of at most `MAX_PIXELS` pixels; None without samples."""
    for level in waveform.levels:
        if level.low.shape[1] <= MAX_PIXELS:
            return encode_json(level, waveform.sample_rate)
    return None
