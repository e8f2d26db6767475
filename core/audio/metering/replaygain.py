"""The reference of ReplayGain 2.0; apart from the meter, which loads SciPy."""

REPLAYGAIN_REFERENCE_LUFS = -18.0
"""Loudness that ReplayGain 2.0 plays everything at."""
