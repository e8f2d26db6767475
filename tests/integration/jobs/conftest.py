import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.jobs.installation import Installation, installation_in


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Installation]:
    with installation_in(tmp_path, os.environ.get("STEMCRATE_TEST_DATABASE_URL")) as installation:
        yield installation
