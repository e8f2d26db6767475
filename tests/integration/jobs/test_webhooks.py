"""Webhooks: what servers are told, how often, and what is never called."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier

from core.artifacts.job_ids import new_job_id
from core.errors import AddressForbidden, InvalidLink, InvalidOption, WebhookNotFound
from core.jobs import webhook_runner
from core.jobs.batch_states import note_state
from core.jobs.batch_store import BatchStore
from core.jobs.batch_work import BatchWork, items_of
from core.jobs.webhook_runner import PAUSES_S, WebhookSender
from core.jobs.webhook_store import WebhookStore
from core.jobs.webhooks import WebhookService
from core.net.addresses import AddressGuard
from core.net.outgoing import OutgoingLimits
from core.system.database import transaction
from stemcrate.schemas.batches import BatchInput
from stemcrate.schemas.manifest import JobState
from stemcrate.schemas.options import ProcessingOptions
from stemcrate.schemas.owners import LOCAL
from stemcrate.schemas.webhooks import Delivery, NewWebhook, WebhookRequest
from tests.integration.jobs.installation import Installation, on_both_databases
from tests.webhook_server import Told, WebhookServer, webhook_server

HERE = "127.0.0.1"


@pytest.fixture
def receiver() -> Iterator[WebhookServer]:
    with webhook_server() as receiver:
        yield receiver


def make(house: Installation, url: str, owner: str = LOCAL, **wanted: Any) -> NewWebhook:
    service = WebhookService(house.url, owner, AddressGuard([HERE]))
    return service.create(WebhookRequest(url=url, **wanted))


def deliveries(house: Installation, hook: NewWebhook) -> list[Delivery]:
    return WebhookStore(house.url).page(hook.id, None, None, 100)[0]


def only(house: Installation, hook: NewWebhook) -> Delivery:
    (delivery,) = deliveries(house, hook)
    return delivery


def attempt(house: Installation, hook: NewWebhook, *allowed: str, pauses: Any = PAUSES_S) -> None:
    """Attempt the deliveries of a webhook that wait, as a worker does."""
    sender = WebhookSender(house.url, AddressGuard(allowed), pauses)
    for delivery in deliveries(house, hook):
        sender.attempt(delivery.id)


def end_job(house: Installation, *, state: JobState = JobState.COMPLETED, **names: Any) -> str:
    """Tell the end of a job that did not run."""
    job_id = house.submit("work=0")
    manifest = house.manifest(job_id)
    house.log.tell(manifest, state, **names)
    return job_id


def verified(told: Told, secret: str) -> Any:
    return Verifier(secret).verify(told.body, told.headers)


@pytest.mark.slow
@on_both_databases
def test_a_server_is_told_again_until_it_has_understood(
    house: Installation, receiver: WebhookServer
) -> None:
    """The same id at each attempt, a signature that a receiver's library accepts."""
    receiver.answer(500, 503, 200)
    hook = make(house, receiver.url)
    house.start_worker(links_to=[HERE], webhook_pauses_s=(0.1, 0.1, 0.1))
    job_id = house.submit("work=0.05")

    house.wait_until(lambda: [d.state for d in deliveries(house, hook)] == ["delivered"])

    assert len(receiver.told) == 3
    assert {told.headers["webhook-id"] for told in receiver.told} == {only(house, hook).id}
    event = verified(receiver.told[-1], hook.secret)
    assert event["type"] == "job.completed"
    assert event["data"]["job_id"] == job_id
    assert event["data"]["links"]["outputs"] == f"/job/{job_id}/outputs"
    assert only(house, hook).n_attempts == 3


@pytest.mark.slow
def test_a_worker_that_dies_while_a_server_is_told_leaves_it_to_the_next(
    house: Installation, receiver: WebhookServer
) -> None:
    """The event arrives, perhaps twice, with the same id."""
    receiver.silent = threading.Event()
    hook = make(house, receiver.url)
    end_job(house)
    first = house.start_worker(links_to=[HERE])
    house.wait_until(lambda: receiver.told)
    first.kill()
    receiver.silent.set()

    house.start_worker(links_to=[HERE])
    house.wait_until(lambda: [d.state for d in deliveries(house, hook)] == ["delivered"])
    assert {told.headers["webhook-id"] for told in receiver.told} == {only(house, hook).id}
    assert len(receiver.told) == 2


@on_both_databases
def test_an_end_that_is_told_twice_is_one_event(house: Installation) -> None:
    """A worker that dies after it told an end tells it again; a retry ends anew."""
    hook = make(house, "https://example.org/hook")
    job_id = end_job(house)
    manifest = house.manifest(job_id)
    house.log.tell(manifest, JobState.COMPLETED)
    assert len(deliveries(house, hook)) == 1
    manifest.n_retries += 1
    house.log.tell(manifest, JobState.COMPLETED)
    assert len(deliveries(house, hook)) == 2


def test_only_those_who_asked_are_told(house: Installation) -> None:
    """Events, owners, and webhooks for what names them."""
    failures = make(house, "https://example.org/1", events=["job.failed"])
    named = make(house, "https://example.org/2", only_named=True)
    others = make(house, "https://example.org/3", owner="anna")
    end_job(house)
    assert not any(deliveries(house, hook) for hook in (failures, named, others))

    end_job(house, state=JobState.FAILED, webhook_id=named.id)

    assert only(house, failures).type == only(house, named).type == "job.failed"
    assert not deliveries(house, others)
    with pytest.raises(WebhookNotFound):
        WebhookStore(house.url, LOCAL).get(others.id)


