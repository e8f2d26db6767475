"""Version of the analysis; separate from the analysers, which take a second to import."""

ANALYSIS_VERSION = "11"
"""Raised whenever the facts of the same recording change, including by its decoding.

It is the version of the analysis stages of a job and is stored with facts; a library track with
facts of another version is stale.
"""

TEMPO_RANGE_BPM = (50.0, 230.0)
"""Default range of the tempo: that of music. A prior and what is played decide between levels."""
