"""The rule of corrections: what a person set, and all that follows from it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.errors import GridLocked, InvalidOption
from core.library.corrections.apply import apply, find_changes
from core.library.corrections.change import change_corrections
from core.library.corrections.record import MAX_HISTORY, CorrectionRecord, CorrectionStore
from core.library.corrections.records import correct_record
from core.library.records.record import LibraryRecord
from stemcrate.schemas.corrections import Corrections, CorrectionsChange
from stemcrate.schemas.facts import CuePoint, GridSegment, Section, SectionLabel, TrackFacts
from tests.library_records import make_record, track_id

NONE = Corrections()
AT = datetime(2026, 1, 1, tzinfo=UTC)


def song() -> TrackFacts:
    """Half the right tempo: 64 BPM from 0.5 s, bars of 3.75 s, 16 of them and a bit."""
    beat_s = 60 / 64
    beats_s = [round(0.5 + k * beat_s, 6) for k in range(66)]
    bars_s = beats_s[::4]
    return TrackFacts.model_validate(
        {
            "title": "Found",
            "artist": "Finder",
            "duration_s": 62.0,
            "tempo_bpm": 64.0,
            "tempo_confidence": 0.6,
            "tempo_alternatives": [{"tempo_bpm": 128.0, "score": 0.9}],
            "tempo_is_steady": True,
            "time_signature": "4/4",
            "beats_s": beats_s,
            "downbeats_s": bars_s,
            "downbeat_confidence": 0.5,
            "beat_grid": [
                GridSegment(start_s=0.5, tempo_bpm=64.0, n_beats=66, first_beat_in_bar=1)
            ],
            "key": "A minor",
            "key_short": "Am",
            "camelot": "8A",
            "open_key": "1m",
            "key_confidence": 0.4,
            "key_alternatives": [{"key": "C major", "camelot": "8B", "score": 0.9}],
            "key_is_contested": True,
            "energy": 4,
            "first_downbeat_s": 0.5,
            "audible_s": (0.4, 61.5),
            "sections": [
                section(0.0, bars_s[4], "intro", 4),
                section(bars_s[4], bars_s[12], "drop", 8),
                section(bars_s[12], 62.0, "outro", 4),
            ],
            "mix_in_s": (bars_s[0], bars_s[4]),
            "mix_in_bars": 4,
            "mix_out_s": (bars_s[12], bars_s[16]),
            "mix_out_bars": 4,
            "cues": [
                {"time_s": bars_s[0], "name": "Start"},
                {"time_s": bars_s[4], "name": "Drop"},
                {"time_s": bars_s[12], "name": "Mix out"},
            ],
        }
    )


def section(start_s: float, end_s: float, label: str, n_bars: int) -> Section:
    return Section(
        start_s=start_s,
        end_s=end_s,
        label=SectionLabel(label),
        letter="A",
        n_bars=n_bars,
        confidence=0.5,
    )


def change(before: Corrections, facts: TrackFacts | None = None, **fields: Any) -> Corrections:
    asked = CorrectionsChange.model_validate(fields)
    return change_corrections(before, asked, song() if facts is None else facts)


def test_no_corrections_change_nothing() -> None:
    facts = song()
    assert apply(facts, NONE) is facts


def test_texts_and_numbers_stand_for_what_was_found() -> None:
    kept = change(NONE, title="  Right ", artist="", rating=4, energy=9, key="11b")
    facts = apply(song(), kept)
    assert (facts.title, facts.artist, facts.rating, facts.energy) == ("Right", None, 4, 9)
    assert (facts.key, facts.key_short, facts.camelot, facts.open_key) == (
        *("A major", "A", "11B"),
        "4d",
    )
    assert (facts.key_confidence, facts.key_is_contested) == (1.0, False)
    assert [other.key for other in facts.key_alternatives] == ["C major"]


def test_a_doubled_tempo_doubles_beats_and_bars() -> None:
    facts = apply(song(), change(NONE, grid=[{"op": "scale", "by": "2"}]))
    assert (facts.tempo_bpm, facts.tempo_confidence, facts.time_signature) == (128.0, 1.0, "4/4")
    assert facts.beats_s[:3] == [0.03125, 0.5, 0.96875]
    assert facts.downbeats_s[:2] == [0.5, 2.375]
    assert facts.tempo_alternatives == []
    assert [s.n_bars for s in facts.sections] == [8, 16, 9]  # 1.5 s after the last bar are one now
    assert [s.start_s for s in facts.sections] == [s.start_s for s in song().sections]
    assert (facts.mix_in_bars, facts.mix_out_bars) == (8, 8)
    assert facts.mix_in_s == song().mix_in_s
    assert [cue.time_s for cue in facts.cues] == [cue.time_s for cue in song().cues]
    assert facts.beat_grid[0].n_beats == len(facts.beats_s)


def test_what_lies_on_bars_follows_them() -> None:
    """Sections, windows and the analysis's cues would stay half a beat beside the grid."""
    half_beat_s = 60 / 64 / 2
    facts = apply(song(), change(NONE, grid=[{"op": "shift", "beats": 0.5}]))
    found = song()
    assert facts.first_downbeat_s == 0.5 + half_beat_s
    assert facts.sections[1].start_s == found.sections[1].start_s + half_beat_s
    assert (facts.sections[0].start_s, facts.sections[-1].end_s) == (0.0, 62.0)
    assert [s.n_bars for s in facts.sections][:2] == [4, 8]
    assert facts.mix_in_s == (0.5 + half_beat_s, 0.5 + half_beat_s + 15.0)
    assert [c.time_s for c in facts.cues] == [c.time_s + half_beat_s for c in found.cues]
    assert [c.hot_cue for c in facts.cues] == [1, 2, 3]


