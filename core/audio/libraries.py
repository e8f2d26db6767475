"""The native libraries that audio passes through: their versions, and whether they can what we ask.

FFmpeg comes with PyAV's wheels, libsndfile with soundfile's; the system's own are not used.
"""

import av  # noqa: TID251
import soundfile  # noqa: TID251

# What people upload, and what `core.audio.writing` writes by FFmpeg.
NEEDED_DECODERS = ("aac", "alac", "flac", "mp3", "opus", "vorbis", "wmav2")
NEEDED_ENCODERS = ("aac", "alac", "libopus")


def library_versions() -> dict[str, str]:
    """Give the version of each library by its name, ``libavcodec`` and so on."""
    versions = {name: ".".join(map(str, version)) for name, version in av.library_versions.items()}
    return {**versions, "libsndfile": soundfile.__libsndfile_version__}


def missing_codecs() -> list[str]:
    """Name what this FFmpeg lacks of what is needed: ``decoder aac``, ``encoder libopus``."""
    wanted = [
        *(("decoder", name, "r") for name in NEEDED_DECODERS),
        *(("encoder", name, "w") for name in NEEDED_ENCODERS),
    ]
    return [f"{kind} {name}" for kind, name, mode in wanted if not _has(name, mode)]


def _has(name: str, mode: str) -> bool:
    try:
        av.Codec(name, mode)
    except ValueError:
        return False
    return True
