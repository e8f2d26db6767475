"""What a response begins with, for those who write down what requests did."""

from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import Message, Send


@dataclass(slots=True)
class Noted:
    """Status and ``Location`` of a response; 0 until it begins."""

    status: int = 0
    location: str = ""


def noting(send: Send) -> tuple[Send, Noted]:
    """Return what sends a response on, and what it has noted of it."""
    noted = Noted()

    async def send_and_note(message: Message) -> None:
        if message["type"] == "http.response.start":
            noted.status = message["status"]
            noted.location = Headers(raw=message["headers"]).get("location", "")
        await send(message)

    return send_and_note, noted