def test_a_section_without_a_bar_is_dropped() -> None:
    """In bars twice as long, a section of one bar has none of its own."""
    found = song()
    bars_s = found.downbeats_s
    found.sections = [
        section(0.0, bars_s[4], "intro", 4),
        section(bars_s[4], bars_s[5], "break", 1),
        section(bars_s[5], 62.0, "drop", 11),
    ]
    halved = change(NONE, found, grid=[{"op": "scale", "by": "1/2"}])
    facts = apply(found, halved)
    assert [s.label for s in facts.sections] == ["intro", "drop"]
    assert (facts.sections[0].end_s, facts.sections[1].start_s) == (15.5, 15.5)
    assert facts.sections[-1].end_s == 62.0


def test_cues_set_by_hand_are_never_moved() -> None:
    cues = [
        {"time_s": 20.5, "name": "Loop", "end_s": 24.25, "hot_cue": 2, "colour": "#00CC00"},
        {"time_s": 1.234, "name": "Voice", "hot_cue": 1},
        {"time_s": 30.0},
    ]
    kept = change(NONE, cues=cues, grid=[{"op": "shift", "beats": 0.5}])
    facts = apply(song(), kept)
    assert facts.cues == [
        CuePoint(time_s=1.234, name="Voice", hot_cue=1),
        CuePoint(time_s=20.5, name="Loop", end_s=24.25, hot_cue=2, colour="#00CC00"),
        CuePoint(time_s=30.0, name="", hot_cue=None),
    ]
    read = TrackFacts.model_validate_json(facts.model_dump_json())
    assert [cue.hot_cue for cue in read.cues] == [1, 2, None]
    assert apply(song(), change(kept, cues=[])).cues == []


def test_memory_cues_stay_memory_cues_when_read_again() -> None:
    """Unnumbered cues of a stored analysis are numbered; a person's must not be."""
    facts = apply(song(), change(NONE, cues=[{"time_s": 3.0, "name": "Memory"}]))
    assert TrackFacts.model_validate_json(facts.model_dump_json()).cues[0].hot_cue is None
    stored = {"cues": [{"time_s": float(9 - n), "name": str(n)} for n in range(9)]}
    numbered = TrackFacts.model_validate(stored).cues
    assert [cue.hot_cue for cue in numbered] == [1, 2, 3, 4, 5, 6, 7, 8, None]
    assert numbered[0].time_s == 1.0


def test_tempo_and_grid_are_undone_together() -> None:
    kept = change(NONE, tempo_bpm=128.0, title="Right")
    kept = change(kept, grid=[{"op": "nudge", "ms": 10.0}])
    assert kept.grid is not None
    assert kept.tempo_bpm is None
    for name in ("tempo_bpm", "grid"):
        undone = change(kept, **{name: None})
        assert undone == Corrections(title="Right")
        assert apply(song(), undone).beats_s == song().beats_s


def test_an_operation_after_an_undo_starts_from_the_analysis() -> None:
    kept = change(NONE, tempo_bpm=90.0)
    again = change(kept, tempo_bpm=None, grid=[{"op": "scale", "by": "2"}])
    assert again.grid is not None
    assert again.grid.tempo_bpm == 128.0


def test_a_grid_as_it_was_found_is_no_correction() -> None:
    kept = change(NONE, grid=[{"op": "lock"}])
    assert kept.grid is not None
    assert kept.grid.is_locked
    locked = apply(song(), kept)
    assert (locked.beats_s, locked.sections) == (song().beats_s, song().sections)
    assert locked.tempo_confidence == 1.0
    assert change(kept, grid=[{"op": "unlock"}]) == NONE


def test_a_locked_grid_refuses_tempo_and_undo() -> None:
    kept = change(NONE, grid=[{"op": "lock"}])
    for fields in ({"tempo_bpm": 100.0}, {"tempo_bpm": None}, {"grid": None}):
        with pytest.raises(GridLocked):
            change(kept, **fields)
    assert change(kept, title="Free").title == "Free"
    assert change(kept, grid=[{"op": "unlock"}, {"op": "scale", "by": "2"}]).grid


