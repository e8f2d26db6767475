"""Decoding by FFmpeg through PyAV: AAC, ALAC, WMA, Opus in WebM, video files and all others.

FFmpeg drops the priming that a container declares (LAME header, MP4 edit list, Opus pre-skip)
before frames reach us, so the first sample here is the first sample of the recording. Containers
without such a declaration (raw AAC, WMA) start late by the encoder's delay, as in every player.
"""

import io
import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av  # noqa: TID251
import numpy as np

from core.audio.buffer import Samples
from core.audio.reading.frames import SAMPLE_FORMATS, frame_to_float32, is_rounded
from core.audio.reading.source import RESEND_HINT, SourceFormat, cut_short, rounded
from core.audio.reading.tag_bounds import find_start
from core.errors import CorruptAudio, NotAudio

# Playlists (HLS, concat) and image sequences open other files and addresses, which an upload must
# not. Only listed formats are opened, and only the file's own bytes are read.
_DEMUXERS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dsf,dts,eac3,flac,flv,iff,matroska,mov,mp3,mpc,mpc8,mpeg,"
    "mpegts,ogg,rm,tak,tta,w64,wav,wv"
)
_OPTIONS = {"format_whitelist": _DEMUXERS, "protocol_whitelist": "none"}
# FFmpeg's own errors, and Python's where broken offsets reach the file object.
_BROKEN = (av.error.FFmpegError, OSError, ValueError, OverflowError)
# Formats whose headers count samples; others estimate the duration or include priming.
_EXACT_CONTAINERS = {"flac", "wav", "aiff", "caf", "ape", "wv", "tta", "tak", "w64", "au"}
# Without a header FFmpeg divides the size by the first packet's bit rate, which may be far off.
_GUESSED_DURATION = {"aac", "ac3", "eac3", "dts", "mp3", "mpeg", "mpegts"}
_LOSSLESS_CODECS = {"flac", "alac", "ape", "wavpack", "tta", "tak", "mlp", "truehd", "shorten"}
# PCM codecs with non-linear codes.
_LOSSY_PCM = {"pcm_alaw", "pcm_mulaw", "pcm_vidc"}
_BLOCK = 65_536  # samples collected from frames for one block
_MAX_PRIMING = 8192  # most samples that an edit list may remove at the end
_EDIT_LIST_TICK_S = 1e-3
_MAX_BAD_PACKETS = 10


