"""When a stage has been silent for too long."""

from core.jobs.patience import Patience


def test_patience_ends_with_silence_and_begins_anew_with_every_word() -> None:
    """A slow stage that goes on telling must never be taken for one that hangs."""
    moments = iter([0.0, 9.0, 9.0, 18.0, 18.0, 28.0])
    patience = Patience(10.0, clock=lambda: next(moments))
    for _ in range(2):
        assert not patience.is_over
        patience.hear()
    assert patience.is_over


def test_patience_without_a_limit_never_ends() -> None:
    moments = iter([0.0, 1e9])
    assert not Patience(0.0, clock=lambda: next(moments)).is_over
