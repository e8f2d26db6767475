"""File names out of tags."""

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidOption
from core.export.names import (
    TEMPLATE_FIELDS,
    check_template,
    render_template,
    safe_name,
    unique_name,
)

NASTY = st.text(
    alphabet=st.one_of(
        st.sampled_from('./\\:#?*"<>|%24f -_ \0\n\u202e\u0301\u200dCONnul'), st.characters()
    )
)


def assert_is_safe(name: str) -> None:
    assert name
    assert not set(name) & set('/\\#?:*"<>|')
    assert name not in (".", "..")
    assert name[0] not in "#-. "
    assert name[-1] not in " ."
    assert len(name) <= 120
    assert len(name.encode()) <= 200
    assert unicodedata.is_normalized("NFC", name)
    assert all(unicodedata.category(c) not in ("Cc", "Cs", "Co") for c in name)


@given(NASTY)
def test_no_tag_can_leave_the_folder_or_break_a_player(text: str) -> None:
    name = safe_name(text)
    assert_is_safe(name)
    assert safe_name(name) == name


@given(st.dictionaries(st.sampled_from(TEMPLATE_FIELDS), st.one_of(st.none(), NASTY)))
def test_no_combination_of_tags_makes_an_unsafe_rendered_name(fields: Any) -> None:
    assert_is_safe(render_template("{track_number}. {artist} - {title} [{stem}] ({bpm})", fields))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("AC/DC", "AC-DC"),
        ("Act I: Dawn", "Act I - Dawn"),
        ("../../etc/passwd", "etc-passwd"),
        ("#1 Hit?", "1 Hit"),
        ("50%20off", "5020off"),
        ("%%4141", "4141"),
        ("100%", "100%"),
        ("U\u0308ber", "Über"),
        ("日本語 😀", "日本語 😀"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("lpt1", "_lpt1"),
        ("console", "console"),
        ("etc...", "etc"),
        ("...", "untitled"),
        ("", "untitled"),
        ("a\nb\tc", "a b c"),
        ("evil\u202egpj", "evilgpj"),
        ("\ud800x", "x"),
    ],
)
def test_known_names(text: str, name: str) -> None:
    assert safe_name(text) == name


def test_long_names_are_cut_between_characters_not_inside_one() -> None:
    assert safe_name("x" * 500) == "x" * 120
    assert safe_name("日" * 500) == "日" * 66


TEMPLATE = "{artist} - {title} [{stem}]"


@pytest.mark.parametrize(
    ("template", "fields", "name"),
    [
        (TEMPLATE, {"artist": "A", "title": "T", "stem": "vocals"}, "A - T [vocals]"),
        (TEMPLATE, {"title": "T", "stem": "vocals"}, "T [vocals]"),
        (TEMPLATE, {"artist": "A", "stem": "vocals"}, "A [vocals]"),
        (TEMPLATE, {"artist": "A", "title": "T"}, "A - T"),
        (TEMPLATE, {"artist": " ", "title": "T", "stem": "x"}, "T [x]"),
        (TEMPLATE, {}, "untitled"),
        ("{artist} - {bpm} - {title}", {"artist": "A", "title": "T"}, "A - T"),
        ("{track_number}. {title}", {"title": "T"}, "T"),
        ("{track_number}. {title}", {"title": "T", "track_number": "03"}, "03. T"),
        ("{title} ({camelot} {bpm}BPM)", {"title": "T", "camelot": "8A"}, "T (8A)"),
        ("{title} ({camelot} {bpm}BPM)", {"title": "T", "bpm": "124"}, "T (124BPM)"),
        ("{title} [{bpm} BPM]", {"title": "T"}, "T"),
        ("{title}_{stem}_{key}", {"title": "A - B", "key": "Am"}, "A - B_Am"),
        (TEMPLATE, {"artist": "a/b", "title": "{stem}", "stem": "x"}, "a-b - {stem} [x]"),
    ],
)
def test_missing_fields_take_their_separator_along(
    template: Any, fields: dict[str, Any], name: str
) -> None:
    assert render_template(template, fields) == name


def test_a_long_title_does_not_push_the_stem_out_of_the_name() -> None:
    name = render_template(TEMPLATE, {"artist": "A", "title": "日" * 300, "stem": "vocals"})
    assert name.endswith("日 [vocals]")
    assert len(name.encode()) <= 200


@pytest.mark.parametrize(
    "template", ["{nope}", "{title", "title}", "{}", "{0}", "{title!r}", "{title:>9}", "", "song"]
)
def test_bad_templates_are_refused_before_the_job_runs(template: str) -> None:
    with pytest.raises(InvalidOption) as caught:
        check_template(template)
    assert caught.value.field == "name_template"


@pytest.mark.parametrize("template", ["../{title}", "{title}\\{stem}"])
def test_a_template_cannot_hold_a_path(template: str) -> None:
    with pytest.raises(InvalidOption, match="path separator"):
        check_template(template)


def test_names_that_differ_only_in_case_would_overwrite_each_other_on_a_stick() -> None:
    assert unique_name("Song", set()) == "Song"
    assert unique_name("Song", {"song"}) == "Song (2)"
    assert unique_name("Song", {"song", "song (2)"}) == "Song (3)"
    assert unique_name("U\u0308ber", {"über"}) == "U\u0308ber (2)"
