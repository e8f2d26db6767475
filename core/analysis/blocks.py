"""Analysis of a recording from blocks of samples."""

from collections.abc import Iterable

from core.analysis.meter import Measurement, MixtureMeter
from core.analysis.spectra import Spectra
from core.analysis.store import KnownFacts
from core.analysis.track import TrackAnalyser
from core.audio.buffer import Samples
from stemcrate.schemas.facts import TrackFacts


def analyse_blocks(blocks: Iterable[Samples], sample_rate: int, n_channels: int) -> TrackFacts:
    """Analyse a recording without stored facts.

    Parameters
    ----------
    blocks : float32 ``(n_channels, n)`` each, in order; read once.
    sample_rate : in Hz.
    n_channels : 1 or 2.
    """
    return TrackAnalyser(KnownFacts(), _Blocks(blocks, sample_rate, n_channels)).facts()


class _Blocks:
    def __init__(self, blocks: Iterable[Samples], sample_rate: int, n_channels: int) -> None:
        self._blocks = blocks
        self._meter = MixtureMeter(sample_rate, n_channels)

    def kept_spectra(self) -> None:
        return None

    def measure_spectra(self) -> Spectra:
        return self.measure().spectra

    def measure(self) -> Measurement:
        for block in self._blocks:
            self._meter.add(block)
        return self._meter.finish()
