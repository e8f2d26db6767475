"""What tells one analysis from another; apart from the analysers, which take a second to load."""

ANALYSIS_VERSION = "6"
"""Raised whenever the same recording gets other facts, its decoding included.

The stages of a job that analyse have this version, the store of facts keeps it, and a track of the
library whose facts have another one is stale.
"""

PARTS = ("tempo", "key", "energy", "vocals", "structure", "chords", "descriptors")
"""The parts of an analysis, which are the stages of a job that find facts."""

TEMPO_RANGE_BPM = (70.0, 180.0)
"""Default range of the tempo; wider than an octave, so that every tempo has a level in it."""
