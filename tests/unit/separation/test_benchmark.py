import pytest

from core.separation.benchmark import (
    BENCHMARK_S,
    list_devices,
    make_audio,
    measure_memory,
    measure_speed,
)
from core.separation.models.base import SeparatorModel
from tests.unit.separation.measure import RATE


def test_a_slow_model_is_measured_on_what_it_gets_done(tiny: SeparatorModel) -> None:
    """A RoFormer on a laptop takes minutes for ten seconds: doctor must not."""
    speed = measure_speed(tiny, limit_s=0)
    assert 0 < speed.audio_s < BENCHMARK_S / 2
    assert speed.realtime_factor == pytest.approx(speed.audio_s / speed.seconds)


def test_a_fast_model_is_measured_on_all_of_it(tiny: SeparatorModel) -> None:
    assert measure_speed(tiny, limit_s=600).audio_s == BENCHMARK_S


def test_the_cpu_is_always_there() -> None:
    cpu = list_devices()[-1]
    assert (cpu.name, cpu.is_present, cpu.total_bytes) == ("cpu", True, None)


def test_memory_is_that_of_this_machine() -> None:
    psutil = pytest.importorskip("psutil")
    memory = measure_memory()
    assert 0 < memory.available_bytes <= memory.total_bytes <= psutil.virtual_memory().total


def test_the_benchmark_does_not_measure_silence() -> None:
    """Silence is answered without the network."""
    audio = make_audio(1.0, RATE)
    assert audio.shape == (2, RATE)
    assert 0.1 < abs(audio).max() < 1
