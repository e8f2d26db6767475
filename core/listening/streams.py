"""Lanes as HLS (RFC 8216): AAC at several bit rates, for slow links and players of other programs.

    {bit rate}.m3u8    playlist of one bit rate, in kbit/s
    {bit rate}.mp4     its segments, one after the other

Both are made together when first asked for. Files of a stream lie beside the lane's other pieces.
"""

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from core.listening.lanes import Lane, TrackLanes

MASTER = "master.m3u8"
CODEC = "mp4a.40.2"
_OVERHEAD = 1.1
"""Most by which AAC and its container exceed the bit rate, over a segment."""


def master_playlist(bit_rates: Iterable[int]) -> bytes:
    """Return the playlist of the playlists of these bit rates, in kbit/s, best first."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for bit_rate in sorted(bit_rates, reverse=True):
        bandwidth = round(1000 * bit_rate * _OVERHEAD)
        lines += [
            f"#EXT-X-STREAM-INF:BANDWIDTH={bandwidth},AVERAGE-BANDWIDTH={1000 * bit_rate},"
            f'CODECS="{CODEC}"',
            f"{bit_rate}.m3u8",
        ]
    return "\n".join((*lines, "")).encode()


def make_stream(track: TrackLanes, lane: Lane, bit_rate: int, folder: Path) -> None:
    """Write playlist and segments of a lane at a bit rate in kbit/s.

    Rates above 48 kHz, which browsers do not play in a stream, are halved or quartered.
    """
    from core.audio.resample import StreamResampler
    from core.audio.writing.encode import supported_sample_rate
    from core.audio.writing.encode_pyav import PyavWriter
    from core.listening.reading import LaneReader

    sample_rate = supported_sample_rate("stream", track.sample_rate)
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".", dir=folder) as temporary, LaneReader(track, lane) as reader:
        playlist = Path(temporary, f"{bit_rate}.m3u8")
        writer = PyavWriter(
            playlist,
            codec="hls",
            sample_rate=sample_rate,
            n_channels=track.n_channels,
            bit_rate=1000 * bit_rate * track.n_channels // 2,
        )
        resampler = (
            None
            if sample_rate == track.sample_rate
            else StreamResampler(track.sample_rate, sample_rate, track.n_channels)
        )
        for block in reader.blocks():
            writer.write(resampler.add(block) if resampler else block)
        if resampler:
            writer.write(resampler.flush())
        writer.close()
        # The playlist last: whoever has it finds its segments.
        for path in (playlist.with_suffix(".mp4"), playlist):
            path.replace(folder / path.name)
