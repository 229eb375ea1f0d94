"""The recorder's segments: rotation, numbering, two writers, and the rule for a full disk."""

import resource
from typing import BinaryIO

import pytest

from lotus.errors import TapeError
from lotus.manifest import Asset
from lotus.timebase import day_start_ms
from lotus_store.tape.header import HeaderAsset, TapeHeader, split_universe
from lotus_store.tape.segment import SegmentMeta
from lotus_store.tape.store import TapeStore, raw_tape_columns
from lotus_store.tape.writer import SegmentWriter, WriterRules

RULES = WriterRules(reserve_bytes=0)
DAY_NS = day_start_ms("2025-09-04") * 1_000_000
SECOND = 10**9


def _frame(number: int) -> bytes:
    return b'{"channel":"bbo","data":{"n":%d,"noise":"%x"}}' % (number, number * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFF)


def _fill(writer: SegmentWriter, count: int, start_ns: int, step_ns: int) -> bytes:
    lines = [(start_ns + k * step_ns, _frame(k)) for k in range(count)]
    for recv_ns, frame in lines:
        writer.append(recv_ns, frame)
    return b"".join(b"%d %b\n" % pair for pair in lines)


def _day(store: TapeStore, day: str) -> bytes:
    return b"".join(piece.lines for piece in store.read_day_lines(day))


def test_lines_come_back_whole_and_numbered(store: TapeStore) -> None:
    heard: list[SegmentMeta] = []
    rules = WriterRules(segment_ms=60_000, segment_bytes=20_000, reserve_bytes=0)
    with store.writer(rules, heard.append) as writer:
        written = _fill(writer, 2000, DAY_NS + 5 * SECOND, SECOND // 2)
    pieces = list(store.read_day_lines("2025-09-04"))
    assert b"".join(piece.lines for piece in pieces) == written
    metas = store.segments("2025-09-04")
    assert metas == heard
    assert [meta.number for meta in metas] == list(range(len(metas)))
    assert len(metas) > 15
    assert [piece.first_seq for piece in pieces] == [meta.first_seq for meta in metas]
    assert sum(meta.lines for meta in metas) == 2000
    assert all(meta.raw_bytes < 20_200 and meta.last_recv_ns - meta.first_recv_ns < 60 * SECOND for meta in metas)
    assert raw_tape_columns(metas)["lines"].sum() == 2000
    assert not list(store.folder.rglob("*.open"))


def test_the_utc_day_turns_the_segment_and_restarts_the_numbers(store: TapeStore) -> None:
    with store.writer(RULES) as writer:
        before = writer.append(DAY_NS - 1, b"{}")
        first = writer.append(DAY_NS, b"{}")
        back = writer.append(DAY_NS - 1, b"{}")
    assert (before, first, back) == (0, 0, 1)
    assert store.days() == ["2025-09-03", "2025-09-04"]


def test_a_new_writer_goes_on_counting(store: TapeStore) -> None:
    with store.writer(RULES) as writer:
        _fill(writer, 10, DAY_NS, SECOND)
    with store.writer(RULES) as writer:
        assert writer.append(DAY_NS + 11 * SECOND, b"{}") == 10
    assert [meta.first_seq for meta in store.segments("2025-09-04")] == [0, 10]


def test_silences_are_counted(store: TapeStore) -> None:
    with store.writer(RULES) as writer:
        for second in (0, 5, 20, 31, 40):
            writer.append(DAY_NS + second * SECOND, b"{}")
    (meta,) = store.segments("2025-09-04")
    assert (meta.silences, meta.max_silence_ms) == (2, 15_000)


def test_a_quiet_stream_is_closed_by_rotate(store: TapeStore) -> None:
    with store.writer(WriterRules(segment_ms=60_000, reserve_bytes=0)) as writer:
        writer.append(DAY_NS, b"{}")
        writer.rotate(DAY_NS + 59 * SECOND)
        assert store.days() == []
        writer.rotate(DAY_NS + 60 * SECOND)
        assert store.days() == ["2025-09-04"]


def test_two_writers_are_refused(store: TapeStore) -> None:
    with store.writer(RULES), pytest.raises(TapeError, match="being written"):
        store.writer(RULES)
    store.writer(RULES).close()


@pytest.mark.parametrize("frame", [b"a\nb", b"\n"])
def test_a_newline_is_refused(store: TapeStore, frame: bytes) -> None:
    with store.writer(RULES) as writer, pytest.raises(TapeError, match="clean_frame"):
        writer.append(DAY_NS, frame)


def test_a_full_disk_stops_recording_and_keeps_what_is_stored(store: TapeStore) -> None:
    free = [10_000]
    rules = WriterRules(reserve_bytes=5_000, check_bytes=1_000)
    writer = store.writer(rules, free_bytes=lambda _: free[0])
    _fill(writer, 10, DAY_NS, SECOND)
    free[0] = 4_000
    with pytest.raises(TapeError, match=r"recording stopped.*everything before is stored"):
        _fill(writer, 1000, DAY_NS + 10 * SECOND, SECOND)
    writer.close()
    (meta,) = store.segments("2025-09-04")
    assert meta.lines > 10
    assert store.read_segment(meta).count(b"\n") == meta.lines
    with pytest.raises(TapeError, match="recording stopped"):
        store.writer(rules, free_bytes=lambda _: free[0])
    free[0] = 10_000
    with store.writer(rules, free_bytes=lambda _: free[0]) as again:
        assert again.append(DAY_NS + 5000 * SECOND, b"{}") == meta.lines


def test_header_keeps_the_universe(store: TapeStore) -> None:
    held = store.header()
    assert held.assets == (Asset("BTC", 5), Asset("ETH", 4))
    longer = TapeHeader("test", "x", (*held.universe, HeaderAsset("WLFI", 0, True)), (("08:00", "09:30"),))
    store.write_header(longer)
    assert store.header() == longer
    with pytest.raises(TapeError, match="holds the universe"):
        store.write_header(held)
    split = split_universe(longer, (Asset("ETH", 4), Asset("XRP", 0)))
    assert [asset.name for asset in split.ignored] == ["BTC", "WLFI"]
    with pytest.raises(TapeError, match="size decimals"):
        split_universe(longer, (Asset("ETH", 3),))


def test_a_disk_that_fills_under_the_buffer_is_told_in_words(store: TapeStore) -> None:
    def fill() -> None:
        for k in range(100):
            _fill(writer, 1, DAY_NS + k * SECOND, SECOND)
            writer.flush()

    writer = store.writer(RULES)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, before[1]))
    try:
        with pytest.raises(TapeError, match=r"cannot be written .*salvages"):
            fill()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    with pytest.raises(TapeError, match="recording stopped"):
        writer.flush()
    writer.close()
    with store.writer(RULES) as again:
        (found,) = again.recovered
        assert found.meta is not None
        rest = _fill(again, 1, DAY_NS + 900 * SECOND, SECOND)
    kept = _day(store, "2025-09-04").removesuffix(rest)
    assert kept == b"".join(b"%d %b\n" % (DAY_NS + k * SECOND, _frame(0)) for k in range(found.meta.lines))
    assert 0 < found.meta.lines < 100


