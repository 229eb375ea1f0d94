"""Names and numbers of segments, and how a finished file becomes visible."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lotus.errors import TapeError
from lotus_store.tape.place import next_place, publish, segment_name, segment_number
from lotus_store.tape.segment import SegmentMeta, index_path, read_index

NOON_NS = (20_000 * 86_400 + 43_200) * 10**9


def meta(number: int, first_seq: int, lines: int) -> SegmentMeta:
    name = segment_name(NOON_NS, number).removesuffix(".open")
    return SegmentMeta("t", "2024-10-04", name, number, first_seq, lines, 1, 1, 1, 1, "", "", 0, 0)


@settings(deadline=None)
@given(st.integers(0, 4 * 10**18), st.integers(0, 10**6))
def test_a_name_gives_its_number_back(recv_ns: int, number: int) -> None:
    assert segment_number(segment_name(recv_ns, number)) == number


def test_a_name_says_the_time_of_day() -> None:
    assert segment_name(NOON_NS + 999_999_999, 7) == "120000-0007.zst.open"


@pytest.mark.parametrize("name", ["notes.txt", "120000.zst", "120000-x.zst", "-1.zst", ""])
def test_another_file_is_refused_by_name(name: str) -> None:
    with pytest.raises(TapeError, match=r"in a tape folder; expected: <HHMMSS>-<number>.zst; likely cause"):
        segment_number(name)


def test_a_published_segment_is_whole_when_the_catalogue_hears_of_it(tmp_path: Path) -> None:
    told: list[SegmentMeta] = []

    def hear(closed: SegmentMeta) -> None:
        assert (tmp_path / closed.name).read_bytes() == b"lines"
        assert read_index(tmp_path / closed.name) == closed
        told.append(closed)

    open_path = tmp_path / segment_name(NOON_NS, 0)
    open_path.write_bytes(b"lines")
    publish(open_path, meta(0, 0, 10), hear)
    assert told == [meta(0, 0, 10)]
    assert not open_path.exists()


def test_the_next_segment_follows_all_that_are_closed(tmp_path: Path) -> None:
    assert next_place(tmp_path) == (0, 0)
    for closed in (meta(0, 0, 10), meta(3, 10, 5)):
        open_path = tmp_path / f"{closed.name}.open"
        open_path.write_bytes(b"lines")
        publish(open_path, closed, lambda _: None)
    assert next_place(tmp_path) == (4, 15)


def test_an_index_without_its_segment_counts_for_nothing(tmp_path: Path) -> None:
    open_path = tmp_path / segment_name(NOON_NS, 5)
    open_path.write_bytes(b"lines")
    publish(open_path, meta(5, 0, 10), lambda _: None)
    (tmp_path / meta(5, 0, 10).name).unlink()
    assert index_path(tmp_path / meta(5, 0, 10).name).exists()
    assert next_place(tmp_path) == (0, 0)
