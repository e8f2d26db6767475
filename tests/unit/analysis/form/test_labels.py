"""Labels of described sections: songs, dance tracks, and what lies between."""

import pytest

from core.analysis.form.labels import Described, name_sections


def sections(plan: str, *, is_sung: bool | None = None) -> list[Described]:
    """Describe sections of 8 bars, each a letter for its sound and a mark for what plays.

    ``!`` loudest, ``+`` with bass and drums but softer, ``-`` without, ``/`` without and rising;
    upper case is sung if singing is known.
    """
    found = []
    for index, (letter, mark) in enumerate(zip(plan[::2], plan[1::2], strict=True)):
        level_db = {"!": 0.0, "+": -4.5}.get(mark, -9.0)
        found.append(
            Described(
                first=8 * index,
                last=8 * index + 8,
                letter=letter.lower(),
                is_full=mark == "!",
                has_groove=mark in "!+",
                rises=mark == "/",
                level_db=level_db,
                low_db=2 * level_db,
                sung=None if is_sung is None else float(letter.isupper()),
            )
        )
    return found


def names(plan: str, *, is_sung: bool | None = None) -> str:
    return " ".join(name_sections(sections(plan, is_sung=is_sung)))


def test_verses_and_choruses_of_a_song_are_told_apart_by_level_and_repetition() -> None:
    """Verses before the first chorus were intros, choruses drops, everything else body."""
    song = "a-b+c!b+c!d-c!a-"
    expected = "intro verse chorus verse chorus break chorus outro"
    assert names(song) == expected


def test_what_is_sung_once_and_late_is_a_bridge() -> None:
    """A break in which somebody sings is no break."""
    song = "a-B+C!B+C!D-C!a-"
    expected = "intro verse chorus verse chorus bridge chorus outro"
    assert names(song, is_sung=True) == expected


def test_a_sung_verse_opens_a_song_without_an_intro() -> None:
    """Whatever came first was an intro."""
    assert names("B+C!B+C!", is_sung=True) == "verse chorus verse chorus"


def test_a_dance_track_drops_after_what_has_no_drums() -> None:
    """A groove that grows louder does not drop."""
    assert names("a-b/c!d-b/c!a-") == "intro build drop break build drop outro"
    assert names("a-b+c!b+c!a-") == "intro verse chorus verse chorus outro"


def test_a_drop_that_goes_on_is_still_a_drop() -> None:
    """Its second half, after a fill, was body."""
    assert names("a-b/c!c!d-e/c!c!") == "intro build drop drop break build drop drop"


@pytest.mark.parametrize("plan", ["a-", "a+a+", "a!", "a!a!b!"])
def test_a_track_of_one_kind_is_body(plan: str) -> None:
    """Labels need contrast."""
    assert set(names(plan).split()) == {"body"}
