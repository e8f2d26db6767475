"""What `stemcrate job verify` and `stemcrate job replay` found."""

from pydantic import BaseModel, Field

from stemcrate.schemas.jobs import EXAMPLE_JOB_ID


class SumCheck(BaseModel):
    """Whether the delivered stems of a track still sum to the recording that came in."""

    track_index: int
    name: str
    difference: float | None = Field(
        description="Largest difference between a sample of the recording, with the delivered "
        "gain, and the sum of the stems, where 1 is full scale; null if not comparable."
    )
    allowed: float | None = Field(
        description="What rounding to the delivery format explains, in the same unit."
    )
    reason: str | None = Field(description="Why the sum is not comparable; null if it is.")

    @property
    def is_broken(self) -> bool:
        """Whether the stems do not sum to the recording, though they should."""
        if self.difference is None or self.allowed is None:
            return False
        return self.difference > self.allowed


class Verification(BaseModel):
    """The files of a job beside its manifest."""

    job_id: str = Field(examples=[EXAMPLE_JOB_ID])
    n_files: int
    n_bytes: int
    missing: list[str] = Field(description="Names of artefacts without a file.")
    changed: list[str] = Field(description="Names of artefacts whose bytes differ.")
    sums: list[SumCheck]

    @property
    def is_intact(self) -> bool:
        """Whether nothing is missing, changed or broken."""
        return not (self.missing or self.changed or any(s.is_broken for s in self.sums))


class Replay(BaseModel):
    """The artefacts of a job beside those of the same job, run once more."""

    job_id: str = Field(examples=[EXAMPLE_JOB_ID])
    replay_id: str | None = Field(
        description="The job that ran; null if all was the same, and it was deleted again."
    )
    same: list[str] = Field(description="Names of artefacts with the same bytes.")
    different: list[str] = Field(description="Names of artefacts with other bytes.")
    missing: list[str] = Field(description="Names of artefacts that were not made again.")
    added: list[str] = Field(description="Names of artefacts that the job did not have.")
    software: dict[str, tuple[str | None, str | None]] = Field(
        description="Programs of another version: that of the job, and that of the replay."
    )

    @property
    def is_same(self) -> bool:
        """Whether the replay gave the same artefacts, byte for byte."""
        return not (self.different or self.missing or self.added)
