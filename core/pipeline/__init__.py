"""The pipeline: stages, the order they run in, and what they may touch."""
