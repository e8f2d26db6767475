"""The pipeline: stages, their order, and the context they work in."""
