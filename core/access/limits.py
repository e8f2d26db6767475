"""What an owner may use at most, as the operator says; 0 is no limit."""

from dataclasses import dataclass

from stemcrate.schemas.quotas import Policy

MINUTE_S = 60
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class OwnerLimits:
    """The limits of each owner, described in `config.Settings`."""

    requests_per_minute: int = 0
    open_jobs: int = 0
    upload_bytes_per_day: int = 0
    audio_minutes_per_day: int = 0
    disk_bytes: int = 0

    @property
    def requests(self) -> Policy:
        """Requests of a minute."""
        return Policy(name="requests", quota=self.requests_per_minute, window_s=MINUTE_S)

    @property
    def jobs(self) -> Policy:
        """Jobs that have not ended."""
        return Policy(name="jobs", quota=self.open_jobs)

    @property
    def uploads(self) -> Policy:
        """Bytes that are sent in a day."""
        return Policy(
            name="upload-bytes",
            quota=self.upload_bytes_per_day,
            window_s=DAY_S,
            unit="content-bytes",
        )

    @property
    def audio(self) -> Policy:
        """Seconds of audio that are submitted in a day."""
        return Policy(
            name="audio-seconds", quota=self.audio_minutes_per_day * MINUTE_S, window_s=DAY_S
        )

    @property
    def disk(self) -> Policy:
        """Bytes that are kept."""
        return Policy(name="disk-bytes", quota=self.disk_bytes, unit="content-bytes")


UNLIMITED = OwnerLimits()
