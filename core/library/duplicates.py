"""Finds duplicates at several levels of certainty."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby
from typing import Literal

from core.library.catalogue.summary import TrackSummary
from core.library.identity.matching import Match, find_matches, group
from core.library.library import Library

Members = tuple[str, ...]
Level = Literal["bytes", "packets", "recording", "review"]


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Tracks, or files of one track, that are the same.

    Parameters
    ----------
    level : ``bytes``: one track in several files; ``packets``: the same encoded audio with other
        tags; ``recording``: the same recording in other encodings; ``review``: similar enough for a
        person to judge.
    tracks : one for ``bytes``, else two or more.
    bit_error_rate : the largest between fingerprints that joined the group; None for the levels
        that need none.
    """

    level: Level
    tracks: tuple[TrackSummary, ...]
    bit_error_rate: float | None = None


def find_duplicates(library: Library) -> list[DuplicateGroup]:
    """Find duplicates in the library, most certain first.

    A pair is listed once, at its most certain level. Copies at another speed or pitch, and
    recordings shorter than 20 s in another encoding, are not found.
    """
    packets = _find_packets(library)
    matches = find_matches(library.repository().fingerprints())
    recordings = _find_recordings(matches, _pairs(*packets))
    return [
        *(DuplicateGroup("bytes", (track,)) for track in _find_copies(library)),
        *(DuplicateGroup("packets", library.summaries(members)) for members in packets),
        *(
            DuplicateGroup("recording", library.summaries(members), worst)
            for members, worst in recordings.items()
        ),
        *(
            DuplicateGroup("review", library.summaries(pair), bit_error_rate)
            for pair, bit_error_rate in _find_doubtful(matches, _pairs(*packets, *recordings))
        ),
    ]


def _find_copies(library: Library) -> tuple[TrackSummary, ...]:
    """Find the tracks with several files."""
    n_files = Counter(track_id for track_id, _ in library.repository().files())
    return library.summaries([track_id for track_id, n in n_files.items() if n > 1])


def _find_packets(library: Library) -> list[Members]:
    """Find the tracks with the same encoded audio."""
    return [
        tuple(track_id for _, track_id in members)
        for _, members in groupby(library.repository().packet_hashes(), key=lambda row: row[0])
    ]


def _find_recordings(matches: Sequence[Match], known: set[Members]) -> dict[Members, float]:
    """Find the same recordings, with the largest bit error rate of each group."""
    same = [match for match in matches if match.verdict == "same"]
    return {
        members: max(match.bit_error_rate for match in same if match.first in members)
        for members in group(same)
        if not _pairs(members) <= known
    }


def _find_doubtful(
    matches: Sequence[Match], known: set[Members]
) -> Iterator[tuple[Members, float]]:
    """Find the pairs for a person to judge."""
    for match in matches:
        pair = tuple(sorted((match.first, match.second)))
        if match.verdict == "review" and pair not in known:
            yield pair, match.bit_error_rate


def _pairs(*groups: Members) -> set[Members]:
    return {pair for members in groups for pair in combinations(sorted(members), 2)}
