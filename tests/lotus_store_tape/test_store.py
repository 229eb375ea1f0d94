"""A tape on disk as a value: lines of a day with their numbers, and errors that say what is missing or altered."""

from pathlib import Path

import pytest

from lotus.errors import TapeError
from lotus.timebase import day_start_ms
from lotus_store.tape.segment import pack
from lotus_store.tape.store import TapeStore
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


def _segment(store: TapeStore) -> Path:
    with store.writer(RULES) as writer:
        _fill(writer, 300, DAY_NS, SECOND)
    (segment,) = (store.folder / "2025-09-04").glob("*.zst")
    return segment


def test_a_truncated_segment_is_a_clear_error(store: TapeStore) -> None:
    segment = _segment(store)
    segment.write_bytes(segment.read_bytes()[:-10])
    with pytest.raises(TapeError, match=r"truncated.*expected.*likely cause"):
        _day(store, "2025-09-04")


def test_an_altered_segment_is_a_clear_error(store: TapeStore) -> None:
    segment = _segment(store)
    segment.write_bytes(pack(b"1 {}\n").ljust(len(segment.read_bytes()), b"\0"))
    with pytest.raises(TapeError, match=r"sha256.*expected"):
        _day(store, "2025-09-04")


def test_missing_files_are_clear_errors(store: TapeStore) -> None:
    rules = WriterRules(segment_bytes=2000, reserve_bytes=0)
    with store.writer(rules) as writer:
        _fill(writer, 300, DAY_NS, SECOND)
    first, *_ = store.segments("2025-09-04")
    index = store.folder / "2025-09-04" / (first.name + ".json")
    index.unlink()
    with pytest.raises(TapeError, match="no index file"):
        store.segments("2025-09-04")
    (store.folder / first.path).unlink()
    with pytest.raises(TapeError, match="segment before it is missing"):
        store.segments("2025-09-04")
    with pytest.raises(TapeError, match="has no lines on 2020-01-01"):
        list(store.read_day_lines("2020-01-01"))


def test_warmup_lines_are_numbered_back_from_midnight(store: TapeStore) -> None:
    with store.writer(WriterRules(segment_ms=30 * 60_000, reserve_bytes=0)) as writer:
        _fill(writer, 400, DAY_NS - 3 * 3600 * SECOND, 27 * SECOND)
        _fill(writer, 5, DAY_NS, SECOND)
    pieces = list(store.read_day_lines("2025-09-04", warmup=True))
    numbers = [
        (int(text.split()[0]), piece.first_seq + k)
        for piece in pieces
        for k, text in enumerate(piece.lines.split(b"\n")[:-1])
    ]
    assert [seq for _, seq in numbers] == list(range(numbers[0][1], 5))
    assert numbers[0][0] >= DAY_NS - 2 * 3600 * SECOND > numbers[0][0] - 27 * SECOND
    assert [recv for recv, seq in numbers if seq == 0] == [DAY_NS]
    assert next(store.read_day_lines("2025-09-04")).first_seq == 0


@pytest.mark.parametrize("text", ["", "{}", '{"tape":"t","source":"s","universe":[]}', '{"tape":1}'])
def test_damaged_header(store: TapeStore, text: str) -> None:
    (store.folder / "header.json").write_text(text)
    with pytest.raises(TapeError):
        store.header()


def test_no_tape_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(TapeError, match="no tape 'x'"):
        TapeStore(tmp_path, "x").header()
