"""Tapes of made lines, whole or by shards, and homes as machines that share a place."""

import random
from pathlib import Path

from lotus_store.tape.header import HeaderAsset, TapeHeader
from lotus_store.tape.shards.plan import shards_of
from lotus_store.tape.shards.recording import RecordedShard
from lotus_store.tape.store import TapeStore
from lotus_store.tape.writer import WriterRules

FIRST_NS = 1_735_689_600_000_000_000  # 2025-01-01
DAY, DAY_NS = "2025-01-01", 86_400_000_000_000
NAMES = ("BTC", "ETH", "SOL", "XRP", "DOGE")
HEADER = TapeHeader("live", "s", tuple(HeaderAsset(name, 2) for name in NAMES))
RULES = WriterRules(reserve_bytes=0)
Line = tuple[int, bytes]


def frame(coin: str, number: int) -> bytes:
    """Return a line as the venue might send it; not one that the decoder takes."""
    return b'{"channel":"bbo","data":{"coin":"%b","n":%d}}' % (coin.encode(), number)


def lines_of(seed: int, count: int = 900, first_ns: int = FIRST_NS) -> list[Line]:
    """Return lines with stamps that stand still and silences that close segments; some name no coin of the tape."""
    draw, now, lines = random.Random(seed), first_ns, []
    for number in range(count):
        now += draw.choice((0, 0, 1, 7_000_000, 4_000_000_000, 90_000_000_000))
        lines.append((now, frame(draw.choice((*NAMES, "OTHER")), number)))
    return lines


def whole(home: Path, lines: list[Line], place: str = "") -> TapeStore:
    """Return a tape that one recorder made of some lines."""
    tape = TapeStore(home, "live", place)
    tape.write_header(HEADER)
    with tape.writer(RULES) as writer:
        for recv_ns, raw in lines:
            writer.append(recv_ns, raw)
    return tape


def shard(home: Path, number: int, lines: list[Line], place: str = "", count: int = 3) -> TapeStore:
    """Return the tape in a home where a recorder wrote one shard of it."""
    tape = TapeStore(home, "live", place)
    recorded = RecordedShard(tape, HEADER, shards_of(count)[number])
    recorded.begin()
    recorded.part.write_header(recorded.header)
    with recorded.part.writer(RULES) as writer:
        for recv_ns, raw in lines:
            writer.append(recv_ns, raw)
    return tape


def content(tape: TapeStore, day: str = DAY) -> list[tuple[str, int, str]]:
    """Return names, first lines and hashes of the segments of a day."""
    return [(meta.name, meta.first_seq, meta.content_sha256) for meta in tape.segments(day)]


def text(tape: TapeStore, day: str = DAY) -> bytes:
    """Return the lines of a day."""
    return b"".join(piece.lines for piece in tape.read_day_lines(day))
