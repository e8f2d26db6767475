"""The wheel: a rotated table would send every mix into the wrong key."""

import pytest

from core.analysis.harmony.camelot import (
    KEYS,
    camelot_to_key,
    key_of,
    key_to_camelot,
    key_to_open_key,
    key_to_short,
    parse_key,
    relation,
)


@pytest.mark.parametrize(
    ("key", "short", "camelot", "open_key"),
    [
        ("A minor", "Am", "8A", "1m"),
        ("F# minor", "F#m", "11A", "4m"),
        ("C minor", "Cm", "5A", "10m"),
        ("C major", "C", "8B", "1d"),
        ("Ab minor", "Abm", "1A", "6m"),
        ("B major", "B", "1B", "6d"),
        ("Db minor", "Dbm", "12A", "5m"),
        ("F major", "F", "7B", "12d"),
        ("Bb major", "Bb", "6B", "11d"),
    ],
)
def test_the_anchors_that_rotated_tables_get_wrong(
    key: str, short: str, camelot: str, open_key: str
) -> None:
    assert key_to_camelot(key) == camelot
    assert camelot_to_key(camelot) == key
    assert key_to_open_key(key) == open_key
    assert key_to_short(key) == short


def test_all_24_keys_survive_every_notation_and_back() -> None:
    assert len(set(KEYS)) == 24
    for key in KEYS:
        for written in (key, key_to_short(key), key_to_camelot(key), key_to_open_key(key)):
            assert parse_key(written) == key
    assert {key_of(pitch, mode) for pitch in range(12) for mode in ("major", "minor")} == set(KEYS)


def test_one_step_up_the_wheel_is_a_fifth_for_every_key() -> None:
    for pitch in range(12):
        for mode in ("major", "minor"):
            lower, upper = (key_to_camelot(key_of(p, mode)) for p in (pitch, pitch + 7))
            assert (int(upper[:-1]) - int(lower[:-1])) % 12 == 1
        relative_minor = key_to_camelot(key_of(pitch - 3, "minor"))
        assert relation(key_to_camelot(key_of(pitch, "major")), relative_minor) == "relative"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Am", "A minor"),
        (" a minor ", "A minor"),
        ("08a", "A minor"),
        ("1m", "A minor"),
        ("12d", "F major"),
        ("F#m", "F# minor"),
        ("Gbm", "F# minor"),
        ("G♭m", "F# minor"),
        ("F sharp minor", "F# minor"),
        ("C#", "Db major"),
        ("Cb", "B major"),
        ("B#m", "C minor"),
        ("Bb", "Bb major"),
        ("bb", "Bb major"),
        ("Bbmin", "Bb minor"),
        ("B-flat", None),
        ("CM", "C major"),
        ("Cmaj", "C major"),
        ("13A", None),
        ("0A", None),
        ("H", None),
        ("", None),
        ("off", None),
        ("Amajor7", None),
    ],
)
def test_keys_are_read_as_tags_write_them(text: str, key: str | None) -> None:
    assert parse_key(text) == key


@pytest.mark.parametrize(
    ("first", "second", "name"),
    [
        ("8A", "8A", "same"),
        ("8A", "9A", "adjacent"),
        ("8A", "7A", "adjacent"),
        ("12A", "1A", "adjacent"),
        ("1B", "12B", "adjacent"),
        ("8A", "8B", "relative"),
        ("8A", "10A", "energy boost +2"),
        ("8A", "3A", "energy boost +7"),
        ("10A", "8A", "clash"),
        ("8A", "7B", "diagonal"),
        ("12A", "1B", "diagonal"),
        ("8A", "2B", "clash"),
    ],
)
def test_relations_wrap_round_the_wheel(first: str, second: str, name: str) -> None:
    assert relation(first, second) == name


@pytest.mark.parametrize("bad", ["0A", "13B", "8C", "Am", ""])
def test_what_is_no_code_is_an_error_not_a_clash(bad: str) -> None:
    with pytest.raises(ValueError):
        relation("8A", bad)
