"""Durable execution: the queue, the worker, and what they tell of a job while it runs."""
