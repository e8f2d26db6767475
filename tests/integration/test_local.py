"""Separation, analysis, sets and exports by `stemcrate.local`, as a script calls them."""

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidOption, NotAudio, UnknownModel, UnsupportedFormat
from stemcrate.local import analyze, export, plan_set, separate
from stemcrate.schemas.facts import TrackFacts
from tests.conditions import PATIENCE_S
from tests.signals import make_song, write_song

RATE = 44100


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("songs")
    return [
        write_song(folder / f"Band - Song {i}.wav", make_song(8, RATE, seed=i), RATE)
        for i in range(3)
    ]


@pytest.fixture(scope="module")
def facts(songs: list[Path]) -> dict[Path, TrackFacts]:
    return {song: analyze(song) for song in songs}


def test_importing_it_loads_neither_torch_nor_a_database() -> None:
    """A script that only exports would wait seconds for torch."""
    code = (
        "import stemcrate.local, stemcrate.plugins, sys; "
        "loaded = {'torch', 'demucs', 'sqlalchemy'} & set(sys.modules); assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE_S)


@pytest.mark.slow
@pytest.mark.parametrize("n_channels", [1, 2])
def test_stems_of_samples_sum_to_the_samples(n_channels: int) -> None:
    mixture = make_song(3, 48000, n_channels).astype(np.float32)
    before = mixture.copy()
    seen: list[float] = []
    separation = separate((mixture, 48000), model="spleeter", progress=seen.append)
    assert list(separation.stems) == ["vocals", "accompaniment"]
    assert separation.sample_rate == 48000
    assert all(stem.dtype == np.float32 for stem in separation.stems.values())
    total = np.sum(list(separation.stems.values()), axis=0)
    np.testing.assert_allclose(total, mixture, atol=2e-7)
    np.testing.assert_array_equal(mixture, before)
    assert separation.null_test.folded_into == "accompaniment"
    assert separation.model == "spleeter"
    assert "asked for" in separation.reason
    assert seen == sorted(seen)
    assert seen[-1] == 1


@pytest.mark.slow
def test_one_stem_of_a_file_comes_with_the_rest(songs: list[Path]) -> None:
    separation = separate(str(songs[0]), model="spleeter", stems=["vocals"], preset="fast")
    assert list(separation.stems) == ["vocals", "accompaniment"]
    assert separation.stems["vocals"].shape == (2, 8 * RATE)


@pytest.mark.parametrize(
    ("samples", "rate", "error"),
    [
        (np.zeros(10, np.float32), RATE, ValueError),
        (np.zeros((3, 10), np.float32), RATE, ValueError),
        (np.zeros((2, 10)), RATE, TypeError),
        (np.full((2, 10), np.nan, np.float32), RATE, ValueError),
        (np.zeros((2, 10), np.float32), 0, ValueError),
    ],
)
def test_samples_of_another_shape_are_refused(
    samples: Any, rate: int, error: type[Exception]
) -> None:
    """Samples in the order (n, channels) would be taken for thousands of channels."""
    for ask in (analyze, separate):
        with pytest.raises(error):
            ask((samples, rate))


def test_wishes_that_cannot_be_met_name_what_there_is(tmp_path: Path, songs: list[Path]) -> None:
    with pytest.raises(UnknownModel, match="spleeter"):
        separate(songs[0], model="nothing")
    with pytest.raises(InvalidOption):
        separate(songs[0], model="none")
    (tmp_path / "notes.txt").write_text("no audio")
    with pytest.raises(NotAudio):
        analyze(tmp_path / "notes.txt")


def test_a_file_and_its_samples_have_the_same_facts(facts: dict[Path, TrackFacts]) -> None:
    """Two ways into the analysis would drift apart."""
    import soundfile

    path, of_file = next(iter(facts.items()))
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    of_samples = analyze((np.ascontiguousarray(samples.T), rate))
    # Descriptors differ in their last bits with the lengths of the blocks.
    known = of_file.model_dump(exclude={"title", "artist", "descriptors"})
    assert of_samples.model_dump(exclude={"descriptors"}) == known
    assert (of_file.title, of_file.artist) == ("Song 0", "Band")
    assert of_file.tempo_bpm == pytest.approx(120, abs=1)


def test_silence_has_facts() -> None:
    facts = analyze((np.zeros((2, RATE), np.float32), RATE))
    assert facts.duration_s == 1
    assert not facts.tempo_bpm
    assert facts.beats_s == []


def test_a_set_is_planned_and_exported_in_its_order(
    tmp_path: Path, facts: dict[Path, TrackFacts]
) -> None:
    first, _, last = facts
    plan = plan_set(facts, curve=[(0, 3), (1, 8)], start=last, n_tracks=2, never=[first])
    assert len(plan.tracks) == 2
    assert list(facts)[plan.tracks[0].index] == last
    assert plan.tracks[0].title == "Song 2"
    (step,) = plan.transitions
    assert step.from_id == str(last)
    assert step.reasons

    (playlist,) = export(facts, "m3u8", tmp_path / "sets", plan=plan, name="Tonight")
    assert playlist == tmp_path / "sets" / "Tonight.m3u8"
    lines = [line for line in playlist.read_text().splitlines() if line.startswith("/")]
    assert lines == [str(list(facts)[track.index]) for track in plan.tracks]
    (table,) = export(facts, "rekordbox", tmp_path / "sets", name="Tonight")
    assert table.read_bytes().count(b"<TRACK TrackID") == 3


def test_a_pack_holds_the_audio(tmp_path: Path, facts: dict[Path, TrackFacts]) -> None:
    (pack,) = export(facts, "pack", tmp_path, name="Tonight", target="/Users/dj/Music")
    with zipfile.ZipFile(pack) as file:
        names = file.namelist()
    assert sum(name.startswith("Music/") for name in names) == 3
    assert "rekordbox/rekordbox.xml" in names
    assert list(tmp_path.iterdir()) == [pack]


def test_what_cannot_be_exported_leaves_no_file(
    tmp_path: Path, facts: dict[Path, TrackFacts]
) -> None:
    with pytest.raises(UnsupportedFormat, match="m3u8"):
        export(facts, "cassette", tmp_path)
    one = dict([next(iter(facts.items()))])
    with pytest.raises(InvalidOption, match="plan"):
        export(one, "m3u8", tmp_path, plan=plan_set(facts))
    assert list(tmp_path.iterdir()) == []
