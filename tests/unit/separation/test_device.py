from typing import Any

import pytest
import torch

from core.errors import DeviceUnavailable, InvalidOption
from core.separation.device import resolve_device

ABSENT = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}


def test_cpu_is_always_there() -> None:
    assert resolve_device("cpu").name == "cpu"


def test_auto_takes_the_best_present_and_says_why() -> None:
    device = resolve_device("auto")
    best = next((name for name, present in ABSENT.items() if present), "cpu")
    assert device.name == best
    assert best in device.reason


@pytest.mark.parametrize("name", [name for name, present in ABSENT.items() if not present])
def test_an_absent_device_is_refused_not_replaced(name: Any) -> None:
    with pytest.raises(DeviceUnavailable) as caught:
        resolve_device(name)
    assert caught.value.field == "device"
    assert "cpu" in caught.value.hint


def test_an_unknown_device_is_named() -> None:
    with pytest.raises(InvalidOption, match="tpu"):
        resolve_device("tpu")
