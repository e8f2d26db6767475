"""Choice of the decoder for a file, and the error if none opens it.

soundfile (libsndfile) is tried first, PyAV (FFmpeg) for the rest; each is the fallback of the
other, as some valid files open in only one. Only the content decides, never a file name. More than
two channels go to PyAV first, as it knows the channel names. A chained Ogg goes to libsndfile link
by link. None sees an ID3v2 tag before the sound.
"""

from collections.abc import Callable, Generator
from contextlib import ExitStack
from pathlib import Path

from core.audio.reading.decode_chain import ChainSource
from core.audio.reading.decode_pyav import PyavSource
from core.audio.reading.decode_soundfile import SoundfileSource
from core.audio.reading.headers import find_links, find_shortfall, lacks_end, recognise
from core.audio.reading.source import RESEND_HINT, AudioSource
from core.audio.reading.tag_bounds import MAX_BYTES, MAX_ENTRIES, find_bounds
from core.errors import CorruptAudio, EmptyFile, InvalidAudio, NotAudio, UnreadableAudio


def check_bytes(path: Path, name: str) -> None:
    """Reject before decoding: unreadable, empty, truncated and overloaded with tags."""
    try:
        with path.open("rb") as file:
            is_empty = not file.read(1)
    except OSError as error:  # moved, deleted, or without permission
        raise InvalidAudio(f"{name} cannot be read: {error.strerror}.") from error
    if is_empty:
        raise EmptyFile(f"{name} is empty: it has no bytes.", hint="Upload the file again.")
    if find_bounds(path).n_inside > MAX_ENTRIES:
        raise UnreadableAudio(
            f"{name} has more than {MAX_ENTRIES} tags: reading it would take too long.",
            hint="Remove its tags, or export it again.",
        )
    shortfall = find_shortfall(path)
    if shortfall is not None:
        raise CorruptAudio(
            f"{name} is cut short: it holds {shortfall.fraction:.0%} of the sound that its "
            "header promises.",
            hint=RESEND_HINT,
        )


def open_sources(
    path: Path, name: str, failures: list[InvalidAudio]
) -> Generator[AudioSource, None, None]:
    """Yield the decoders that open the file, the preferred one first; all are closed at the end."""
    notes = [f"{name} has no end mark: it may be cut short."] if lacks_end(path) else []
    if not find_bounds(path).is_readable:
        notes.append(
            f"{name}: its tags were not read, as they have more than {MAX_ENTRIES} entries or "
            f"{MAX_BYTES // 1_000_000} MB."
        )
    with ExitStack() as stack:
        postponed: AudioSource | None = None
        for decoder in _choose(path):
            try:
                source = decoder(path, name=name)
            except InvalidAudio as error:
                failures.append(error)
                continue
            stack.callback(source.close)
            source.warnings += notes
            is_usual = source.format.n_channels <= 2 and source.format.n_samples
            if decoder is SoundfileSource and not is_usual:
                postponed = source
            else:
                yield source
        if postponed is not None:
            yield postponed


def _choose(path: Path) -> list[Callable[..., AudioSource]]:
    return [ChainSource] if len(find_links(path)) > 1 else [SoundfileSource, PyavSource]


def verdict(failures: list[InvalidAudio], path: Path, name: str) -> InvalidAudio:
    """Choose the most specific error: damage, then unsupported content, then not audio.

    Of several errors about damage, take the last: FFmpeg locates it more exactly by packets.
    """
    for failure in reversed(failures):
        if not isinstance(failure, NotAudio):
            return failure
    container = recognise(path)
    reason = failures[-1]
    if container is not None and "holds no audio track" not in reason.message:
        return CorruptAudio(
            f"{name} starts like {container} and cannot be decoded: it is damaged or cut short.",
            hint=RESEND_HINT,
        )
    return NotAudio(reason.message, hint="Send WAV, AIFF, FLAC, MP3, Ogg, Opus, M4A or WMA.")
