"""Doubtful values are shown with their doubt."""

from stemcrate.schemas.doubt import doubt_of, tell_doubts, with_doubt
from stemcrate.schemas.facts import KeyAlternative, TempoAlternative, TrackFacts


def test_a_value_more_likely_wrong_than_right_is_doubtful() -> None:
    assert doubt_of(136.8, 0.16) == "uncertain, 16 %"
    assert doubt_of("F major", 0.49) == "uncertain, 49 %"
    assert doubt_of(136.8, 0.5) == ""
    assert doubt_of(136.8, None) == ""
    assert doubt_of(None, 0.0) == ""
    assert with_doubt("136.8 BPM", 136.8, 0.16) == "136.8 BPM (uncertain, 16 %)"
    assert with_doubt("–", None, 0.0) == "–"


def test_doubts_name_the_likely_alternatives() -> None:
    facts = TrackFacts(
        tempo_bpm=136.8,
        tempo_confidence=0.16,
        tempo_alternatives=[
            TempoAlternative(tempo_bpm=tempo, score=score)
            for tempo, score in ((91.2, 0.9), (68.4, 0.5), (182.4, 0.2), (45.6, 0.1))
        ],
        key="F major",
        key_confidence=0.1,
        key_alternatives=[KeyAlternative(key="D minor", camelot="7A", score=0.09)],
    )
    assert tell_doubts(facts) == [
        "Tempo 136.8 BPM (uncertain, 16 %); it may be 91.2 or 68.4 or 182.4 BPM.",
        "Key F major (uncertain, 10 %); it may be D minor (7A).",
    ]
    sure = facts.model_copy(update={"tempo_confidence": 0.9, "key_alternatives": []})
    assert tell_doubts(sure) == ["Key F major (uncertain, 10 %)."]
    assert tell_doubts(TrackFacts(tempo_bpm=None, tempo_confidence=0.0)) == []
