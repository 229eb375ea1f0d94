"""Importer of the venue's public archive, laid out as in its buckets (books by hour and coin, contexts by day, fills
or trades by hour), merged by receive stamp into one tape.

The archive is downloaded by its user (requester pays); here is only reading.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from lotus.errors import TapeError
from lotus.microtape.wire.decode import clean_frame
from lotus.names import path_step
from lotus.progress.steps import Steps, untold
from lotus_store.tape.archive_frames import Line, book_lines, ctx_lines, fill_lines, trade_lines
from lotus_store.tape.importing import ImportReport, ImportSource, import_lines
from lotus_store.tape.source_lines import read_source_lines
from lotus_store.tape.store import TapeStore
from lotus_store.tape.writer import WriterRules


def import_archive(
    store: TapeStore,
    root: Path,
    days: Sequence[str],
    coins: Sequence[str] = (),
    rules: WriterRules | None = None,
    progress: Steps = untold,
) -> ImportReport:
    """Import UTC days ("YYYY-MM-DD") found under `root`; `coins` empty = those that have books.

    Expects `market_data/YYYYMMDD/H/l2Book/COIN.lz4`, `asset_ctxs/YYYYMMDD.csv.lz4` and
    `node_fills_by_block/hourly/YYYYMMDD/H.lz4` or `node_trades/hourly/YYYYMMDD/H.lz4`; any of them may be missing.
    Raises `TapeError` when nothing is found or a file is damaged.
    """
    source = ImportSource(f"venue archive {', '.join(days)}")
    return import_lines(store, _days(root, sorted(days), coins, progress), source, rules, None, progress)


def _days(root: Path, days: Sequence[str], coins: Sequence[str], progress: Steps) -> Iterator[Line]:
    for number, day in enumerate(days):
        progress("days of the archive read", number, len(days), day)
        yield from archive_day(root, day, coins)


def archive_day(root: Path, day: str, coins: Sequence[str] = ()) -> Iterator[Line]:
    """Yield the (stamp, frame) pairs of one archive day in the order of their stamps."""
    compact = path_step(day.replace("-", ""))
    books = _book_files(root / "market_data" / compact)
    wanted = frozenset(coins or books)
    streams = [_books(files) for coin, files in sorted(books.items()) if coin in wanted]
    contexts = root / "asset_ctxs" / f"{compact}.csv.lz4"
    if contexts.exists():
        streams.append(ctx_lines(read_source_lines(contexts), wanted, contexts.name))
    fills = _hours(root / "node_fills_by_block" / "hourly" / compact)
    trades = _hours(root / "node_trades" / "hourly" / compact)
    if fills:
        streams.append(line for path in fills for line in fill_lines(read_source_lines(path), wanted, str(path)))
    elif trades:
        streams.append(line for path in trades for line in trade_lines(read_source_lines(path), wanted, str(path)))
    if not streams:
        raise TapeError(
            f"no archive files of {day} for {sorted(wanted) or 'any coin'} under {root}", "see `wire` layout"
        )
    for recv_ns, frame in heapq.merge(*map(_ascending, streams), key=lambda line: line[0]):
        yield recv_ns, clean_frame(frame)


def _ascending(lines: Iterable[Line]) -> Iterator[Line]:
    """Keep a stream's order where its node clock stepped back, by holding the stamp."""
    last = 0
    for recv_ns, frame in lines:
        last = max(last, recv_ns)
        yield last, frame


def _books(files: Sequence[Path]) -> Iterator[Line]:
    for path in files:
        yield from book_lines(read_source_lines(path), str(path))


def _book_files(folder: Path) -> dict[str, list[Path]]:
    """Return the book files of a day by coin, hours in numeric order (they are not padded)."""
    files: dict[str, list[Path]] = {}
    for hour in _hours(folder):
        for path in sorted((hour / "l2Book").glob("*.lz4")):
            files.setdefault(path.name.removesuffix(".lz4"), []).append(path)
    return files


def _hours(folder: Path) -> list[Path]:
    hours = [path for path in folder.glob("*") if path.name.split(".")[0].isdecimal()]
    return sorted(hours, key=lambda path: int(path.name.split(".")[0]))
