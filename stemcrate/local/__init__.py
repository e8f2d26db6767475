"""Stemcrate on this machine, without a server: files and arrays in, typed results out.

Conventions
-----------
- Audio is float32, shape ``(n_channels, n_samples)``, finite, nominal range ±1; it is never
  mutated. One or two channels.
- A recording is the path of a file that FFmpeg or libsndfile can read (3 to 8 channels are mixed
  down to stereo), or a pair ``(samples, sample_rate)`` with the sample rate in Hz.
- Tracks to plan and export are named by the paths of their files: `analyze` each, and keep the
  facts in a dictionary by path.
- Errors are `stemcrate.plugins.StemcrateError`, each with a ``code``, a sentence and a hint; the
  mistakes of a caller (an array of another shape or type) are ValueError and TypeError.

Importing this module loads neither torch nor a model; `separate` does.
"""

from stemcrate.local.analysis import analyze
from stemcrate.local.exporting import export
from stemcrate.local.planning import plan_set
from stemcrate.local.recording import FilePath, Recording, Tracks
from stemcrate.local.separation import Separation, separate

__all__ = [
    "FilePath",
    "Recording",
    "Separation",
    "Tracks",
    "analyze",
    "export",
    "plan_set",
    "separate",
]