class _Failing:
    """A file whose disk is full."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def write(self, stored: bytes) -> int:
        """Write half and fail, as a full disk does."""
        self.file.write(stored[: len(stored) // 2])
        raise OSError(28, "No space left on device")

    def close(self) -> None:
        """Close the file."""
        self.file.close()


def test_a_write_that_fails_is_loud_and_salvaged(store: TapeStore) -> None:
    writer = store.writer(RULES)
    written = _fill(writer, 200, DAY_NS, SECOND)
    writer.flush()
    _fill(writer, 100, DAY_NS + 300 * SECOND, SECOND)
    current = writer._open
    assert current is not None
    current.file = _Failing(current.file)  # type: ignore[assignment]
    with pytest.raises(TapeError, match=r"cannot be written .*No space left.*salvages"):
        writer.sync()
    with pytest.raises(TapeError, match="recording stopped"):  # the lines behind the fault would lie behind a hole
        _fill(writer, 1, DAY_NS + 700 * SECOND, SECOND)
    writer.close()
    with store.writer(RULES) as again:
        (found,) = again.recovered
    assert found.meta is not None
    assert _day(store, "2025-09-04").startswith(written)


def test_lines_that_come_in_masses_are_packed_beside_and_stay_whole(store: TapeStore) -> None:
    with store.writer(RULES) as writer:
        written = _fill(writer, 20_000, DAY_NS, SECOND // 100)
        current = writer._open
        assert current is not None
        assert current.packing is not None
        writer.sync_beside()
        writer.sync_beside()
        written += _fill(writer, 10, DAY_NS + 300 * SECOND, SECOND)
    assert _day(store, "2025-09-04") == written


def test_what_the_disk_does_to_a_thread_is_heard(store: TapeStore) -> None:
    writer = store.writer(RULES)
    _fill(writer, 200, DAY_NS, SECOND)
    current = writer._open
    assert current is not None
    writer.flush()
    current.file = _Failing(current.file)  # type: ignore[assignment]
    with pytest.raises(TapeError, match="No space left"):
        _fill(writer, 20_000, DAY_NS + 300 * SECOND, SECOND // 100)
    with pytest.raises(TapeError, match="recording stopped"):
        _fill(writer, 1, DAY_NS + 700 * SECOND, SECOND)
    writer.close()
