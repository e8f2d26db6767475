"""Which tracks are there more than once, at three levels of likeness."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from core.library.catalogue.summary import TrackSummary
from core.library.identity.matching import find_matches, group
from core.library.library import Library

Level = Literal["bytes", "packets", "recording", "review"]


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Tracks, or files of one track, that are the same.

    Parameters
    ----------
    level : ``bytes``: one track in several files; ``packets``: the same encoded audio with other
        tags; ``recording``: the same recording in other encodings; ``review``: alike enough for a
        person to judge.
    tracks : one for ``bytes``, else two or more.
    bit_error_rate : the largest between fingerprints that joined the group; None for the levels
        that need none.
    """

    level: Level
    tracks: tuple[TrackSummary, ...]
    bit_error_rate: float | None = None


def find_duplicates(library: Library) -> list[DuplicateGroup]:
    """Find everything that the library holds more than once, the surest first.

    A pair is told once, at its surest level. Copies at another speed or pitch, and recordings
    shorter than 20 s in another encoding, are not found.
    """
    repository = library.repository()
    several = [
        track_id
        for track_id, files in groupby(repository.files(), key=lambda file: file[0])
        if len(list(files)) > 1
    ]
    same_packets = [
        tuple(track_id for _, track_id in members)
        for _, members in groupby(repository.packet_hashes(), key=lambda row: row[0])
    ]
    matches = find_matches(repository.fingerprints())
    told = {pair for members in same_packets for pair in _pairs(members)}
    same = [match for match in matches if match.verdict == "same"]
    recordings = [
        members for members in group(same) if not all(pair in told for pair in _pairs(members))
    ]
    told |= {pair for members in recordings for pair in _pairs(members)}
    worst = {
        members: max(m.bit_error_rate for m in same if m.first in members) for members in recordings
    }
    return [
        *(DuplicateGroup("bytes", (track,)) for track in library.summaries(several)),
        *(DuplicateGroup("packets", library.summaries(members)) for members in same_packets),
        *(
            DuplicateGroup("recording", library.summaries(members), worst[members])
            for members in recordings
        ),
        *(
            DuplicateGroup("review", library.summaries(pair), match.bit_error_rate)
            for match in matches
            if match.verdict == "review"
            and (pair := tuple(sorted((match.first, match.second)))) not in told
        ),
    ]


def _pairs(members: Iterable[str]) -> set[tuple[str, ...]]:
    ordered = sorted(members)
    return {(a, b) for place, a in enumerate(ordered) for b in ordered[place + 1 :]}
