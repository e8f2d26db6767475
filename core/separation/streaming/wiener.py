"""Wiener filter: each stem gets its share of the mixture's power.

A network's stems need not sum to the mixture, and have artefacts in their phase. Here the power of
each stem relative to all becomes a mask on the mixture's own spectrum. The residual counts as one
more source, so that the content of an unrequested stem is not distributed to the others.

Reference: Liutkus & Badeau, "Generalized Wiener filtering with fractional power spectrograms",
ICASSP 2015 (with exponent 2, without the iterations over spatial covariances).
"""

from collections.abc import Iterator

import numpy as np

from core.separation.streaming.mixture import StemBlock, StereoMixture
from core.separation.streaming.spectral import Spectra, map_spectra

_FLOOR = 1e-12


def refine(stems: Iterator[StemBlock], mixture: StereoMixture) -> Iterator[StemBlock]:
    """Filter the mixture by the power of its stems.

    Parameters
    ----------
    stems : float32 blocks, shape ``(n_stems, 2, n)``, adjoining, as long as the mixture.

    Yields
    ------
    Blocks of the same stems; silence where their power is zero.
    """

    def with_mixture() -> Iterator[StemBlock]:
        start = 0
        for block in stems:
            stop = start + block.shape[-1]
            yield np.concatenate([block, mixture.read(start, stop)[None]])
            start = stop

    return map_spectra(with_mixture(), _filter)


def _filter(spectra: Spectra) -> Spectra:
    *_, whole = spectra
    estimates = spectra[:-1]
    power = np.abs(estimates) ** 2
    rest = np.abs(whole - estimates.sum(axis=0)) ** 2
    shared: Spectra = whole * (power / (power.sum(axis=0) + rest + _FLOOR))
    return shared.astype(np.complex64)
