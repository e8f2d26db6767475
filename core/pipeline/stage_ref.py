"""Addresses of stages and of attempts at them, as processes exchange them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StageRef:
    """Address of a stage in a job; ``track_index`` is None for a stage of the whole job."""

    job_id: str
    stage_name: str
    track_index: int | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a stage; of all attempts, only the one with the highest number may write."""

    ref: StageRef
    number: int
