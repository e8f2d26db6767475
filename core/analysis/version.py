"""Which analysis made some facts; apart from the analysers, as those take a second to load."""

ANALYSIS_VERSION = "6"
"""Raised whenever the same recording gives other facts."""
