from pathlib import Path
from typing import Any

import pytest
import torch

from core.separation.device import half_precision
from core.separation.models.compiled import CompiledLayers
from core.separation.models.htdemucs import Layers, can_split, run_split
from tests.models import SEGMENT, make_tiny_htdemucs
from tests.programs import requires
from tests.unit.separation.measure import RATE

# The compiler warns of parts of torch itself.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class Two(torch.nn.Module):
    """Two branches, as the layers of HTDemucs have them."""

    def __init__(self) -> None:
        super().__init__()
        self.line = torch.nn.Linear(4, 4)

    def forward(self, x: Any, xt: Any) -> Any:
        return torch.relu(self.line(x)), xt * 2


def test_split_in_three_parts_is_the_networks_own_forward() -> None:
    """A normalisation forgotten, or a skip connection crossed, would still sound like music."""
    network = make_tiny_htdemucs()
    segments = torch.rand(2, 2, int(SEGMENT * RATE)) - 0.5
    assert can_split(network)
    with torch.inference_mode():
        assert torch.equal(run_split(network, Layers(network), segments), network(segments))
    assert half_precision("cpu") is not None


@pytest.mark.slow
@requires("g++", "Python.h")
def test_compiled_layers_say_the_same(tmp_path: Path) -> None:
    layers = Two().eval()
    compiled = CompiledLayers(layers, tmp_path)
    x, xt = torch.rand(3, 4), torch.rand(5)
    with torch.inference_mode():
        expected = layers(x, xt)
        for given, wanted in zip(compiled(x, xt), expected, strict=True):
            torch.testing.assert_close(given, wanted)
        other = torch.rand(7, 4)
        torch.testing.assert_close(compiled(other, xt)[0], layers(other, xt)[0])
    assert compiled.error is None
    assert any(tmp_path.rglob("*")), "the next process compiles again"


@pytest.mark.slow
def test_without_a_compiler_the_layers_run_as_they_are(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A machine without g++ must separate all the same, and say once why it is no faster."""
    from torch._inductor import config

    compiled = CompiledLayers(Two().eval(), tmp_path)
    with torch.inference_mode(), config.patch({"cpp.cxx": (None, "/nonexistent/g++")}):
        for _ in range(2):
            assert compiled(torch.rand(3, 4), torch.ones(1))[1].item() == 2
    assert compiled.error is not None
    assert sum("not compiled" in message for message in caplog.messages) == 1


@pytest.mark.parametrize("attribute", ["cac", "use_train_segment"])
def test_networks_of_another_kind_are_not_split(attribute: str) -> None:
    network = make_tiny_htdemucs()
    setattr(network, attribute, False)
    assert not can_split(network)
