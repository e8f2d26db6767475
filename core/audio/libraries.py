"""Native audio libraries: their versions, and the codecs that they support.

FFmpeg comes with PyAV's wheels, libsndfile with soundfile's; the system's own are not used.
"""

import av  # noqa: TID251
import soundfile  # noqa: TID251

# Codecs of uploads, and those that `core.audio.writing` encodes with FFmpeg.
NEEDED_DECODERS = ("aac", "alac", "flac", "mp3", "opus", "vorbis", "wmav2")
NEEDED_ENCODERS = ("aac", "alac", "libopus")


def library_versions() -> dict[str, str]:
    """Return the version of each library by its name, such as ``libavcodec``."""
    versions = {name: ".".join(map(str, version)) for name, version in av.library_versions.items()}
    return {**versions, "libsndfile": soundfile.__libsndfile_version__}


def missing_codecs() -> list[str]:
    """List the required codecs that this FFmpeg lacks: ``decoder aac``, ``encoder libopus``."""
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
