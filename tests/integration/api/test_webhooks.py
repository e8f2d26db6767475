"""Webhooks over REST."""

from typing import Any

from tests.integration.api.apps import wav_bytes

URL = "https://example.org/hook"


def test_the_secret_is_shown_once(client: Any) -> None:
    made = client.post("/webhooks", json={"url": URL, "events": ["job.failed"], "name": "Ops"})
    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "no-store"
    hook = made.json()
    assert hook.pop("secret").startswith("whsec_")
    assert client.get(made.headers["Location"]).json() == hook
    assert client.get("/webhooks").json() == {"webhooks": [hook]}
    rotated = client.post(f"/webhooks/{hook['id']}/rotate").json()
    assert rotated.pop("secret").startswith("whsec_")
    assert rotated == hook


def test_what_cannot_be_called_is_refused(client: Any) -> None:
    for url, code in (
        ("http://169.254.169.254/latest", "address_forbidden"),
        ("http://[::1]/", "address_forbidden"),
        ("file:///etc/passwd", "invalid_link"),
    ):
        answer = client.post("/webhooks", json={"url": url})
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert answer.json()["field"] == "url"
    assert client.get("/webhooks").json() == {"webhooks": []}


def test_a_job_is_told_to_the_webhook_that_it_names(client: Any) -> None:
    """An unknown one refuses the job, and leaves nothing."""
    hook = client.post("/webhooks", json={"url": URL, "only_named": True}).json()
    path = f"/webhooks/{hook['id']}/deliveries"

    def submit(webhook_id: str | None) -> Any:
        data = {} if webhook_id is None else {"webhook_id": webhook_id}
        return client.post("/process", files=[("file", ("a.wav", wav_bytes(0.2)))], data=data)

    assert submit("nobody").json()["code"] == "webhook_not_found"
    assert client.get("/jobs").json()["jobs"] == []
    for webhook_id in (None, hook["id"]):
        client.post(f"/job/{submit(webhook_id).json()['job_id']}/cancel")

    (delivery,) = client.get(path).json()["deliveries"]
    assert (delivery["type"], delivery["state"]) == ("job.cancelled", "waiting")
    assert client.get(path, params={"state": "dead"}).json()["deliveries"] == []
    replayed = client.post(f"{path}/{delivery['id']}/replay")
    assert (replayed.status_code, replayed.json()["id"]) == (202, delivery["id"])
    assert client.post(f"{path}/msg_0/replay").json()["code"] == "delivery_not_found"
    assert client.delete(f"/webhooks/{hook['id']}").status_code == 204
    assert client.get(path).json()["code"] == "webhook_not_found"
