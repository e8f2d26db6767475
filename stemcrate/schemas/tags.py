"""Tags of a recording, as its file has them."""

from stemcrate.schemas.record import Partial


class TextTags(Partial):
    """All tags but the cover; None where the file has none.

    ``year`` and ``key`` are text as found (``2021-05-01``, ``Am``, ``8A``); ``bpm`` is positive.
    """

    title: str | None = None
    artist: str | None = None
    album: str | None = None
    album_artist: str | None = None
    composer: str | None = None
    genre: str | None = None
    year: str | None = None
    track_number: int | None = None
    comment: str | None = None
    isrc: str | None = None
    bpm: float | None = None
    key: str | None = None
