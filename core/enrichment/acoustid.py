"""Looks a recording up at AcoustID by its fingerprint; what is found is proposed, no more.

Sent are fingerprint, length and the installation's key. AcoustID permits three requests a second;
each process keeps to that.

Reference: https://acoustid.org/webservice.
"""

import time
from importlib import import_module
from typing import Literal
from urllib.parse import urlencode

from pydantic import BaseModel, Field, ValidationError

from core.enrichment.enricher import EnrichedTrack, Enricher, Finding
from core.enrichment.settings import EnricherSettings
from core.errors import (
    InvalidOption,
    ModelUnavailable,
    SourceNotFound,
    SourceUnavailable,
    StemcrateError,
)
from core.library.identity.fingerprint import Algorithm, Fingerprint
from core.net.addresses import AddressGuard
from core.net.outgoing import Outgoing, OutgoingLimits
from stemcrate.schemas.enrichment import Proposal

PAUSE_S = 1.0 / 3.0
MAX_PROPOSALS = 5
_ALGORITHM = 1
"""AcoustID's number of `Algorithm.CHROMAPRINT`."""
_RATE_EXCEEDED = 14
_LIMITS = OutgoingLimits(max_bytes=2_000_000, total_s=60.0, idle_s=20.0)
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class _Artist(BaseModel):
    id: str
    name: str = ""
    joinphrase: str = ""


class _ReleaseGroup(BaseModel):
    id: str
    title: str | None = None


class _Recording(BaseModel):
    id: str
    title: str | None = None
    artists: list[_Artist] = Field(default_factory=list)
    releasegroups: list[_ReleaseGroup] = Field(default_factory=list)


class _Result(BaseModel):
    score: float = Field(ge=0, le=1.0001)
    recordings: list[_Recording] = Field(default_factory=list)


class _Failure(BaseModel):
    code: int = 0
    message: str = ""


class _Response(BaseModel):
    status: Literal["ok", "error"]
    results: list[_Result] = Field(default_factory=list)
    error: _Failure = _Failure()


class AcoustidEnricher(Enricher):
    """Proposes title, artist, album and MusicBrainz ids; needs a key, and fingerprints."""

    name = "acoustid"
    model = "acoustid-2"

    def __init__(self, settings: EnricherSettings) -> None:
        super().__init__(settings)
        self._outgoing = Outgoing(AddressGuard(settings.outgoing_allowed), _LIMITS)
        self._next_at = 0.0

    def enrich(self, track: EnrichedTrack) -> Finding:
        """Return the recordings with this fingerprint, best first.

        Raises
        ------
        InvalidOption : there is no key, or AcoustID refuses it.
        ModelUnavailable : libchromaprint is not installed, or was not when the track was added.
        SourceNotFound : the service refuses the request.
        SourceUnavailable : it does not answer, or is too busy.
        AddressForbidden : it is at an address that may not be called.
        """
        if not self.settings.acoustid_key:
            raise InvalidOption(
                "AcoustID needs a key.",
                hint="Register an application at https://acoustid.org/new-application, and set "
                "ACOUSTID_API_KEY.",
            )
        prints, duration_s = track.fingerprint, track.facts.duration_s
        if prints is None or prints.algorithm != Algorithm.CHROMAPRINT or duration_s is None:
            raise ModelUnavailable(
                f"'{track.name}' has no fingerprint of Chromaprint.",
                hint="Install libchromaprint (Debian: libchromaprint1), and add the file again.",
            )
        if not len(prints.hashes):  # silent, or too short
            return Finding()
        return Finding(proposals=_proposals(self._look_up(_encode(prints), duration_s)))

    def _look_up(self, fingerprint: str, duration_s: float) -> _Response:
        fields = {
            "client": self.settings.acoustid_key,
            "format": "json",
            "meta": "recordings releasegroups",
            "duration": str(round(duration_s)),
            "fingerprint": fingerprint,
        }
        self._keep_to_the_rate()
        with self._outgoing.ask(
            self.settings.acoustid_url, urlencode(fields).encode(), _FORM
        ) as answer:
            status, body = answer.status, b"".join(answer.body)
        if status >= 500 or status == 429:
            raise _busy(f"it answered {status}")
        try:
            response = _Response.model_validate_json(body)
        except ValidationError as error:
            raise SourceUnavailable(
                "AcoustID answered with something else than it is documented to.",
                hint="Try again later.",
            ) from error
        if response.status == "error":
            raise _refusal(response.error)
        return response

    def _keep_to_the_rate(self) -> None:
        time.sleep(max(0.0, self._next_at - time.monotonic()))
        self._next_at = time.monotonic() + PAUSE_S


def _encode(prints: Fingerprint) -> str:
    try:
        library = import_module("chromaprint")
    except ImportError as error:
        raise ModelUnavailable(
            "libchromaprint is not installed.",
            hint="Install it (Debian: libchromaprint1).",
        ) from error
    encoded: bytes = library.encode_fingerprint(prints.hashes.tolist(), _ALGORITHM)
    return encoded.decode()


def _proposals(response: _Response) -> tuple[Proposal, ...]:
    found: dict[str, Proposal] = {}
    for result in sorted(response.results, key=lambda result: -result.score):
        for recording in result.recordings:
            artists = "".join(artist.name + artist.joinphrase for artist in recording.artists)
            album = recording.releasegroups[0] if recording.releasegroups else None
            proposal = Proposal(
                score=min(result.score, 1.0),
                title=recording.title,
                artist=artists or None,
                album=album and album.title,
                recording_id=recording.id,
                artist_ids=[artist.id for artist in recording.artists],
                release_group_id=album and album.id,
            )
            found.setdefault(recording.id, proposal)
    # Recordings without a title say little: of equal ones, those with a title come first.
    ranked = sorted(found.values(), key=lambda proposal: (-proposal.score, proposal.title is None))
    return tuple(ranked[:MAX_PROPOSALS])


def _busy(reason: str) -> SourceUnavailable:
    return SourceUnavailable(f"AcoustID is not available: {reason}.", hint="Try again later.")


def _refusal(failure: _Failure) -> StemcrateError:
    if failure.code == _RATE_EXCEEDED:
        return _busy(failure.message)
    said = f"AcoustID refuses the request: {failure.message[:200]}."
    if "API key" in failure.message:
        return InvalidOption(said, hint="Check ACOUSTID_API_KEY.")
    return SourceNotFound(said, hint="Add the file again, so that its fingerprint is made anew.")