def test_a_tempo_without_beats_waits_for_them() -> None:
    """A tapped tempo of a track without a pulse, which a later analysis finds a grid for."""
    silent = TrackFacts(duration_s=62.0)
    kept = change(NONE, silent, tempo_bpm=130.0)
    assert kept == Corrections(tempo_bpm=130.0)
    assert (apply(silent, kept).tempo_bpm, apply(silent, kept).beats_s) == (130.0, [])
    later = apply(song(), kept)
    assert (later.tempo_bpm, len(later.beat_grid), later.beat_grid[0].tempo_bpm) == (
        130.0,
        1,
        130.0,
    )
    assert 0.5 in later.downbeats_s
    laid = change(kept, silent, grid=[{"op": "lay", "anchor_s": 2.0}])
    assert laid.tempo_bpm is None
    assert apply(silent, laid).downbeats_s[:2] == pytest.approx([0.153846, 2.0], abs=1e-6)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"title": " \n"}, "title"),
        ({"key": "H moll"}, "key"),
        ({"cues": [{"time_s": 62.5}]}, "cues"),
        ({"cues": [{"time_s": 60.0, "end_s": 63.0}]}, "cues"),
        ({"grid": [{"op": "downbeat", "time_s": 70.0}]}, "grid"),
    ],
)
def test_values_that_are_none_are_refused(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidOption) as raised:
        change(NONE, **fields)
    assert raised.value.field == field


@pytest.mark.parametrize(
    "fields",
    [
        {"rating": True},
        {"rating": 6},
        {"energy": 0},
        {"tempo_bpm": float("nan")},
        {"tempo_bpm": 0},
        {"year": 12_000},
        {"bpm": 120},
        {"grid": []},
        {"grid": [{"op": "turn"}]},
        {"cues": [{"time_s": 5.0, "end_s": 5.0}]},
        {"cues": [{"time_s": 5.0, "hot_cue": 9}]},
        {"cues": [{"time_s": 5.0, "hot_cue": 1}, {"time_s": 6.0, "hot_cue": 1}]},
        {"cues": [{"time_s": 5.0, "colour": "red"}]},
    ],
)
def test_malformed_changes_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        CorrectionsChange.model_validate(fields)


def test_the_values_found_are_kept_beside() -> None:
    kept = change(NONE, key="8B", tempo_bpm=128.0)
    found = find_changes(song(), apply(song(), kept)).model_dump(exclude_unset=True)
    assert (found["key"], found["camelot"], found["tempo_bpm"]) == ("A minor", "8A", 64.0)
    assert len(found["beats_s"]) == 66
    assert not {"title", "energy", "cues", "duration_s"} & found.keys()


def test_a_record_takes_tags_and_facts() -> None:
    record = make_record(1, title="Old", tags={"album": "A", "genre": "B", "year": "2001-02-03"})
    kept = change(NONE, TrackFacts(), title="New", album="", year=1999, comment="Mine", rating=5)
    corrected = correct_record(record, kept)
    assert (corrected.title, corrected.artist) == ("New", "Nobody")
    tags = corrected.tags
    assert (tags.album, tags.genre, tags.year, tags.comment) == (None, "B", "1999", "Mine")
    assert corrected.facts.rating == 5
    assert (record.title, record.tags.album, record.facts.rating) == ("Old", "A", None)
    assert LibraryRecord.model_validate_json(corrected.model_dump_json()) == corrected


def test_changes_are_dated_and_undone_one_by_one(tmp_path: Path) -> None:
    store = CorrectionStore(tmp_path)
    record = store.read(track_id(1))
    assert (record.corrections, record.history) == (NONE, [])
    later = AT + timedelta(hours=1)
    record = record.replace(Corrections(title="One", rating=1), AT)
    record = record.replace(Corrections(title="One", rating=2), later)
    assert record.corrected_at == {"title": AT, "rating": later}
    assert record.replace(Corrections(title="One", rating=2), later) is record
    store.write(record)
    back = store.read(track_id(1)).step_back()
    assert (back.corrections.rating, back.corrected_at) == (1, {"title": AT, "rating": AT})
    assert back.step_back().corrections == NONE
    assert back.step_back().step_back().corrections == NONE


def test_the_history_is_bounded() -> None:
    record = CorrectionRecord(track_id=track_id(1))
    for n in range(MAX_HISTORY + 5):
        record = record.replace(Corrections(comment=str(n)), AT)
    assert len(record.history) == MAX_HISTORY


def test_a_file_that_cannot_be_read_is_kept(tmp_path: Path) -> None:
    """It may come from a newer version; a person's work is not overwritten."""
    store = CorrectionStore(tmp_path)
    store.write(CorrectionRecord(track_id=track_id(1)).replace(Corrections(title="One"), AT))
    (path,) = tmp_path.rglob("*.json")
    path.write_text('{"schema_version": 99}')
    record = store.read(track_id(1))
    assert record.corrections == NONE
    store.write(record.replace(Corrections(title="Two"), AT))
    assert store.read(track_id(1)).corrections.title == "Two"
    assert path.with_suffix(".unreadable").read_text() == '{"schema_version": 99}'
