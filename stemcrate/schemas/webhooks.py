"""Webhooks: addresses that are told when jobs and batches end (Standard Webhooks)."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from stemcrate.schemas.record import Record

EventType = Literal[
    "job.completed",
    "job.failed",
    "job.cancelled",
    "batch.completed",
    "batch.failed",
    "batch.cancelled",
]
ALL_EVENTS: tuple[EventType, ...] = EventType.__args__  # type: ignore[attr-defined]
DeliveryState = Literal["waiting", "delivered", "dead"]
EXAMPLE_WEBHOOK_ID = "0199b6f0-5c3a-7d2e-9a41-3f8a6c1e7b22"


class WebhookRequest(Record):
    """A webhook that is wanted."""

    url: str = Field(max_length=2000, description="Address that is called, of http or https.")
    events: list[EventType] = Field(list(ALL_EVENTS), min_length=1, description="What it is told.")
    only_named: bool = Field(
        False,
        description="Tell it of jobs and batches alone that name it by `webhook_id`; else of all.",
    )
    name: str = Field("", max_length=200, description="A label.")


class Webhook(BaseModel):
    """A webhook. Its secret is shown when it is made, and when it is rotated."""

    id: str = Field(examples=[EXAMPLE_WEBHOOK_ID])
    url: str
    events: list[EventType]
    only_named: bool
    name: str
    created_at: datetime
    ended_at: datetime | None = Field(
        description="When its server answered 410 and ended it; it is told nothing more."
    )


class NewWebhook(Webhook):
    """A webhook with its secret."""

    secret: str = Field(
        description="Key of the signatures (`whsec_` and base64). It is not shown again.",
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )


class WebhookList(BaseModel):
    """The webhooks of an owner, the oldest first."""

    webhooks: list[Webhook]


class Delivery(BaseModel):
    """One event for one webhook."""

    id: str = Field(description="Also the header `webhook-id`, the same at every attempt.")
    type: EventType
    state: DeliveryState = Field(description="`dead`: no further attempt is made.")
    created_at: datetime
    n_attempts: int
    next_attempt_at: datetime | None = Field(description="Null unless it waits.")
    delivered_at: datetime | None
    last_status: int | None = Field(description="Status of the last answer, if there was one.")
    last_error: str | None = Field(description="Why the last attempt failed.")


class DeliveryPage(BaseModel):
    """A page of deliveries, newest first."""

    deliveries: list[Delivery]
    next_cursor: str | None = Field(description="Pass it as `cursor` to get the next page.")


class EventData(BaseModel):
    """What ended; paths below the address of the API."""

    job_id: str | None = None
    batch_id: str | None = None
    links: dict[str, str]


class Event(BaseModel):
    """The body of a call."""

    type: EventType
    timestamp: datetime
    data: EventData
