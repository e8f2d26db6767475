"""Durable execution of jobs: queue, worker, progress and liveness."""
