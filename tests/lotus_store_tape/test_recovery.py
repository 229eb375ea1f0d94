"""What a dead writer left: whole lines are kept, twice the same, nothing of an empty segment."""

import os
import random
import signal

from lotus.timebase import day_start_ms
from lotus_store.tape.segment import pack, salvage
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


def test_flushed_lines_survive_kill_9(store: TapeStore) -> None:
    source, expected = random.Random(5), b""
    for attempt in range(8):
        flushed = source.randrange(1, 400)
        start = DAY_NS + attempt * 3600 * SECOND
        child = os.fork()
        if child == 0:
            writer = store.writer(RULES)
            _fill(writer, flushed, start, SECOND)
            writer.flush()
            _fill(writer, source.randrange(300), start + 450 * SECOND, SECOND)
            os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(child, 0)
        with store.writer(RULES) as writer:
            (found,) = writer.recovered
        assert found.meta is not None
        assert found.meta.lines >= flushed
        expected = b"".join(store.read_segment(meta) for meta in store.segments("2025-09-04"))
        assert expected.count(b"\n") == sum(meta.lines for meta in store.segments("2025-09-04"))
        kept = store.read_segment(store.segments("2025-09-04")[-1])
        assert kept.startswith(b"%d %b\n" % (start, _frame(0)))
    assert _day(store, "2025-09-04") == expected
    assert not list(store.folder.rglob("*.open"))


def test_recovery_twice_and_with_a_stale_index_is_the_same(store: TapeStore) -> None:
    with store.writer(RULES) as writer:
        _fill(writer, 300, DAY_NS, SECOND)
    (segment,) = (store.folder / "2025-09-04").glob("*.zst")
    lines = store.read_segment(store.segments("2025-09-04")[0])
    segment.rename(segment.with_name(segment.name + ".open"))  # killed between index and rename
    with store.writer(RULES) as writer:
        assert writer.recovered[0].lost_bytes == 0
    assert _day(store, "2025-09-04") == lines
    with store.writer(RULES) as writer:
        assert writer.recovered == ()


def test_an_open_segment_without_a_whole_line_vanishes(store: TapeStore) -> None:
    folder = store.folder / "2025-09-04"
    folder.mkdir()
    (folder / "000000-0000.zst.open").write_bytes(pack(b"17 half a li")[:-3])
    with store.writer(RULES) as writer:
        assert [(one.meta, one.lost_bytes) for one in writer.recovered] == [(None, 12)]
    assert list(folder.iterdir()) == []


def test_salvage_of_every_truncation_keeps_whole_lines_only() -> None:
    lines = b"".join(b"%d %b\n" % (k, _frame(k)) for k in range(200))
    stored = pack(lines)
    for cut in range(0, len(stored), 7):
        saved = salvage(stored[:cut])
        assert lines.startswith(saved.lines)
        assert saved.lines.endswith(b"\n") or not saved.lines
        assert not saved.complete
    assert salvage(stored).lines == lines
    assert salvage(stored).complete
    torn = bytearray(stored)
    torn[len(torn) // 2] ^= 0xFF
    assert salvage(bytes(torn)).lines.count(b"\n") <= 200
