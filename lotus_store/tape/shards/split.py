"""Dividing the stored days of a whole tape into shards; the tape stays as it is.

Every day is written to drafts, which become its order and its shards by one rename each, the order first: shards of a
split day are never joined without it. What is there already is compared by its lines and kept, so a split that was
killed goes on where it was. A line goes to the shard of the first coin that it names; one that names none of the
tape's coins, to shard 0.
"""

import os
import re
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from lotus.errors import TapeError
from lotus.progress.steps import Steps, untold
from lotus_store.files import fsync_folder, make_folder, sweep_drafts
from lotus_store.tape.header import TapeHeader
from lotus_store.tape.segment import SUFFIX, read_index
from lotus_store.tape.shards.join import FIRST_CHAR, is_over, only_day
from lotus_store.tape.shards.plan import ORDER, refuse_other, shards_of, write_plan
from lotus_store.tape.store import TapeStore
from lotus_store.tape.writer import SegmentWriter, WriterRules

_DRAFT: Final = ".split-"
_COIN: Final = re.compile(rb'"coin"\s*:\s*"([^"\\]+)"')
_ROW: Final = 4096  # shard numbers in one line of the order


def split_tape(store: TapeStore, count: int, progress: Steps = untold) -> list[str]:
    """Divide the days of a tape that are over into so many shards; return those that were not divided before.

    Raises `TapeError` for a damaged day, another number of shards than before, and more shards than coins.
    """
    header = store.header()
    shards = shards_of(count)
    coins = [shard.of(header.universe) for shard in shards]
    refuse_other(store.folder, count)
    parts = [store.part(ORDER), *(store.part(shard.step) for shard in shards)]
    for part, own in zip(parts, [header.universe, *coins], strict=True):
        made = TapeHeader(part.tape, header.source, own, header.sessions, "split", header.note)
        part.write_header(part.header() if part.is_here() and part.header().universe == own else made)
    write_plan(store.folder, count)
    sweep_drafts(store.folder, _DRAFT)
    places = {asset.name.encode(): shard.number for shard, own in zip(shards, coins, strict=True) for asset in own}
    days = [day for day in store.days_here() if is_over(store, day)]
    new = [day for day in days if sum(_lines(part, day) for part in parts[1:]) != _lines(store, day)]
    for number, day in enumerate(new):
        progress("days split", number, len(new), day)
        _split_day(store, day, parts, places)
    return new


def _split_day(store: TapeStore, day: str, parts: Sequence[TapeStore], places: dict[bytes, int]) -> None:
    draft = store.folder / f"{_DRAFT}{day}.{os.getpid()}.{threading.get_ident()}"
    shutil.rmtree(draft, ignore_errors=True)
    try:
        _write(store, day, [draft / part.folder.name for part in parts], parts, places)
        for part in parts:
            folder = draft / part.folder.name
            only_day(folder, day)
            if (part.folder / day).exists():
                _require_same(part, day, folder)
                continue
            if not (folder / day).exists():
                continue  # no coin of the shard said anything
            make_folder(part.folder)
            (folder / day).rename(part.folder / day)
            fsync_folder(part.folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _write(
    store: TapeStore, day: str, folders: Sequence[Path], parts: Sequence[TapeStore], places: dict[bytes, int]
) -> None:
    """Write the lines of a day to folders: the first takes the order, the others the shards."""
    with ExitStack() as stack:
        rules = WriterRules()
        order, *shards = (
            stack.enter_context(SegmentWriter(folder, part.tape, rules, first_day=day))
            for folder, part in zip(folders, parts, strict=True)
        )
        row, row_ns = bytearray(), 0
        for recv_ns, frame in _lines_of(store, day):
            coin = _COIN.search(frame)
            number = places.get(coin[1], 0) if coin else 0
            shards[number].append(recv_ns, frame)
            row_ns = row_ns if row else recv_ns
            row.append(FIRST_CHAR + number)
            if len(row) == _ROW:
                order.append(row_ns, bytes(row))
                row.clear()
        if row:
            order.append(row_ns, bytes(row))


def _lines_of(store: TapeStore, day: str) -> Iterator[tuple[int, bytes]]:
    for piece in store.read_day_lines(day):
        for line in bytes(piece.lines).split(b"\n")[:-1]:
            stamp, _, frame = line.partition(b" ")
            yield int(stamp), frame


def _lines(part: TapeStore, day: str) -> int:
    """Return how many lines of a day are in this home."""
    return sum(meta.lines for meta in part.segments(day)) if (part.folder / day).exists() else 0


def _require_same(part: TapeStore, day: str, folder: Path) -> None:
    """Raise `TapeError` where a shard already has a day with other lines than a draft."""
    held = [meta.content_sha256 for meta in part.segments(day)]
    found = sorted((folder / day).glob(f"*{SUFFIX}")) if (folder / day).exists() else []
    made = [meta.content_sha256 for meta in sorted((read_index(path) for path in found), key=lambda meta: meta.number)]
    if held != made:
        cause = "the shard was recorded, or the tape is another one"
        raise TapeError(f"{part.tape} has {day} with other lines", "those of the whole tape", cause)
