"""From the analysers' estimates to the facts that are stored (`stemcrate.schemas.facts`).

The one place where values get their names and their rounding. Numbers are rounded by their unit:
times to microseconds, as durations are, so that no time exceeds its recording's; tempi to
0.0001 BPM, levels to thousandths of a dB, ratios and scores to thousandths, amplitudes to
millionths.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from core.analysis.descriptors import VERSION
from core.analysis.descriptors import Descriptors as DescriptorVector
from core.analysis.energy import EnergyEstimate
from core.analysis.form.structure import MixWindow, Structure
from core.analysis.form.vocals import VocalActivity
from core.analysis.harmony.chords import ChordSegment
from core.analysis.harmony.key import KeyEstimate
from core.analysis.rhythm.tempo import TempoEstimate
from core.audio.metering.loudness import Loudness, LoudnessCurve
from stemcrate.schemas.facts import (
    Chord,
    ChordFacts,
    ChromaValues,
    CuePoint,
    DescriptorFacts,
    Descriptors,
    EnergyCurve,
    EnergyFacts,
    GridSegment,
    Interval,
    KeyAlternative,
    KeyFacts,
    KeySegment,
    LoudnessFacts,
    LoudnessValues,
    Section,
    StructureFacts,
    TempoAlternative,
    TempoFacts,
    VocalsFacts,
)


def tempo_facts(estimate: TempoEstimate) -> TempoFacts:
    """Return tempo, alternatives, beats, bars and grid."""
    return TempoFacts(
        tempo_bpm=_tempo(estimate.tempo_bpm),
        tempo_confidence=_share(estimate.confidence),
        tempo_alternatives=[
            TempoAlternative(tempo_bpm=_tempo(other.tempo_bpm), score=_share(other.score))
            for other in estimate.alternatives
        ],
        tempo_is_steady=estimate.is_steady,
        time_signature=estimate.time_signature,
        beats_s=_times(estimate.beats_s),
        downbeats_s=_times(estimate.downbeats_s),
        downbeat_confidence=_share(estimate.downbeat_confidence),
        beat_grid=[
            GridSegment(
                start_s=_time(segment.start_s),
                tempo_bpm=_tempo(segment.tempo_bpm),
                n_beats=segment.n_beats,
                first_beat_in_bar=segment.first_beat_in_bar,
            )
            for segment in estimate.grid
        ],
    )


def key_facts(estimate: KeyEstimate) -> KeyFacts:
    """Return the key in every notation, alternatives, and the key over time."""
    return KeyFacts(
        key=estimate.key,
        key_short=estimate.key_short,
        camelot=estimate.camelot,
        open_key=estimate.open_key,
        key_confidence=_share(estimate.confidence),
        key_alternatives=[
            KeyAlternative(key=other.key, camelot=other.camelot, score=_share(other.score))
            for other in estimate.alternatives
        ],
        key_is_contested=False,
        key_over_time=[
            KeySegment(
                start_s=_time(segment.start_s),
                end_s=_time(segment.end_s),
                key=segment.key,
                camelot=segment.camelot,
                confidence=_share(segment.confidence),
            )
            for segment in estimate.segments
        ],
        tuning_cents=round(estimate.tuning_cents, 1),
        chroma_over_time=ChromaValues(
            hop_s=estimate.chroma_hop_s, values=[list(span) for span in estimate.chroma]
        ),
    )


def energy_facts(estimate: EnergyEstimate) -> EnergyFacts:
    """Return the energy, its components and its curve."""
    return EnergyFacts(
        energy=estimate.energy,
        energy_value=_share(estimate.value),
        energy_components={name: _share(v) for name, v in estimate.components.items()},
        energy_over_time=EnergyCurve(hop_s=estimate.curve_hop_s, values=list(estimate.curve)),
    )


def loudness_facts(loudness: Loudness, over_time: LoudnessCurve | None = None) -> LoudnessFacts:
    """Return loudness, its range and maxima, and the peaks; over time where it was asked for."""
    curve: dict[str, Any] = {}
    if over_time is not None:
        levels = [_rounded(lufs, 2) for lufs in over_time.lufs]
        curve["loudness_over_time"] = LoudnessValues(hop_s=over_time.hop_s, values=levels)
    return LoudnessFacts(
        integrated_loudness_lufs=_level(loudness.integrated_lufs),
        loudness_range_lu=_level(loudness.loudness_range_lu),
        true_peak_dbtp=_level(loudness.true_peak_dbtp),
        sample_peak_dbfs=_level(loudness.sample_peak_dbfs),
        momentary_max_lufs=_level(loudness.momentary_max_lufs),
        short_term_max_lufs=_level(loudness.short_term_max_lufs),
        replaygain_db=_level(loudness.replaygain_db),
        replaygain_peak=_rounded(loudness.replaygain_peak, 6),
        **curve,
    )


def structure_facts(structure: Structure) -> StructureFacts:
    """Return sections, mixing windows and cue points."""
    mix_in, mix_out, audible = structure.mix_in, structure.mix_out, structure.audible_s
    first = structure.first_downbeat_s
    return StructureFacts(
        sections=[
            Section(
                start_s=_time(section.start_s),
                end_s=_time(section.end_s),
                label=section.label,
                letter=section.letter,
                n_bars=section.n_bars,
                confidence=_share(section.confidence),
            )
            for section in structure.sections
        ],
        first_downbeat_s=None if first is None else _time(first),
        mix_in_s=_window(mix_in),
        mix_in_bars=None if mix_in is None else mix_in.n_bars,
        mix_out_s=_window(mix_out),
        mix_out_bars=None if mix_out is None else mix_out.n_bars,
        cues=[CuePoint(time_s=_time(cue.time_s), name=cue.name) for cue in structure.cues],
        audible_s=None if audible is None else (_time(audible[0]), _time(audible[1])),
    )


def vocals_facts(activity: VocalActivity) -> VocalsFacts:
    """Return the sung passages."""
    return VocalsFacts(
        vocals_s=[(_time(start), _time(end)) for start, end in activity.intervals_s],
        vocal_ratio=_share(activity.ratio),
        is_instrumental=activity.is_instrumental,
        vocals_confidence=_share(activity.confidence),
    )


def chords_facts(segments: Sequence[ChordSegment]) -> ChordFacts:
    """Return the chords over time."""
    return ChordFacts(
        chords=[
            Chord(
                start_s=_time(segment.start_s),
                end_s=_time(segment.end_s),
                chord=segment.chord,
                confidence=_share(segment.confidence),
            )
            for segment in segments
        ]
    )


def descriptor_facts(vectors: Mapping[str, DescriptorVector]) -> DescriptorFacts:
    """Return the descriptors of the mixture, and of stems, by name."""
    encoded = {
        name: base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii")
        for name, vector in vectors.items()
    }
    return DescriptorFacts(descriptors=Descriptors(version=VERSION, vectors=encoded))


def _time(seconds: float) -> float:
    return round(seconds, 6)


def _times(seconds: Sequence[float]) -> list[float]:
    return [round(value, 6) for value in seconds]


def _tempo(bpm: float) -> float:
    return round(bpm, 4)


def _level(decibels: float | None) -> float | None:
    return _rounded(decibels, 3)


def _share(value: float) -> float:
    return round(value, 3)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _window(window: MixWindow | None) -> Interval | None:
    return None if window is None else (_time(window.start_s), _time(window.end_s))
