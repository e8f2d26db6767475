"""Records of renders: only the newest attempt writes, and nothing outlives a delete."""

from pathlib import Path

import pytest

from core.artifacts.renders import RenderAttempt, RenderStore, render_id
from core.errors import RenderNotFinished, RenderNotFound
from stemcrate.schemas.manifest import JobState
from stemcrate.schemas.renders import MixRequest, RenderFile

REQUEST = MixRequest(job_id="a job")
ID = render_id(["a mix"])


@pytest.fixture
def store(tmp_path: Path) -> RenderStore:
    return RenderStore(tmp_path)


def take(store: RenderStore, id: str = ID) -> str:
    record, is_new = store.take(id, REQUEST, job_ids=["a job"], track_ids=[])
    assert is_new
    return record.run


def finish(store: RenderStore, attempt: RenderAttempt) -> None:
    with store.work_folder(attempt) as work:
        (work / "file").write_bytes(b"audio")
        with store.update(attempt) as record:
            store.keep(record, work / "file")
            record.state = JobState.COMPLETED
            record.file = RenderFile(
                name="a.wav",
                format="wav",
                bit_depth="24",
                sample_rate=44_100,
                n_channels=2,
                duration_s=1.0,
                bytes=5,
                sha256="0" * 64,
                true_peak_dbtp=None,
                lowered_db=0.0,
            )


def test_an_attempt_that_was_overtaken_writes_nothing(store: RenderStore, tmp_path: Path) -> None:
    """A worker that was paused comes back while another one makes the same render."""
    run = take(store)
    paused = RenderAttempt.of(store.begin(ID, run))
    with store.work_folder(paused) as left:
        (left / "sum.wav").write_bytes(b"half")
        newer = RenderAttempt.of(store.begin(ID, run))
        assert not left.exists()
        assert not store.is_current(paused)
        with pytest.raises(RenderNotFound), store.update(paused) as record:
            record.state = JobState.FAILED
        finish(store, newer)
    with pytest.raises(RenderNotFound), store.work_folder(paused):
        pass
    assert store.load(ID).state == JobState.COMPLETED
    with pytest.raises(RenderNotFound):
        store.begin(ID, run)
    assert sorted(p.name for p in (tmp_path / "renders" / ID).iterdir()) == ["audio", "render.json"]


def test_a_deleted_render_is_not_brought_back(store: RenderStore, tmp_path: Path) -> None:
    attempt = RenderAttempt.of(store.begin(ID, take(store)))
    with store.work_folder(attempt):
        store.delete(ID)
        with pytest.raises(RenderNotFound), store.update(attempt):
            pass
    assert list((tmp_path / "renders").iterdir()) == []
    with pytest.raises(RenderNotFound):
        store.delete(ID)


def test_a_complete_render_whose_file_is_gone_is_made_again(
    store: RenderStore, tmp_path: Path
) -> None:
    """Somebody tidied up by hand: the record alone is worth nothing."""
    run = take(store)
    with pytest.raises(RenderNotFinished, match="queued"):
        store.audio_path(store.load(ID))
    finish(store, RenderAttempt.of(store.begin(ID, run)))
    assert store.take(ID, REQUEST, job_ids=["a job"], track_ids=[])[1] is False
    (tmp_path / "renders" / ID / "audio").unlink()
    with pytest.raises(RenderNotFound, match="gone"):
        store.audio_path(store.load(ID))
    assert take(store) != run


def test_records_that_cannot_be_read_are_no_renders(store: RenderStore, tmp_path: Path) -> None:
    """Another version's records: the request makes them again, and they go with age."""
    take(store)
    (tmp_path / "renders" / ID / "render.json").write_text("{}")
    assert store.all() == []
    with pytest.raises(RenderNotFound):
        store.load(ID)
    store.evict(max_bytes=0, older_than_s=1e6)
    assert list((tmp_path / "renders").iterdir()) == []


def test_ids_are_uuids_that_follow_from_what_they_name() -> None:
    assert render_id(["a", 1]) == render_id(["a", 1]) != render_id(["a", 2])
    assert render_id([])[14] == "8"
    assert render_id([])[19] in "89ab"
