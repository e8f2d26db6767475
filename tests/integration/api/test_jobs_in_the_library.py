"""What jobs that really ran leave in the library: vectors of their stems, and STEM files."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from stemcrate.schemas.enrichment import SimilarityBasis
from tests.integration.api.apps import open_client, run_here, sweep, wav_bytes

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """An app with the jobs of three songs, delivered as three lossy formats, by their format."""
    with open_client(tmp_path_factory.mktemp("jobs")) as client:
        made = {}
        for seed, delivery in enumerate(("m4a", "opus", "mp3")):
            files = [("file", (f"Band - {delivery}.wav", wav_bytes(2.0, seed=seed)))]
            options = {
                "stages": "normalization,descriptors",
                "format": delivery,
                "normalization": "per_track",
            }
            made[delivery] = client.post("/process", files=files, data=options).json()["job_id"]
            run_here(client, made[delivery])
        sweep(client)
        yield client, made


@pytest.fixture(scope="module")
def tracks(jobs: Any) -> dict[Any, Any]:
    """The tracks of the library by the format of their job."""
    client, _ = jobs
    return {t["title"]: t for t in client.get("/library/tracks").json()["tracks"]}


def test_similar_asks_the_stems(jobs: Any, tracks: Any) -> None:
    """A catalogue with the mixture's vectors alone would answer every part alike, or not at all."""
    client, _ = jobs
    library = client.app.state.services.library
    found = {}
    for part in ("mixture", "vocals", "accompaniment"):
        ((_, vectors),) = library.repository().vectors(SimilarityBasis.DESCRIPTORS, part).items()
        assert set(vectors.ids) == {track["id"] for track in tracks.values()}
        answer = client.get(f"/library/tracks/{tracks['m4a']['id']}/similar?part={part}").json()
        found[part] = {t["track"]["title"]: t["similarity"] for t in answer["tracks"]}
        assert set(found[part]) == {"opus", "mp3"}
    assert found["mixture"] != found["vocals"] != found["accompaniment"]
    none = client.get(f"/library/tracks/{tracks['m4a']['id']}/similar?part=drums")
    assert (none.status_code, none.json()["field"]) == (422, "part")


def test_the_pack_holds_a_stem_file_whatever_the_stems_were_delivered_in(
    jobs: Any, tracks: Any
) -> None:
    """M4A is not for libsndfile to read, and gains of each stem's own undo the sum."""
    client, _ = jobs
    ids = [track["id"] for track in tracks.values()]
    playlist = client.post("/playlists", json={"name": "Set", "tracks": ids}).json()
    answer = client.get(playlist["exports"]["pack"])
    with zipfile.ZipFile(io.BytesIO(answer.content)) as pack:
        found = {name: pack.read(name) for name in pack.namelist() if name.startswith("STEM/")}
    assert set(found) == {f"STEM/Band - {name}.stem.mp4" for name in tracks}
    for data in found.values():
        mixture, *stems = decode_streams(data)
        assert len(stems) == 4
        assert np.abs(mixture).max() > 0.05
        np.testing.assert_allclose(np.sum(stems, axis=0), mixture, atol=1e-6)


def test_the_levels_of_stems_are_those_of_the_recording(jobs: Any, tracks: Any) -> None:
    """Stems that were made as loud as one another must not be mixed so."""
    client, made = jobs
    outputs = client.get(f"/job/{made['mp3']}/outputs").json()["artefacts"]
    gains = {a["label"]: a["gain_db"] for a in outputs if a["role"] == "stem"}
    assert len(set(gains.values())) == 2
    playlist = client.post("/playlists", json={"name": "x", "tracks": [tracks["mp3"]["id"]]}).json()
    with zipfile.ZipFile(io.BytesIO(client.get(playlist["exports"]["pack"]).content)) as pack:
        mixture, *_ = decode_streams(pack.read("STEM/Band - mp3.stem.mp4"))
        original = next(name for name in pack.namelist() if name.startswith("Music/"))
        with av.open(io.BytesIO(pack.read(original))) as file:
            source = decode(file, file.streams.audio[0])
    n = min(source.shape[1], mixture.shape[1])
    assert np.corrcoef(source[0, :n], mixture[0, :n])[0, 1] > 0.95


