"""What the manifest says of an exception."""

from pathlib import Path

import pytest

from core.errors import CorruptAudio
from core.pipeline.outcome import failure_of


def test_a_failure_names_the_file_and_not_its_folder(tmp_path: Path) -> None:
    """Manifest, answer, ZIP and screen showed where this machine keeps its files."""
    folder = tmp_path / "a folder"
    with pytest.raises(FileNotFoundError) as raised:
        (folder / "vocals.f32").open()
    message = failure_of(raised.value).message
    assert "vocals.f32" in message
    assert "No such file" in message
    assert str(tmp_path) not in message
    assert "a folder" not in message


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Error opening '/data/outputs/1/.work/0/mix.wav': System error.", "'mix.wav'"),
        ("cannot read /data/uploads/ab/audio", "read audio"),
        ("see https://example.org/a/b", "https://example.org/a/b"),
        ("and/or 3/4", "and/or 3/4"),
    ],
)
def test_paths_in_the_text_of_a_library_lose_their_folders(text: str, shown: str) -> None:
    """Libraries write paths into their messages themselves."""
    assert shown in failure_of(RuntimeError(text)).message


def test_our_own_errors_keep_their_words() -> None:
    failure = failure_of(CorruptAudio("song.wav is damaged.", hint="Export it again."))
    assert (failure.code, failure.message) == ("corrupt_audio", "song.wav is damaged.")
