"""What the mixture decides is found once; what stems decide, once for each separation."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from core.analysis.form.vocals import Levels, measure_levels
from core.analysis.meter import Measurement, MixtureMeter
from core.analysis.spectra import Spectra, measure_spectra
from core.analysis.store import FactStore
from core.analysis.track import TrackAnalyser
from stemcrate.schemas.facts import TrackFacts
from tests.signals import make_song

RATE = 22_050
SHA256 = "ab" * 32
STEMS = ("drums", "bass", "other", "vocals")


class Song:
    """A mixture of four stems, and how often it was measured."""

    def __init__(self) -> None:
        self.stems = {
            name: make_song(6.0, RATE, seed=seed).astype(np.float32)
            for seed, name in enumerate(STEMS)
        }
        self.mixture = np.stack(list(self.stems.values())).sum(axis=0)
        self.n_measured = 0

    def kept_spectra(self) -> None:
        return None

    def measure_spectra(self) -> Spectra:
        return measure_spectra([self.mixture.mean(axis=0)], RATE)

    def measure(self) -> Measurement:
        self.n_measured += 1
        meter = MixtureMeter(RATE, len(self.mixture))
        meter.add(self.mixture)
        return meter.finish()


class SongStems:
    """Some of a song's stems, told apart from those of another model by ``identity``."""

    def __init__(self, song: Song, names: Sequence[str], identity: str | None) -> None:
        self.names, self.identity = names, identity
        self._audio: Mapping[str, np.ndarray] = {**song.stems, "mixture": song.mixture}

    def spectra(self, names: Sequence[str]) -> Spectra:
        total = np.stack([self._audio[name] for name in names]).sum(axis=0)
        return measure_spectra([total.mean(axis=0)], RATE)

    def levels(self, name: str) -> Levels:
        return measure_levels([self._audio[name]], RATE)

    def duration_s(self) -> float:
        return self._audio["mixture"].shape[1] / RATE


@pytest.fixture(scope="module")
def song() -> Song:
    return Song()


@pytest.fixture
def store(tmp_path: Path) -> FactStore:
    return FactStore(tmp_path, 10**9)


def analyse(
    store: FactStore,
    song: Song,
    stems: SongStems | None = None,
    tempo_range_bpm: tuple[float, float] = (70.0, 180.0),
) -> tuple[TrackFacts, int]:
    """Return the facts, and how many parts had to be found."""
    with store.recording(SHA256) as known:
        analyser = TrackAnalyser(known, song, stems=stems, tempo_range_bpm=tempo_range_bpm)
        facts = analyser.facts()
        assert analyser.is_known == (analyser.n_found == 0)
        return facts, analyser.n_found


def test_who_asks_second_gets_the_same_facts_at_once(store: FactStore, song: Song) -> None:
    first, _ = analyse(store, song)
    before = song.n_measured
    assert analyse(store, song) == (first, 0)
    assert song.n_measured == before


def test_another_range_of_the_tempo_is_found_anew_and_nothing_else(
    store: FactStore, song: Song
) -> None:
    """A key must not cost a second look because the tempo is asked for in another range."""
    analyse(store, song)
    _, n_found = analyse(store, song, tempo_range_bpm=(60.0, 200.0))
    assert n_found == 3  # tempo, structure, chords


def test_stems_that_say_nothing_leave_all_to_the_mixture(store: FactStore, song: Song) -> None:
    """Spleeter has neither drums nor bass: tempo, key and chords are the mixture's."""
    first, _ = analyse(store, song)
    stems = SongStems(song, ["accompaniment"], "spleeter")
    stems._audio = {**stems._audio, "accompaniment": song.mixture}
    again, n_found = analyse(store, song, stems)
    assert n_found == 1  # the descriptors of the stem
    assert again.without({"descriptors"}) == first.without({"descriptors"})


def test_each_separation_decides_for_itself(store: FactStore, song: Song) -> None:
    """The stems of a worse model must not answer for those of a better one."""
    analyse(store, song)
    before = song.n_measured
    one, n_one = analyse(store, song, SongStems(song, STEMS, "one"))
    assert n_one >= 3 + len(STEMS)  # tempo, key, vocals; descriptors
    assert one.vocals_s is not None
    assert analyse(store, song, SongStems(song, STEMS, "one")) == (one, 0)
    assert analyse(store, song, SongStems(song, STEMS, "other"))[1] == n_one
    assert song.n_measured == before


def test_stems_without_an_identity_are_asked_every_time(store: FactStore, song: Song) -> None:
    analyse(store, song)
    unknown = SongStems(song, STEMS, None)
    _, n_first = analyse(store, song, unknown)
    assert n_first
    assert analyse(store, song, unknown)[1] == n_first
    assert analyse(store, song)[1] == 0
