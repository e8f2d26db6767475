"""Audio in and out: arrays and files, no models, no jobs."""