def test_the_end_of_a_batch_is_told_once(house: Installation) -> None:
    hook = make(house, "https://example.org/hook", events=["batch.completed", "batch.cancelled"])
    store = BatchStore(house.url, LOCAL)
    inputs = [BatchInput(sha256="0" * 64), BatchInput(sha256="1" * 64)]
    store.create(id := new_job_id(), "", items_of(inputs), ProcessingOptions(), is_limited=False)
    for job_id in BatchWork(house.url).all_jobs(id):
        assert not deliveries(house, hook)
        with transaction(house.url) as connection:
            note_state(connection, job_id, JobState.COMPLETED)
    assert only(house, hook).type == "batch.completed"


def test_a_server_that_is_gone_ends_its_webhook(
    house: Installation, receiver: WebhookServer
) -> None:
    """410 means: never again, neither this nor what else waits."""
    receiver.answer(410)
    hook = make(house, receiver.url)
    end_job(house)
    end_job(house)
    attempt(house, hook, HERE)

    assert len(receiver.told) == 1
    assert [d.state for d in deliveries(house, hook)] == ["dead", "dead"]
    store = WebhookStore(house.url)
    assert store.get(hook.id).ended_at is not None
    end_job(house)
    assert len(deliveries(house, hook)) == 2, "it is told nothing more"
    with pytest.raises(InvalidOption):
        store.replay(hook.id, deliveries(house, hook)[0].id)


def test_a_server_says_when_to_come_again(house: Installation, receiver: WebhookServer) -> None:
    """Its pause holds where it is longer than ours, up to a day."""
    receiver.answer(503, Retry_After="7000")
    hook = make(house, receiver.url)
    end_job(house)
    attempt(house, hook, HERE)

    waiting = only(house, hook)
    assert (waiting.state, waiting.n_attempts, waiting.last_status) == ("waiting", 1, 503)
    assert waiting.next_attempt_at is not None
    assert 6_900 < (waiting.next_attempt_at - waiting.created_at).total_seconds() < 10_000


def test_the_last_attempt_leaves_a_dead_letter_that_can_be_replayed(
    house: Installation, receiver: WebhookServer
) -> None:
    receiver.answer(500)
    hook = make(house, receiver.url)
    end_job(house)
    for _ in range(4):
        attempt(house, hook, HERE, pauses=(0.0, 0.0))
    assert len(receiver.told) == 3
    dead = only(house, hook)
    assert (dead.state, dead.last_error) == ("dead", "The server answered 500.")

    receiver.answer(200)
    store = WebhookStore(house.url)
    assert store.replay(hook.id, dead.id).state == "waiting"
    attempt(house, hook, HERE)
    assert only(house, hook).state == "delivered"
    assert store.page(hook.id, "dead", None, 10) == ([], None)


def test_a_slow_server_is_given_up(
    house: Installation, receiver: WebhookServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It must not hold a place of the worker for long."""
    receiver.silent = threading.Event()
    limits = OutgoingLimits(max_bytes=100, total_s=0.2, idle_s=0.2)
    monkeypatch.setattr(webhook_runner, "LIMITS", limits)
    hook = make(house, receiver.url)
    end_job(house)
    attempt(house, hook, HERE)
    waiting = only(house, hook)
    assert (waiting.state, waiting.last_status) == ("waiting", None)
    assert "in time" in str(waiting.last_error)


def test_a_redirect_is_not_followed(house: Installation, receiver: WebhookServer) -> None:
    """A public server could lead on to what only this machine reaches."""
    with webhook_server() as inner:
        receiver.answer(302, Location=inner.url)
        hook = make(house, receiver.url)
        end_job(house)
        attempt(house, hook, HERE)
        assert (len(receiver.told), inner.told) == (1, [])
    assert only(house, hook).last_status == 302


def test_addresses_that_are_not_public_are_never_called(
    house: Installation, receiver: WebhookServer
) -> None:
    """Neither by their numbers nor by a name that leads there when it is called."""
    guarded = WebhookService(house.url, LOCAL, AddressGuard())
    for url, error in ((receiver.url, AddressForbidden), ("ftp://example.org", InvalidLink)):
        with pytest.raises(error) as refused:
            guarded.create(WebhookRequest(url=url))
        assert refused.value.field == "url"

    hook = make(house, receiver.url.replace(HERE, "localhost"))
    end_job(house)
    attempt(house, hook)

    assert receiver.told == []
    dead = only(house, hook)
    assert dead.state == "dead"
    assert HERE not in str(dead.last_error)


def test_a_rotated_secret_signs_beside_the_one_before(
    house: Installation, receiver: WebhookServer
) -> None:
    """Receivers change their copy while events arrive."""
    hook = make(house, receiver.url)
    new = WebhookStore(house.url).rotate(hook.id)
    assert new.secret != hook.secret
    end_job(house)
    attempt(house, hook, HERE)
    (told,) = receiver.told
    assert verified(told, hook.secret) == verified(told, new.secret) == json.loads(told.body)
