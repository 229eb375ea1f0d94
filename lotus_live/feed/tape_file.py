"""Recordings as lines of tape for replay: files of `<receive ns> <raw frame>` lines, or one day of a stored tape.

Reading only; every line has the number it has within its UTC day. What coins a recording holds comes from the header
of its tape where there is one, else from the shipped table or the decimals seen. Nothing else is decoded here.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from lotus.hashing import natural_id
from lotus.manifest import Asset
from lotus_live.feed.clocks import Arrival, LineCounter
from lotus_store.tape.coin_units import survey
from lotus_store.tape.header import HeaderAsset, decode_header
from lotus_store.tape.import_recording import recording_lines
from lotus_store.tape.segment import SegmentMeta
from lotus_store.tape.store import TapeLines, TapeStore

_MAX_STAMP = 2**63 - 1


class Recording(Protocol):
    """What a replay is made from. Its first line belongs to `first_day` or warms that day up (None: to its own day)."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def identity(self) -> str:
        """Text that differs between recordings."""

    @property
    def stored_bytes(self) -> int:
        """Bytes that it takes on the disk."""

    @property
    def first_day(self) -> str | None:
        """The first day to give out."""

    @property
    def units(self) -> tuple[HeaderAsset, ...]:
        """Coins with their size decimals, in the order of their asset index."""

    def arrivals(self) -> Iterator[Arrival]:
        """Yield every line in arrival order."""


@dataclass(frozen=True)
class TapeFile:
    """One or several recordings, read one after the other as one tape."""

    paths: tuple[Path, ...]

    @property
    def name(self) -> str:
        """The names of the files."""
        return ", ".join(path.name for path in self.paths)

    @property
    def identity(self) -> str:
        """Names and sizes of the files."""
        return natural_id(*(word for path in self.paths for word in (path.name, path.stat().st_size)))

    @property
    def stored_bytes(self) -> int:
        """Size of the files."""
        return sum(path.stat().st_size for path in self.paths)

    @property
    def first_day(self) -> str | None:
        """The day of the first line."""
        return None

    def arrivals(self) -> Iterator[Arrival]:
        """Yield every line, numbered; raises `TapeError` when a file is missing, truncated or damaged."""
        counter, last_ns = LineCounter(), 0
        for stamp_ns, frame in recording_lines(self.paths):
            last_ns = stamp_ns if stamp_ns <= _MAX_STAMP else last_ns
            yield Arrival(last_ns, counter.number(last_ns), frame)

    @cached_property
    def units(self) -> tuple[HeaderAsset, ...]:
        """Coins of the recording with their size decimals: its tape's header, else a survey of all its frames."""
        header = self.paths[0].resolve().parent.parent / "header.json"
        if self.paths[0].name.endswith(".zst") and header.is_file():
            return decode_header(header.read_bytes(), str(header)).universe
        return survey(frame for _, frame in recording_lines(self.paths)).universe()

    @property
    def universe(self) -> tuple[Asset, ...]:
        """The coins in the form that decoders take."""
        return tuple(Asset(a.name, a.sz_decimals) for a in self.units)


@dataclass(frozen=True)
class TapeDay:
    """One day of a stored tape as a daemon that ran through it has it: the lines since the birth of its state."""

    store: TapeStore
    day: str

    @property
    def name(self) -> str:
        """Tape and day."""
        return f"{self.store.tape} {self.day}"

    @property
    def identity(self) -> str:
        """Hash of the segments."""
        return natural_id(*(meta.content_sha256 for meta in self._segments))

    @property
    def stored_bytes(self) -> int:
        """Size of the segments."""
        return sum(meta.stored_bytes for meta in self._segments)

    @property
    def first_day(self) -> str | None:
        """The day; lines of the evening before only warm it up."""
        return self.day

    @property
    def units(self) -> tuple[HeaderAsset, ...]:
        """The universe of the tape's header; raises `TapeError` without one."""
        return self.store.header().universe

    def arrivals(self) -> Iterator[Arrival]:
        """Yield the lines of the day after those that warm it up; raises `TapeError` for a day without tape."""
        return day_arrivals(self.store, self.day, warmup=True)

    @property
    def _segments(self) -> tuple[SegmentMeta, ...]:
        return (*self.store.warmup_segments(self.day), *self.store.segments(self.day))


def day_arrivals(store: TapeStore, day: str, *, warmup: bool) -> Iterator[Arrival]:
    """Yield the lines of a day of tape, with `warmup` after those since the birth of its state (numbers below 0)."""
    for piece in _read_ahead(store.read_day_lines(day, warmup=warmup)):
        lines = bytes(piece.lines).split(b"\n")
        lines.pop()
        for seq, line in enumerate(lines, piece.first_seq):
            stamp, _, raw = line.partition(b" ")
            yield Arrival(int(stamp), seq, raw)


def _read_ahead(pieces: Iterator[TapeLines]) -> Iterator[TapeLines]:
    """Yield pieces while a thread unpacks and checks the next one."""
    with ThreadPoolExecutor(1, "lotus-tape-reader") as beside:
        coming = beside.submit(next, pieces, None)
        while (piece := coming.result()) is not None:
            coming = beside.submit(next, pieces, None)
            yield piece
