"""Players: a track's lanes, and their sound and pictures piece by piece."""

from stemcrate.client.calls import Calls
from stemcrate.client.connection import path_of
from stemcrate.schemas.player import PlayerTrack, WaveformKind

MASTER = "master.m3u8"
"""The file of a stream that leads players to all others."""


class PlayerCalls(Calls):
    """What players hear and draw."""

    def get_player(self, job_id: str, index: int) -> PlayerTrack:
        """Return what a player needs to play, draw and mix track ``index`` of a job."""
        return self._api.read(
            "GET", path_of("job", job_id, "tracks", str(index), "player"), PlayerTrack
        )

    def get_segment(
        self, job_id: str, index: int, label: str, segment: int, *, v: str | None = None
    ) -> bytes:
        """Return a segment of a lane as a FLAC file; ``v`` is that of the lane's URLs."""
        return self._piece(*_lane(job_id, index, label), "segments", str(segment), v=v)

    def get_waveform(
        self, job_id: str, index: int, label: str, kind: WaveformKind, *, v: str | None = None
    ) -> bytes:
        """Return a lane's minimum and maximum (``dat``) or its three bands (``bands``)."""
        return self._piece(*_lane(job_id, index, label), f"waveform.{kind}", v=v)

    def get_spectrogram(
        self, job_id: str, index: int, label: str, *, v: str | None = None
    ) -> bytes:
        """Return a lane's mel spectrum over time as a WebP picture."""
        return self._piece(*_lane(job_id, index, label), "spectrogram", v=v)

    def get_track_player(self, track_id: str) -> PlayerTrack:
        """Return what a player needs to play and draw a track of the library, as it came in.

        Raises `ApiError` ``artefact_not_found`` (404) if its file is not there unchanged.
        """
        return self._api.read("GET", path_of("library", "tracks", track_id, "player"), PlayerTrack)

    def get_track_segment(self, track_id: str, segment: int, *, v: str | None = None) -> bytes:
        """Return a segment of a track of the library as a FLAC file."""
        return self._piece(*_recording(track_id), "segments", str(segment), v=v)

    def get_track_waveform(
        self, track_id: str, kind: WaveformKind, *, v: str | None = None
    ) -> bytes:
        """Return minimum and maximum (``dat``) or three bands (``bands``) of a track."""
        return self._piece(*_recording(track_id), f"waveform.{kind}", v=v)

    def get_track_spectrogram(self, track_id: str, *, v: str | None = None) -> bytes:
        """Return the mel spectrum over time of a track of the library as a WebP picture."""
        return self._piece(*_recording(track_id), "spectrogram", v=v)

    def get_stream(self, track_id: str, name: str = MASTER, *, v: str | None = None) -> bytes:
        """Return a file of the stream (HLS) of a track of the library."""
        return self._piece("stream", track_id, name, v=v)

    def get_lane_stream(
        self, job_id: str, index: int, label: str, name: str = MASTER, *, v: str | None = None
    ) -> bytes:
        """Return a file of the stream (HLS) of a lane."""
        return self._piece("stream", job_id, str(index), label, name, v=v)

    def _piece(self, *path: str, v: str | None) -> bytes:
        with self._api.stream("GET", path_of(*path), query={"v": v}) as answer:
            content: bytes = answer.content
            return content


def _lane(job_id: str, index: int, label: str) -> tuple[str, ...]:
    return ("job", job_id, "tracks", str(index), "lanes", label)


def _recording(track_id: str) -> tuple[str, ...]:
    return ("library", "tracks", track_id, "original")
