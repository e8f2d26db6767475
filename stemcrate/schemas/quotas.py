"""Quotas: how much of something an owner may use, and what is left of it."""

from pydantic import BaseModel, ConfigDict


class Policy(BaseModel):
    """A quota of each owner. ``window_s`` is None for what is held rather than used up."""

    model_config = ConfigDict(frozen=True)

    name: str
    quota: int
    window_s: int | None = None
    unit: str | None = None
    """As the header `RateLimit-Policy` has it; None: requests, or nothing that it knows."""


class Allowance(BaseModel):
    """What is left of a quota. ``reset_s``: seconds until all of it is there again."""

    model_config = ConfigDict(frozen=True)

    policy: Policy
    available: int
    reset_s: int | None = None
