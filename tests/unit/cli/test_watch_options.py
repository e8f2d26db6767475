"""What a server watches, from its settings."""

from pathlib import Path

import pytest

from cli.serve import worker_options
from config import Settings
from core.errors import InvalidOption


def test_watched_folders_have_options_of_their_own(tmp_path: Path) -> None:
    """Blanks and an end of the list made other options, or none."""
    settings = Settings(
        _env_file=None, watch_folders=[tmp_path], watch_options=" preset = fast; format=flac; "
    )
    watched = worker_options(settings).watch
    assert watched is not None
    assert (watched.options.preset, watched.options.format) == ("fast", "flac")
    assert worker_options(Settings(_env_file=None)).watch is None


@pytest.mark.parametrize("options", ["preset=slow", "colour=red", "fast"])
def test_a_mistyped_option_is_told_at_the_start(tmp_path: Path, options: str) -> None:
    """Every file would have failed, one by one."""
    settings = Settings(_env_file=None, watch_folders=[tmp_path], watch_options=options)
    with pytest.raises(InvalidOption):
        worker_options(settings)