@pytest.mark.parametrize(
    ("asked", "codec", "sample"), [("aac", "aac", "fltp"), ("alac-16", "alac", "s16p")]
)
def test_stem_files_are_coded_as_asked(
    jobs: Any, tracks: Any, asked: Any, codec: Any, sample: Any
) -> None:
    """A stick that is nearly full takes a tenth as much of AAC."""
    client, _ = jobs
    wishes = {"name": asked, "tracks": [tracks["m4a"]["id"]]}
    url = client.post("/playlists", json=wishes).json()["exports"]["pack"]
    with zipfile.ZipFile(io.BytesIO(client.get(f"{url}?stem_format={asked}").content)) as pack:
        data = pack.read("STEM/Band - m4a.stem.mp4")
    with av.open(io.BytesIO(data)) as file:
        found = {(s.codec_context.name, s.codec_context.format.name) for s in file.streams.audio}
    assert found == {(codec, sample)}
    assert client.get(f"{url}?stem_format=mp3").status_code == 422


def test_a_stem_that_has_gone_costs_its_stem_file_alone(jobs: Any, tracks: Any) -> None:
    """Somebody tidied up in the folder of a job: the set goes to the booth all the same."""
    client, made = jobs
    store = client.app.state.services.store
    outputs = client.get(f"/job/{made['opus']}/outputs").json()["artefacts"]
    artefact = store.artefact(made["opus"], next(a["name"] for a in outputs))
    store.artefact_path(made["opus"], artefact).unlink()
    wishes = {"name": "y", "tracks": [tracks["opus"]["id"], tracks["m4a"]["id"]]}
    answer = client.get(client.post("/playlists", json=wishes).json()["exports"]["pack"])
    with zipfile.ZipFile(io.BytesIO(answer.content)) as pack:
        found = [name for name in pack.namelist() if name.startswith("STEM/")]
        warnings = json.loads(pack.read("pack.json"))["warnings"]
    assert found == ["STEM/Band - m4a.stem.mp4"]
    assert [text for text in warnings if text.startswith("'opus' has no STEM file")]


def test_mp3_artefacts_say_what_programs_add_to_their_times(jobs: Any) -> None:
    """Grids and cues lie 26 ms off in Serato when this is not known."""
    client, made = jobs
    for delivery, job_id in made.items():
        for artefact in client.get(f"/job/{job_id}/outputs").json()["artefacts"]:
            if delivery == "mp3":
                assert set(artefact["mp3_offset_ms"]) == {"rekordbox", "traktor", "serato"}
                assert artefact["mp3_offset_ms"]["rekordbox"] == 0
                assert artefact["mp3_offset_ms"]["serato"] == pytest.approx(52.2, abs=0.1)
            else:
                assert artefact["mp3_offset_ms"] is None


def decode_streams(data: bytes) -> list[Any]:
    streams = []
    with av.open(io.BytesIO(data)) as file:
        n_streams = len(file.streams.audio)
    for index in range(n_streams):
        with av.open(io.BytesIO(data)) as file:
            streams.append(decode(file, file.streams.audio[index]))
    return streams


def decode(file: Any, stream: Any) -> NDArray[Any]:
    """Decode a stream to float64, shape (channels, samples)."""
    blocks = []
    for frame in file.decode(stream):
        block = frame.to_ndarray()
        if not frame.format.is_planar:
            block = block.reshape(-1, len(frame.layout.channels)).T
        scale = 1.0 if block.dtype.kind == "f" else float(np.iinfo(block.dtype).max) + 1.0
        blocks.append(block.astype(np.float64) / scale)
    return np.concatenate(blocks, axis=1)
