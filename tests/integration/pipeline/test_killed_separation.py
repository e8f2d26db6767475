"""A separation whose process is killed goes on after its last chunk, through the real pipeline."""

import sys
import textwrap
from pathlib import Path

from bench.processes import running
from core.artifacts.job_ids import new_job_id
from core.artifacts.store import JobStore
from core.pipeline.order import build_pipeline
from core.pipeline.pipeline import AudioPipeline
from core.pipeline.runtime import Runtime
from core.pipeline.stage_ref import StageRef
from stemcrate.schemas.options import ProcessingOptions
from tests.conditions import wait_until
from tests.models import write_tiny_htdemucs
from tests.signals import make_song, write_song

ROOT = Path(__file__).parents[3]
N_SECONDS = 9
PROGRAM = """
    import sys
    import time
    from pathlib import Path
    from core.artifacts.store import JobStore
    from core.pipeline.runtime import Runtime
    from core.pipeline.order import build_pipeline
    from core.pipeline.stage_ref import StageRef

    folder = Path(sys.argv[1])
    runtime = Runtime(model_dir=folder / "models", cache_max_bytes=0)
    pipeline = build_pipeline(JobStore(folder / "data"), runtime)

    def wait_in_the_middle(fraction):
        if fraction > 0.4:
            time.sleep(600)

    ref = StageRef(sys.argv[2], "separation", 0)
    pipeline.run_stage(ref, progress=wait_in_the_middle)
"""


def test_a_killed_separation_goes_on_and_gives_the_same_stems(tmp_path: Path) -> None:
    """An hour of work would be lost to a restart; or, worse, stems with a seam at the kill."""
    (tmp_path / "models").mkdir()
    write_tiny_htdemucs(tmp_path / "models", layout="hub")
    song = write_song(tmp_path / "song.wav", make_song(N_SECONDS, 48000), 48000)
    runtime = Runtime(model_dir=tmp_path / "models", cache_max_bytes=0)
    pipeline = build_pipeline(JobStore(tmp_path / "data"), runtime)
    killed, whole = (_submit(pipeline, song) for _ in range(2))
    pipeline.start(killed)
    pipeline.run_stage(StageRef(killed, "decode", 0))
    work = pipeline.store.work_folder(killed) / "0"
    program = textwrap.dedent(PROGRAM)
    command = [sys.executable, "-c", program, str(tmp_path), killed]
    n_all = 4 * 4 * 2 * N_SECONDS * 44100

    def n_kept() -> int:
        return sum(chunk.stat().st_size for chunk in work.glob("separation.1/kept/chunks/0/*.f32"))

    with running(command, cwd=ROOT):
        wait_until(lambda: n_kept() > n_all / 3)
    n_bytes = n_kept()

    fractions: list[float] = []
    pipeline.run_stage(StageRef(killed, "separation", 0), progress=fractions.append)
    assert not any(work.glob("separation.*"))
    assert fractions[0] > 0.8 * n_bytes / n_all, "what was done before counts"
    for job_id in (killed, whole):
        pipeline.run(job_id, pipeline.run_stage)
    stems = [
        {a.label: a.sha256 for a in pipeline.store.load(job_id).all_artefacts()}
        for job_id in (killed, whole)
    ]
    assert stems[0] == stems[1]
    record = pipeline.store.load(killed).stage("separation", 0)
    assert (record.state, record.attempts) == ("completed", 2)


def _submit(pipeline: AudioPipeline, song: Path) -> str:
    job_id = new_job_id()
    with pipeline.store.open_upload(song.name, 10**9) as upload:
        upload.write(song.read_bytes())
        uploads = [upload.commit(job_id)]
    options = ProcessingOptions.model_validate({"model": "htdemucs", "stages": ()})
    pipeline.create_job(uploads, options, job_id=job_id)
    return job_id
