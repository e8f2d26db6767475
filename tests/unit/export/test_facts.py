"""Facts of the analysis as they lie in manifests, made into what a DJ sees."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.audio.reading.decode import probe
from core.export.facts import add_facts, find_kind
from core.export.model import CrateTrack, FileKind, GridMarker
from stemcrate.schemas.facts import TrackFacts
from tests.integration.export.crates import KINDS, write_audio

BARE = CrateTrack("1", "a.wav", FileKind.WAV, "T", 200.0)
FACTS = {
    "tempo_bpm": 127.5,
    "time_signature": "3/4",
    "beat_grid": [
        {"start_s": 0.5, "tempo_bpm": 127.0, "n_beats": 200, "first_beat_in_bar": 2},
        {"start_s": 95.0, "tempo_bpm": 128.0, "n_beats": 200, "first_beat_in_bar": 1},
    ],
    "key": "A minor",
    "energy": 7,
    "integrated_loudness_lufs": -9.5,
    "true_peak_dbtp": 0.2,
    "vocals_s": [[10.0, 20.0]],
    "cues": [{"time_s": float(n), "name": f"Cue {n}"} for n in range(9, 0, -1)],
    "mix_in_s": [0.5, 16.0],
    "mix_out_s": [180.0, 195.0],
}


def test_every_fact_finds_its_place() -> None:
    track = add_facts(BARE, TrackFacts.model_validate(FACTS))
    assert (track.tempo_bpm, track.key, track.energy) == (127.5, "A minor", 7)
    assert track.grid == (GridMarker(0.5, 127.0, 3, 2), GridMarker(95.0, 128.0, 3, 1))
    assert (track.integrated_loudness_lufs, track.true_peak_dbtp) == (-9.5, 0.2)
    assert track.vocals_s == ((10.0, 20.0),)


def test_cues_lie_on_pads_in_time_and_mix_points_are_memory_cues() -> None:
    """There are eight pads: a ninth hot cue would be refused by every program."""
    cues = add_facts(BARE, TrackFacts.model_validate(FACTS)).cues
    hot = [(cue.pad, cue.start_s) for cue in cues if cue.pad is not None]
    assert hot == [(pad, pad + 1.0) for pad in range(8)]
    memory = [(cue.name, cue.start_s) for cue in cues if cue.pad is None]
    assert memory == [("Cue 9", 9.0), ("Mix in", 0.5), ("Mix out", 180.0)]


def test_facts_that_are_missing_leave_gaps_and_no_zeros() -> None:
    """Older versions stored the tempo of silence as 0 BPM."""
    nothing = dict.fromkeys(n for n in FACTS if n not in ("beat_grid", "cues"))
    for facts in ({}, nothing, {"tempo_bpm": 0.0, "beat_grid": []}):
        track = add_facts(BARE, TrackFacts.model_validate(facts))
        assert (track.tempo_bpm, track.key, track.energy, track.grid) == (None, None, None, ())
        assert (track.cues, track.vocals_s) == ((), ())


def test_what_a_tag_says_stays_where_the_analysis_found_nothing() -> None:
    tagged = replace(BARE, tempo_bpm=99.0, key="C major")
    track = add_facts(tagged, TrackFacts())
    assert (track.tempo_bpm, track.key) == (99.0, "C major")


@pytest.mark.parametrize("name", KINDS)
def test_the_kind_of_a_file_is_known_by_its_content(tmp_path: Path, name: Any) -> None:
    """An ALAC file tagged as WAV, or WMA as MP3, is refused by the tag writer."""
    write_audio(tmp_path / "upload", name)
    source = probe(tmp_path / "upload")
    assert find_kind(source.container, source.codec) is KINDS[name]


def test_a_file_of_another_kind_is_exported_as_such() -> None:
    assert find_kind("asf", "wmav2") is FileKind.OTHER
    assert find_kind(None, None) is FileKind.OTHER
