"""Layers compiled for one shape: an option for long-lived workers.

Compilation takes minutes and a C++ compiler, and makes each segment about a tenth to a third
cheaper on a CPU. If it fails, the layers run uncompiled.
"""

import logging
import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

logger = logging.getLogger(__name__)


class CompiledLayers:
    """Calls layers compiled (with frozen weights) or, if that fails, uncompiled.

    Compilation happens at the first call, for its shapes; other shapes run uncompiled. Calls must
    be made without gradients.

    Parameters
    ----------
    layers : the module.
    cache_dir : folder of compiled code for later processes; None for torch's default.
    """

    def __init__(self, layers: Any, cache_dir: Path | None) -> None:
        if cache_dir is not None:
            # torch offers no other way to set it.
            os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(cache_dir)  # noqa: TID251
        self._layers = layers
        self._compiled: Any = None
        self._shape: tuple[int, ...] | None = None
        self.error: str | None = None

    def __call__(self, x: Tensor, xt: Tensor) -> tuple[Tensor, Tensor]:
        """Run the layers; see `core.separation.models.htdemucs.Layers.forward`."""
        self._shape = self._shape or tuple(x.shape)
        if self.error is None and tuple(x.shape) == self._shape:
            try:
                if self._compiled is None:
                    options = {"freezing": True}
                    self._compiled = torch.compile(self._layers, dynamic=False, options=options)
                result: tuple[Tensor, Tensor] = self._compiled(x, xt)
            except torch.OutOfMemoryError:
                raise
            except Exception as error:  # noqa: BLE001 - the compiler's errors share no class
                self.error = f"{type(error).__name__}: {error}".splitlines()[0]
                logger.warning("the network was not compiled and runs uncompiled: %s", self.error)
            else:
                return result
        uncompiled: tuple[Tensor, Tensor] = self._layers(x, xt)
        return uncompiled