class PyavSource:
    """A file opened by FFmpeg; see `core.audio.reading.source.AudioSource`.

    Parameters
    ----------
    name : name for messages.
    index : of the audio track; default the first, which is the mixture in NI Stem files.

    Raises
    ------
    NotAudio : FFmpeg does not recognise the content, or it has no audio track.
    CorruptAudio : nothing of the audio track can be decoded.
    """

    def __init__(self, path: Path, *, name: str, index: int = 0) -> None:
        self._name = name
        self._index = index
        self._path = path
        self._file = SoundFile(path)
        self.warnings: list[str] = []
        self._n_bad = 0
        self._is_rounded = False
        self._packet_duration = 0  # longest packet so far, in ticks of the track
        self._end_s: Fraction | None = None
        try:
            self._container = open_container(self._file, name)
            try:
                self._start()
            except BaseException:
                self._container.close()
                raise
        except BaseException:
            self._file.close()
            raise

    def _start(self) -> None:
        tracks = self._container.streams.audio
        if not tracks:
            raise NotAudio(f"{self._name} holds no audio track.")
        self._track = tracks[self._index]
        if self._track.codec_context is None:
            raise NotAudio(f"{self._name} holds an audio track in an unsupported codec.")
        self._frames = self._decode()
        self._first = next(self._frames, None)
        if self._first is None and self._n_bad:
            raise CorruptAudio(
                f"{self._name} is damaged: none of it can be decoded.", hint=RESEND_HINT
            )
        self.format = self._describe()
        self.layout = self._read_layout()

    def blocks(self) -> Iterator[Samples]:
        """Yield float32 ``(n_channels, n)`` to the end. Raises `CorruptAudio`."""
        self._check_index()
        n_decoded = 0
        for block in self._trimmed(self._gathered()):
            n_decoded += block.shape[1]
            yield block
        promised = self.format.n_samples
        if promised is not None and self._is_exact and n_decoded < promised:
            raise self._cut_short(n_decoded)
        if self._n_bad:
            self.warnings.append(
                f"{self._name}: {self._n_bad} damaged packets were skipped while decoding."
            )

    def check_end(self) -> None:
        """Check the last samples, or an MP4's index, against the length. Raises `CorruptAudio`."""
        self._check_index()
        promised = self.format.n_samples
        if promised and self._is_exact and self._last_sample(promised) < promised:
            raise CorruptAudio(
                f"{self._name} is damaged or cut short: its end cannot be decoded.",
                hint=RESEND_HINT,
            )

    def close(self) -> None:
        """Release the file."""
        self._container.close()
        self._file.close()

    @property
    def _is_exact(self) -> bool:
        return self._container.format.name in _EXACT_CONTAINERS

    @property
    def _has_edit_list(self) -> bool:
        return "mov" in self._container.format.name.split(",")

    def _decode(self) -> Iterator[Any]:
        """Yield FFmpeg's frames; damaged packets of lossy codecs are skipped and counted."""
        n_decoded = 0
        packets = self._container.demux(self._track)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                self._note_end(packet)
                for frame in packet.decode():
                    n_decoded += frame.samples
                    yield frame
            except _BROKEN as error:
                self._n_bad += 1
                if self._is_lossless_codec or self._n_bad > _MAX_BAD_PACKETS:
                    rate = self._track.codec_context.sample_rate
                    if not n_decoded or not rate:
                        return
                    raise self._cut_short(n_decoded) from error

    def _gathered(self) -> Iterator[Samples]:
        """Join frames to larger blocks."""
        pending: list[Samples] = []
        n_pending = 0
        n_done = 0
        frame = self._first
        while frame is not None:
            self._check_frame(frame, n_done + n_pending)
            pending.append(frame_to_float32(frame))
            if self._is_lossless_codec and not self._is_rounded:
                self._note_rounding(frame, pending[-1])
            n_pending += frame.samples
            if n_pending >= _BLOCK:
                yield np.concatenate(pending, axis=1)
                n_done += n_pending
                pending, n_pending = [], 0
            frame = next(self._frames, None)
        if pending:
            yield np.concatenate(pending, axis=1)

    def _note_rounding(self, frame: Any, samples: Samples) -> None:
        if is_rounded(frame, samples):
            self._is_rounded = True
            what = "64-bit floats" if self.format.is_float else "32-bit integers"
            self.warnings.append(rounded(self._name, what))

    def _trimmed(self, blocks: Iterator[Samples]) -> Iterator[Samples]:
        """Remove samples after the end that an MP4 edit list declares.

        The last AAC packet is padded to 1024 samples; FFmpeg leaves the cut to its caller. If much
        more follows, the length is not that of an edit list (fragmented files) and all is kept.
        Edit lists count in the file's time scale, mostly milliseconds; an end in the last packet
        within that distance is exact to the sample.
        """
        length = self.format.n_samples
        if not self._has_edit_list or length is None:
            yield from blocks
            return
        tolerance = math.ceil(_EDIT_LIST_TICK_S * self.format.sample_rate)
        certain = max(length - tolerance, 0)
        held: list[Samples] = []
        n_seen = 0
        for block in blocks:
            keep = min(max(certain - n_seen, 0), block.shape[1])
            n_seen += block.shape[1]
            if keep:
                yield block[:, :keep]
            if keep < block.shape[1]:
                held.append(block[:, keep:])
            if held and n_seen - length > _MAX_PRIMING:
                yield from held
                yield from blocks
                return
        named = length if self._end_s is None else round(self._end_s * self.format.sample_rate)
        end = named if abs(named - length) <= tolerance else length
        if held:
            yield np.concatenate(held, axis=1)[:, : end - certain]

    def _note_end(self, packet: Any) -> None:
        """Record the end of a last packet that is shorter than those before it."""
        if not packet.duration or packet.pts is None:
            return
        is_part = packet.duration < self._packet_duration
        self._packet_duration = max(packet.duration, self._packet_duration)
        self._end_s = (packet.pts + packet.duration) * packet.time_base if is_part else None

    def _last_sample(self, promised: int) -> int:
        """Return the end of decoding, started shortly before the declared end."""
        rate, end = self.format.sample_rate, 0
        start = max(0, promised - _BLOCK)
        try:
            offset = round(start / rate / self._track.time_base)
            self._container.seek(offset, stream=self._track)
            for frame in self._container.decode(self._track):
                if frame.time is not None:
                    end = round(frame.time * rate) + frame.samples
        except _BROKEN:
            return end
        return end

    def _check_frame(self, frame: Any, position: int) -> None:
        rate, n_channels = frame.sample_rate, frame.layout.nb_channels
        if (rate, n_channels) != (self.format.sample_rate, self.format.n_channels):
            raise CorruptAudio(
                f"{self._name} changes at {position / self.format.sample_rate:.2f} s from "
                f"{self.format.n_channels} channels at {self.format.sample_rate} Hz to "
                f"{n_channels} channels at {rate} Hz.",
                hint="Export it in one format.",
            )

    def _check_index(self) -> None:
        """Compare an MP4's list of packets with the size of the file."""
        if not self._has_edit_list:
            return
        entries = self._track.index_entries
        size = self._path.stat().st_size
        if not len(entries) or entries[-1].pos + entries[-1].size <= size:
            return
        missing = next(entry for entry in entries if entry.pos + entry.size > size)
        seconds = float(missing.timestamp * self._track.time_base)
        raise self._cut_short(max(0, int(seconds * self.format.sample_rate)))

    def _cut_short(self, n_decoded: int) -> CorruptAudio:
        rate = self._track.codec_context.sample_rate
        message = cut_short(self._name, n_decoded, rate, self._promised(rate))
        return CorruptAudio(message, hint=RESEND_HINT)

    def _promised(self, sample_rate: int) -> int | None:
        """Return the length in samples if the container counts them."""
        if not self._track.duration or not (self._is_exact or self._has_edit_list):
            return None
        length: int = round(self._track.duration * self._track.time_base * sample_rate)
        return length

    def _duration_s(self, sample_rate: int) -> float | None:
        n_samples = self._promised(sample_rate)
        if n_samples is not None:
            return n_samples / sample_rate
        if self._container.format.name in _GUESSED_DURATION:
            return None
        if self._track.duration:
            return float(self._track.duration * self._track.time_base)
        if self._container.duration:
            return float(self._container.duration / av.time_base)
        return None

    @property
    def _is_lossless_codec(self) -> bool:
        name = self._track.codec_context.name
        return name in _LOSSLESS_CODECS or (name.startswith("pcm_") and name not in _LOSSY_PCM)

    def _describe(self) -> SourceFormat:
        codec = self._track.codec_context
        first = self._first
        sample_rate = int(first.sample_rate if first is not None else codec.sample_rate)
        n_channels = int(first.layout.nb_channels if first is not None else codec.channels)
        if sample_rate < 1 or n_channels < 1:
            raise NotAudio(f"{self._name} holds no readable audio track.")
        if codec.format.name.rstrip("p") not in SAMPLE_FORMATS:
            raise NotAudio(f"{self._name} holds {codec.name} samples, which cannot be read.")
        empty = first is None
        return SourceFormat(
            container=self._container.format.name.split(",")[0],
            codec=codec.name,
            sample_rate=sample_rate,
            n_channels=n_channels,
            n_samples=0 if empty else self._promised(sample_rate),
            duration_s=0.0 if empty else self._duration_s(sample_rate),
            bit_depth=self._bit_depth() if self._is_lossless_codec else None,
            is_float=self._is_lossless_codec and codec.format.name.startswith(("flt", "dbl")),
            is_lossy=not self._is_lossless_codec,
            decoder="pyav",
        )

    def _bit_depth(self) -> int:
        codec = self._track.codec_context
        if codec.name.startswith("pcm_"):
            return int("".join(c for c in codec.name if c.isdigit()) or 16)
        extradata = codec.extradata or b""
        if codec.name == "alac" and len(extradata) > 17:
            return extradata[17]  # ALACSpecificConfig.bitDepth, after the 12-byte atom header
        if codec.name == "flac" and len(extradata) >= 18:
            # STREAMINFO: 5 bits of depth - 1, the first of which ends byte 12.
            return ((extradata[12] & 1) << 4 | extradata[13] >> 4) + 1
        return {"u8": 8, "s16": 16}.get(codec.format.name.rstrip("p"), 24)

    def _read_layout(self) -> tuple[str, ...] | None:
        if self._first is None:
            return None
        names = tuple(channel.name for channel in self._first.layout.channels)
        return None if "NONE" in names else names


class SoundFile(io.BufferedReader):
    """A file without the ID3v2 tags before its sound."""

    def __init__(self, path: Path) -> None:
        self._start = find_start(path)
        super().__init__(io.FileIO(path, "rb"))
        self.seek(0)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Change the position; 0 is the first byte after the tags."""
        return super().seek(offset + (0 if whence else self._start), whence) - self._start

    def tell(self) -> int:
        """Return the position after the tags."""
        return super().tell() - self._start


def open_container(file: Any, name: str) -> Any:
    """Open an audio container by its content alone. Raises `NotAudio`."""
    try:
        # Tags in an unknown encoding must not prevent opening a recording.
        return av.open(file, mode="r", container_options=dict(_OPTIONS), metadata_errors="replace")
    except _BROKEN as error:
        raise NotAudio(f"{name} is not an audio file that can be read.") from error
