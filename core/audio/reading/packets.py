"""Hash of the encoded audio, independent of tags.

The packets of the audio track are hashed without decoding. Rewriting tags or the cover changes the
file's own hash, but not this one.
"""

import hashlib
from pathlib import Path

import av  # noqa: TID251

from core.audio.reading.decode_pyav import SoundFile, open_container
from core.errors import NotAudio

_UNREADABLE = (av.error.FFmpegError, OSError, ValueError, OverflowError)


def hash_packets(path: Path) -> str | None:
    """Return the SHA-256 (hex) of the packets of a file's first audio track.

    Returns
    -------
    None if FFmpeg cannot read the file to its end or finds no packet: such a file is compared by
    its bytes and its sound alone.
    """
    digest = hashlib.sha256()
    n_bytes = 0
    try:
        with SoundFile(path) as file, open_container(file, path.name) as container:
            if not container.streams.audio:
                return None
            for packet in container.demux(container.streams.audio[0]):
                digest.update(bytes(packet))
                n_bytes += packet.size
    except (NotAudio, *_UNREADABLE):
        return None
    return digest.hexdigest() if n_bytes else None
