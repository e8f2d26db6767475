"""Version of the analysis; separate from the analysers, which take a second to import."""

ANALYSIS_VERSION = "10"
"""Raised whenever the facts of the same recording change, including by its decoding.

It is the version of the analysis stages of a job and is stored with facts; a library track with
facts of another version is stale.
"""

TEMPO_RANGE_BPM = (70.0, 180.0)
"""Default range of the tempo; wider than an octave, so that every tempo has a level in it."""
