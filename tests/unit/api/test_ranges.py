"""Ranges of bodies that are made while they are sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException

from api.ranges import cut, requested_range

TAG = '"a"'


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (None, None),
        ("bytes=0-9", range(10)),
        ("Bytes=5-", range(5, 100)),
        ("bytes=-30", range(70, 100)),
        ("bytes=-300", range(100)),
        ("bytes=90-200", range(90, 100)),
        ("bytes=-", None),
        ("bytes=9-3", None),
        ("bytes=0-1,5-6", None),
        ("bytes=abc", None),
        ("bytes=0-" + "9" * 5000, None),
        ("seconds=0-9", None),
    ],
)
def test_what_is_no_single_range_of_bytes_is_the_whole(
    header: str | None, part: range | None
) -> None:
    """A server may ignore ranges, and must ignore what it cannot read (RFC 9110, 14.2)."""
    assert requested_range(header, None, etag=TAG, n_bytes=100) == part


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=200-300", "bytes=-0"])
def test_a_range_outside_of_the_body_is_refused_with_its_length(header: str) -> None:
    with pytest.raises(HTTPException) as refused:
        requested_range(header, None, etag=TAG, n_bytes=100)
    assert refused.value.status_code == 416
    assert refused.value.headers == {"Content-Range": "bytes */100"}


@pytest.mark.parametrize("if_range", ['"b"', 'W/"a"', "Sat, 28 Nov 2026 10:00:00 GMT"])
def test_a_body_that_has_changed_is_sent_whole(if_range: str) -> None:
    """A part of another file, appended to the first, is no file at all."""
    assert requested_range("bytes=5-", if_range, etag=TAG, n_bytes=100) is None
    assert requested_range("bytes=5-", TAG, etag=TAG, n_bytes=100) == range(5, 100)


@given(st.lists(st.binary(max_size=5), min_size=1).filter(any), st.data())
def test_a_part_is_cut_from_chunks_of_any_length(chunks: list[bytes], data: st.DataObject) -> None:
    """The last byte of one chunk, or the first of the next, is easily lost."""
    whole = b"".join(chunks)
    start = data.draw(st.integers(0, len(whole) - 1))
    stop = data.draw(st.integers(start + 1, len(whole)))
    assert b"".join(cut(chunks, range(start, stop))) == whole[start:stop]
