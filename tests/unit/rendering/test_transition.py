"""Transitions: beats coincide, stems are dropped, and what is not mixed is left as it is."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.artifacts.store import JobStore
from core.errors import ArtefactNotFound, BeatGridMissing, InvalidOption, TrackNotFound
from core.jobs.database import prepare_database
from core.library.intake.importing import refer_to
from core.library.library import Library
from core.library.records.record import LibraryRecord
from core.rendering.plan import identify
from core.rendering.transition import TransitionPlan, plan_transition
from stemcrate.schemas.facts import JobFacts
from stemcrate.schemas.owners import LOCAL
from stemcrate.schemas.renders import RenderTrack, TransitionRequest
from stemcrate.schemas.transitions import DroppedStem, Transition
from tests.clicks import CLICK_CENTRE_S, clicks, onsets_s
from tests.library_records import make_record
from tests.rendered import RATE, GivenTrack, Rendered, make_job, render
from tests.signals import write_song

Samples = NDArray[np.floating]
LEFT, RIGHT = np.array([[1.0], [0.0]]), np.array([[0.0], [1.0]])


class House:
    """A store and a library; transitions between tracks of one job."""

    def __init__(self, folder: Path) -> None:
        url = f"sqlite:///{folder / 'stemcrate.sqlite'}"
        prepare_database(url)
        self.folder = folder
        self.store = JobStore(folder)
        self.library = Library(folder, url)
        self._n_renders = 0

    def plan(self, outgoing: GivenTrack, incoming: GivenTrack, **fields: Any) -> TransitionPlan:
        job_id = make_job(self.store, outgoing, incoming)
        sides = {
            "outgoing": RenderTrack(job_id=job_id),
            "incoming": RenderTrack(job_id=job_id, track_index=1),
        }
        request = TransitionRequest.model_validate({**sides, **fields})
        return plan_transition(self.store, self.library, request)

    def render(self, plan: TransitionPlan) -> Rendered:
        self._n_renders += 1
        return render(plan, self.folder / f"work-{self._n_renders}")


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def facts_of(beats_s: Samples, duration_s: float, **more: Any) -> JobFacts:
    tempo = 60 / float(np.diff(beats_s).mean())
    return JobFacts(
        tempo_bpm=tempo,
        beats_s=[float(b) for b in beats_s],
        downbeats_s=[float(b) for b in beats_s[::4]],
        time_signature="4/4",
        duration_s=duration_s,
        **more,
    )


def click_track(
    tempo_bpm: float, side: Samples, *, n_beats: int = 48, first_s: float = 0.3, **more: Any
) -> GivenTrack:
    """Clicks on every beat, on one side of the stereo field."""
    beats_s = first_s + np.arange(n_beats) * 60 / tempo_bpm
    duration_s = float(beats_s[-1]) + 1.0
    audio = clicks(beats_s, duration_s) * side
    return GivenTrack({"drums": audio}, facts_of(beats_s, duration_s, **more))


AROUND = {"before_bars": 2, "after_bars": 2, "overlap_bars": 4, "out_bar": 5, "in_bar": 3}


def beats_heard(made: Rendered, plan: TransitionPlan, side: int) -> tuple[Samples, Samples]:
    """Expected and heard times of the beats of a track in the mix, where it is loud enough."""
    inner = np.array(plan.timeline.incoming[0][:-1])
    inner = inner[(inner > plan.timeline.starts_s + 0.5) & (inner < plan.timeline.ends_s - 0.5)]
    return inner, onsets_s(made.samples[side : side + 1], inner) - CLICK_CENTRE_S


@pytest.mark.parametrize("tempo", ["hold", "ramp"])
@pytest.mark.parametrize(("out_bpm", "in_bpm"), [(120.0, 126.0), (128.0, 123.7)])
def test_beats_of_both_tracks_coincide_in_the_mix(
    house: House, tempo: str, out_bpm: float, in_bpm: float
) -> None:
    """Two kicks 20 ms apart are heard as a flam: the preview would be useless."""
    plan = house.plan(click_track(out_bpm, LEFT), click_track(in_bpm, RIGHT), tempo=tempo, **AROUND)
    made = house.render(plan)

    expected_s, out_s = beats_heard(made, plan, 0)
    _, in_s = beats_heard(made, plan, 1)
    assert len(expected_s) > 8
    assert np.abs(out_s - in_s).max() < 0.002
    assert np.abs(in_s - expected_s).max() < 0.002
    intervals_s = np.diff(in_s)
    if tempo == "hold":
        assert 60 / intervals_s == pytest.approx(out_bpm, rel=0.005)
    else:
        assert 60 / intervals_s[0] == pytest.approx(out_bpm, rel=0.02)
        assert 60 / intervals_s[-1] == pytest.approx(in_bpm, rel=0.02)
    assert made.samples.shape[1] == round(plan.timeline.duration_s * RATE)
    assert made.steps == sorted(made.steps)


@pytest.mark.parametrize(("out_bpm", "in_bpm", "step"), [(174.0, 87.5, 2), (87.0, 174.0, 1)])
def test_half_and_double_tempo_meet_on_the_beat(
    house: House, out_bpm: float, in_bpm: float, step: int
) -> None:
    """174 into 87 BPM mixes without a change of tempo: every second beat has a partner."""
    fields = {**AROUND, "overlap_bars": 4}
    plan = house.plan(click_track(out_bpm, LEFT), click_track(in_bpm, RIGHT), **fields)
    made = house.render(plan)
    assert plan.details.incoming_speed == pytest.approx(
        out_bpm / in_bpm / (2 if out_bpm > in_bpm else 0.5), rel=1e-3
    )
    times = np.array(plan.timeline.outgoing[0][1:])[::step][2:-2]
    for side in (0, 1):
        heard_s = onsets_s(made.samples[side : side + 1], times) - CLICK_CENTRE_S
        assert np.abs(heard_s - times).max() < 0.002


def test_a_drummer_who_breathes_is_followed_beat_by_beat(house: House) -> None:
    """One tempo for the whole mix would be off by what the drummer moved."""
    rng = np.random.default_rng(3)
    beats_s = 0.3 + np.cumsum(np.full(48, 0.5) + rng.uniform(-0.02, 0.02, 48))
    duration_s = float(beats_s[-1]) + 1
    live = GivenTrack({"drums": clicks(beats_s, duration_s) * LEFT}, facts_of(beats_s, duration_s))
    plan = house.plan(live, click_track(126.0, RIGHT), **AROUND)
    made = house.render(plan)
    (expected_s, out_s), (_, in_s) = (beats_heard(made, plan, side) for side in (0, 1))
    assert np.abs(out_s - expected_s).max() < 0.001
    assert np.abs(in_s - out_s).max() < 0.005


def tone(frequency_hz: float, n_seconds: float, level: float = 0.2) -> Samples:
    time = np.arange(round(n_seconds * RATE)) / RATE
    wave = level * np.sin(2 * np.pi * frequency_hz * time)
    return np.stack([wave, wave])


def level_at(samples: Samples, frequency_hz: float, start_s: float, stop_s: float) -> float:
    """Amplitude of a tone in a span, over both sides."""
    part = samples[:, round(start_s * RATE) : round(stop_s * RATE)].mean(axis=0)
    time = np.arange(len(part)) / RATE
    window = np.hanning(len(part))
    wave = np.exp(-2j * np.pi * frequency_hz * time) * window
    return float(2 * abs(np.sum(part * wave)) / window.sum())


def tone_track(tempo_bpm: float, stems: dict[str, Samples], **more: Any) -> GivenTrack:
    n_seconds = next(iter(stems.values())).shape[1] / RATE
    beats_s = np.arange(0.0, n_seconds, 60 / tempo_bpm)
    return GivenTrack(stems, facts_of(beats_s, n_seconds, **more))


def transition_of(*drops: DroppedStem) -> Transition:
    scores = dict.fromkeys(("score", "harmony", "tempo", "energy", "loudness"), 1.0)
    return Transition(
        **{"from": "a", "to": "b"},
        **scores,
        timbre=1.0,
        vocals=1.0,
        pitch_change_percent=0.0,
        mix_out_s=8.0,
        mix_in_s=4.0,
        overlap_s=8.0,
        overlap_bars=4,
        vocal_clash_s=0.0,
        drops=drops,
        reasons=(),
    )


def test_dropped_stems_are_silent_and_the_rest_is_not(house: House) -> None:
    """The planner names the stem and the span; a mix with two voices is what it warned of."""
    outgoing = tone_track(120.0, {"vocals": tone(1000, 24), "drums": tone(3000, 24)})
    incoming = tone_track(120.0, {"vocals": tone(1500, 24), "other": tone(5000, 24)})
    given = transition_of(
        DroppedStem(track_id="a", stem="vocals", start_s=10.0, end_s=16.0),
        DroppedStem(track_id="b", stem="vocals", start_s=4.0, end_s=9.0),
    )
    fields = {"transition": given, "before_bars": 1, "after_bars": 1}
    plan = house.plan(outgoing, incoming, **fields)
    made = house.render(plan)

    # The mix is from 2 s to 10 s; the outgoing track is at 6 s, the incoming at 2 s when it starts.
    assert (plan.timeline.starts_s, plan.timeline.ends_s) == pytest.approx((2.0, 10.0))
    assert level_at(made.samples, 1000, 2.1, 3.9) > 0.15
    assert level_at(made.samples, 1000, 4.02, 10.0) < 1e-4
    assert level_at(made.samples, 1500, 2.0, 6.98) < 1e-4
    assert level_at(made.samples, 1500, 7.05, 10.0) > 0.1
    assert level_at(made.samples, 3000, 2.1, 5.0) > 0.15
    assert level_at(made.samples, 5000, 9.0, 11.0) > 0.15
    assert made.finished.transition is not None
    assert made.finished.transition.transition == given

    kept = house.render(house.plan(outgoing, incoming, drop_stems=False, **fields))
    assert level_at(kept.samples, 1000, 4.02, 6.0) > 0.1


def test_the_outgoing_track_is_untouched_before_the_mix(house: House) -> None:
    """A preview that colours what it does not mix cannot be trusted."""
    song = tone(440, 24) + clicks(np.arange(0.0, 23.5, 0.5), 24.0)
    outgoing = tone_track(120.0, {"vocals": song * 0.5, "drums": song * 0.25})
    plan = house.plan(outgoing, tone_track(124.0, {"other": tone(880, 24)}), **AROUND)
    made = house.render(plan)
    start = round(plan.timeline.outgoing_start_s * RATE)
    n = int(plan.timeline.starts_s * RATE)
    assert np.abs(made.samples[:, :n] - 0.75 * song[:, start : start + n]).max() < 1e-6


def test_fades_keep_the_power_and_swap_the_basses_in_the_middle(house: House) -> None:
    """Two basses at once are mud: the lows of one leave as those of the other come."""
    bass, lead = tone(60, 24), tone(2000, 24)
    outgoing = tone_track(120.0, {"bass": bass * LEFT, "other": lead * LEFT})
    incoming = tone_track(120.0, {"bass": bass * RIGHT, "other": lead * RIGHT})
    plan = house.plan(outgoing, incoming, fade="bass_swap", **AROUND)
    made = house.render(plan)

    left, right = made.samples[:1], made.samples[1:]
    start_s, end_s = plan.timeline.starts_s, plan.timeline.ends_s
    before = (start_s + 2.0, start_s + 3.8)
    after = (start_s + 4.7, end_s - 0.2)
    assert level_at(left, 60, *before) == pytest.approx(0.2, rel=0.02)
    assert level_at(right, 60, *before) < 0.002
    assert level_at(left, 60, *after) < 0.002
    assert level_at(right, 60, *after) == pytest.approx(0.2, rel=0.02)
    middle = ((start_s + end_s) / 2 - 0.2, (start_s + end_s) / 2 + 0.2)
    assert level_at(left, 2000, *middle) == pytest.approx(0.2 * np.sqrt(0.5), rel=0.02)
    assert level_at(right, 2000, *middle) == pytest.approx(0.2 * np.sqrt(0.5), rel=0.02)


def test_both_tracks_are_equally_loud(house: House) -> None:
    """Stems were delivered with a gain each; the louder recording is lowered to the other."""
    loud = tone_track(120.0, {"other": tone(440, 24, 0.4)}, integrated_loudness_lufs=-8.0)
    soft = tone_track(120.0, {"other": tone(660, 24, 0.2)}, integrated_loudness_lufs=-14.0)
    plan = house.plan(loud, soft, **AROUND)
    made = house.render(plan)
    assert (plan.details.outgoing_gain_db, plan.details.incoming_gain_db) == (-6.0, 0.0)
    assert level_at(made.samples, 440, 0.1, 1.5) == pytest.approx(0.4 / 1.9953, rel=0.01)


def test_the_planner_places_the_mix_where_nothing_is_said(house: House) -> None:
    """Its windows lie on downbeats; drops are rated for where the mix really is."""
    sung = {"vocals_s": [(0.0, 60.0)], "is_instrumental": False}
    out_track = tone_track(
        120.0, {"vocals": tone(1000, 64), "other": tone(500, 64)}, mix_out_s=(32.0, 48.0), **sung
    )
    in_track = tone_track(
        122.0, {"vocals": tone(1500, 64), "other": tone(700, 64)}, mix_in_s=(7.87, 25.0), **sung
    )
    plan = house.plan(out_track, in_track)
    assert plan.details.mix_out_s == pytest.approx(32.0)
    assert plan.details.mix_in_s == pytest.approx(16 * 60 / 122)
    assert plan.details.overlap_bars == 8
    assert [label for label, *_ in plan.outgoing.drops] == ["vocals"]
    moved = house.plan(out_track, in_track, out_bar=5, overlap_bars=2)
    ((label, start_s, end_s),) = moved.outgoing.drops
    assert (label, start_s, end_s) == ("vocals", pytest.approx(8.0), pytest.approx(12.0))


def test_what_cannot_be_mixed_says_why(house: House) -> None:
    good = click_track(120.0, LEFT)
    free = GivenTrack(good.stems, JobFacts(), name="Rubato.wav")
    with pytest.raises(BeatGridMissing, match=r"'Rubato\.wav' has no beat grid"):
        house.plan(good, free)
    with pytest.raises(InvalidOption, match="out_bar is 99, but the track has 12 bars"):
        house.plan(good, good, out_bar=99)
    with pytest.raises(InvalidOption, match="too far apart"):
        house.plan(click_track(60.0, LEFT), click_track(290.0, RIGHT))
    with pytest.raises(ValueError, match="either job_id or track_id"):
        RenderTrack()
    request = TransitionRequest(
        outgoing=RenderTrack(track_id="0" * 64), incoming=RenderTrack(track_id="1" * 64)
    )
    with pytest.raises(TrackNotFound):
        plan_transition(house.store, house.library, request)


def put(house: House, number: int, path: Path | None, track: GivenTrack) -> LibraryRecord:
    """Put a track into the library, as an import does."""
    record = make_record(number, paths=())
    record.files = [] if path is None else [refer_to(path)]
    record.facts.merge(track.facts.of_recording().without({"title", "artist", "duration_s"}))
    record.duration_s = track.facts.duration_s
    house.library.put(record)
    return record


def test_tracks_of_the_library_mix_without_stems(house: House, tmp_path: Path) -> None:
    """Files at other sample rates, without a job; an advised drop is missing and says so."""
    outgoing, incoming = click_track(120.0, LEFT), click_track(126.0, RIGHT)
    records = []
    for number, track in enumerate((outgoing, incoming)):
        path = tmp_path / f"{number}.wav"
        write_song(path, np.asarray(track.stems["drums"]), RATE)
        records.append(put(house, number, path, track))
    given = transition_of(DroppedStem(track_id="b", stem="vocals", start_s=0, end_s=9))
    request = TransitionRequest.model_validate(
        {
            "outgoing": RenderTrack(track_id=records[0].id),
            "incoming": RenderTrack(track_id=records[1].id),
            "transition": given,
            **AROUND,
        }
    )
    plan = plan_transition(house.store, house.library, request)
    assert plan.track_ids == [record.id for record in records]
    assert plan.job_ids == []
    made = house.render(plan)
    (_, out_s), (_, in_s) = (beats_heard(made, plan, side) for side in (0, 1))
    assert np.abs(out_s - in_s).max() < 0.002
    assert [w.code for w in made.finished.warnings] == ["stem_missing"]

    os.utime(tmp_path / "1.wav", (0, 0))  # as after any change: its grid may be another one
    for _ in range(2):
        with pytest.raises(ArtefactNotFound, match="moved, changed or deleted"):
            plan_transition(house.store, house.library, request)
        (tmp_path / "1.wav").unlink(missing_ok=True)


def test_another_setting_is_another_render(house: House) -> None:
    job_id = make_job(house.store, click_track(120.0, LEFT), click_track(126.0, RIGHT))
    fields: dict[str, Any] = {
        "outgoing": {"job_id": job_id},
        "incoming": {"job_id": job_id, "track_index": 1},
        **AROUND,
    }

    def id_of(change: Callable[[dict[str, Any]], dict[str, Any]]) -> str:
        request = TransitionRequest.model_validate(change(fields))
        return identify(plan_transition(house.store, house.library, request), LOCAL)

    same = id_of(lambda f: f)
    assert same == id_of(lambda f: {**f, "fade": "equal_power"})
    others = {
        id_of(lambda f, change=change: {**f, **change})  # type: ignore[misc]
        for change in ({"fade": "bass_swap"}, {"tempo": "ramp"}, {"in_bar": 4}, {"before_bars": 1})
    }
    assert len(others | {same}) == 5
