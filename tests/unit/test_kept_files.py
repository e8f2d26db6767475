"""Records that were written before 0.1.0, kept as they were: old data folders have to open.

`tests/data/kept` holds what commit c4f45b6 wrote of three short synthetic songs, its long lists and
texts cut short and its numbers rounded.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from core.library.records.record import LibraryRecord, PlaylistRecord
from stemcrate.schemas.facts import JobFacts, TempoFacts, TrackFacts
from stemcrate.schemas.manifest import ProcessingManifest
from stemcrate.schemas.sets import RelaxedWish, SetDescription, SetTrack

KEPT = Path(__file__).parents[1] / "data" / "kept"


FILLED = {"hot_cue", "owner"}
"""New fields that are filled in when a kept file is read: the first cues become hot cues, and jobs
are those of the machine's user.
"""


def read(name: str) -> Any:
    return json.loads((KEPT / name).read_text())


def check_written(written: Any, kept: Any, name: str = "") -> None:
    """Check that what was kept is written again, and that new fields say nothing."""
    if isinstance(kept, dict) and isinstance(written, dict):
        assert kept.keys() <= written.keys()
        for field, value in written.items():
            if field in kept:
                check_written(value, kept[field], field)
            else:
                assert field in FILLED or says_nothing(value), field
    elif isinstance(kept, list) and isinstance(written, list):
        assert len(written) == len(kept), name
        for ours, theirs in zip(written, kept, strict=True):
            check_written(ours, theirs, name)
    else:
        assert written == kept, name


def says_nothing(value: Any) -> bool:
    return not value or (isinstance(value, dict) and not any(value.values()))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("playlist.json", PlaylistRecord),
        ("track-from-job.json", LibraryRecord),
        ("track-from-file.json", LibraryRecord),
        ("First.analysis.json", TrackFacts),
    ],
)
def test_a_kept_record_is_written_as_it_was_read(name: str, kind: type[BaseModel]) -> None:
    """A field that is renamed or dropped loses what people have on disk."""
    kept = read(name)
    check_written(json.loads(kind.model_validate(kept).model_dump_json()), kept)


def test_a_kept_manifest_is_written_with_flat_transitions() -> None:
    """Jobs had transitions of their own shape: scores in ``parts``, ``drops[].track``."""
    kept = read("manifest.json")
    manifest = ProcessingManifest.model_validate(kept)
    (transition,) = manifest.playlist.transitions
    assert (transition.from_id, transition.to_id, transition.tempo) == (1, 0, 0.731)
    assert transition.drops[0].track_id == 1
    (old,) = kept["playlist"]["transitions"]
    old |= old.pop("parts")
    for drop in old["drops"]:
        drop["track_id"] = drop.pop("track")
    check_written(json.loads(manifest.model_dump_json()), kept)
    assert ProcessingManifest.model_validate(kept) == manifest


@pytest.mark.parametrize("kind", [TrackFacts, JobFacts, TempoFacts, SetTrack])
def test_a_kept_tempo_of_zero_is_unknown(kind: type[BaseModel]) -> None:
    """Recordings without a pulse were stored, shown and exported as 0.0 BPM."""
    kept = {
        "tempo_bpm": 0.0,
        **({"index": 0, "title": "", "starts_s": 0.0} if kind is SetTrack else {}),
    }
    read = kind.model_validate_json(json.dumps(kept))
    assert json.loads(read.model_dump_json())["tempo_bpm"] is None


def test_a_kept_set_names_what_was_relaxed() -> None:
    """Jobs kept only the sentences."""
    described = SetDescription.model_validate({"relaxed": ["There are no tracks."]})
    assert described.relaxed == [RelaxedWish(wish="", words="There are no tracks.")]


def test_a_job_without_a_set_keeps_an_empty_object() -> None:
    """Clients read ``playlist.tracks`` of every manifest."""
    manifest = read("manifest.json") | {"playlist": {}}
    written = ProcessingManifest.model_validate(manifest).model_dump(mode="json")
    assert written["playlist"] == {}
