"""Audio input and output: arrays and files, without models or jobs."""
