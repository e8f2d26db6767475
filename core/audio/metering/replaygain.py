"""The reference of ReplayGain 2.0; apart from the meter, which loads SciPy."""

REPLAYGAIN_REFERENCE_LUFS = -18.0
"""Reference loudness of ReplayGain 2.0."""
