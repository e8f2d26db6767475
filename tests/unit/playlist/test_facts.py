"""From an analysis's facts to a track."""

import numpy as np

from core.analysis.facts import descriptor_facts
from core.playlist.facts import facts_to_track
from core.playlist.track import PlaylistTrack
from stemcrate.schemas.facts import TrackFacts


def test_facts_of_an_analysis_become_a_track() -> None:
    """A fact under another name than the analysis gives it is silently unknown."""
    timbre = np.array([1.0, 2.0], np.float32)
    facts = {
        "title": "T",
        "artist": "A",
        "tempo_bpm": 120.0,
        "camelot": "8A",
        "energy": 7,
        "duration_s": 200.0,
        "integrated_loudness_lufs": -9.0,
        **descriptor_facts({"vocals": np.zeros(2, np.float32), "mixture": timbre}).model_dump(),
        "vocals_s": [[1.0, 2.0], [3.0, 4.0]],
        "mix_in_s": [0.5, 16.5],
        "mix_out_s": [180.0, 196.0],
        "downbeats_s": [0.5, 2.5],
        "first_downbeat_s": 0.5,
    }
    track = facts_to_track(
        "1", TrackFacts.model_validate(facts), title="file.mp3", stems=["vocals"]
    )
    assert track == PlaylistTrack(
        "1",
        title="T",
        artist="A",
        tempo_bpm=120.0,
        camelot="8A",
        energy=7,
        duration_s=200.0,
        integrated_loudness_lufs=-9.0,
        vocals_s=((1.0, 2.0), (3.0, 4.0)),
        mix_in_s=(0.5, 16.5),
        mix_out_s=(180.0, 196.0),
        downbeats_s=(0.5, 2.5),
        first_downbeat_s=0.5,
        stems=("vocals",),
    )
    assert track.timbre is not None
    np.testing.assert_array_equal(track.timbre, timbre)


def test_what_is_missing_is_unknown() -> None:
    """A track whose analysis failed is planned all the same."""
    assert facts_to_track("1", TrackFacts(title=None, vocals_s=None), title="file.mp3") == (
        PlaylistTrack("1", title="file.mp3")
    )
    assert facts_to_track("1", TrackFacts(vocals_s=[])).vocals_s == ()
