"""The client's examples in the documents, run as they stand there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from stemcrate.client import Client
from tests.conditions import wait_until
from tests.integration.api.apps import wav_bytes
from tests.integration.client.conftest import Installation

DOCS = Path(__file__).parents[3] / "docs"
EXAMPLES = [
    (name, code)
    for name in ("api.md", "examples.md")
    for code in re.findall(r"```python\n(.*?)```", (DOCS / name).read_text(), re.DOTALL)
    if "stemcrate.client" in code
]
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("code", [code for _, code in EXAMPLES], ids=[name for name, _ in EXAMPLES])
def test_an_example_does_what_it_shows(
    client: Client, installation: Installation, tmp_path: Path, code: str
) -> None:
    """The first thing that a newcomer tried ended in a traceback."""
    (tmp_path / "song.flac").write_bytes(wav_bytes(1.0, seed=len(code)))
    code = code.replace("http://127.0.0.1:8000", installation.url)
    before = {job.job_id for job in client.list_jobs().jobs}
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as script:
        new = wait_until(lambda: [j for j in client.list_jobs().jobs if j.job_id not in before])
        installation.run_job(new[0].job_id)
        out, _ = script.communicate()
    assert script.returncode == 0
    assert "100%" in out
    made = [path for path in tmp_path.rglob("*") if path.suffix in (".zip", ".flac")]
    assert len(made) > 1


def test_there_are_examples() -> None:
    assert [name for name, _ in EXAMPLES] == ["api.md", "examples.md"]
