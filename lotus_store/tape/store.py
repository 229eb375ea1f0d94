"""A tape on disk as a value: header, days, segments, and the lines of a day in arrival order with their numbers.

`<home>/tape/<tape>/header.json` and `<YYYY-MM-DD>/<HHMMSS>-<n>.zst` with an index beside each. Reading only, except
for the header; lines are written by `writer` and `import_*`, old days leave through `retention`. A day of a tape in
`shards` is joined when it is first read.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lotus.errors import TapeError
from lotus.manifest import Asset
from lotus.microtape.completeness import RAW_TAPE
from lotus.microtape.events import EventBatch
from lotus.microtape.wire.decode import DecodeLimits, decode_lines
from lotus.microtape.wire.reasons import DecodeReport
from lotus.names import path_step
from lotus.progress.steps import Steps, untold
from lotus.timebase import birth_ns, next_day
from lotus_store.files import write_bytes
from lotus_store.private import own_home
from lotus_store.tape.header import TapeHeader, decode_header, encode_header, split_universe
from lotus_store.tape.place import OnClosed
from lotus_store.tape.segment import INDEX_SUFFIX, SUFFIX, SegmentMeta, line_stamp, read_buffer, read_index, read_lines
from lotus_store.tape.shards.join import is_over, join_day
from lotus_store.tape.shards.plan import read_plan, shards_of
from lotus_store.tape.shared import HEADER, SharedTape
from lotus_store.tape.writer import SegmentWriter, WriterRules


@dataclass(frozen=True, slots=True)
class TapeLines:
    """Whole lines of tape and the number of the first one; numbers of a day start at 0, warm-up lines are negative."""

    first_seq: int
    lines: bytes | bytearray


class TapeStore:
    """One tape of one home."""

    def __init__(self, home: Path, tape: str, shared: str = "") -> None:
        """Name the tape `<home>/tape/<tape>`, an odd name percent-encoded; nothing is opened or created.

        Of a tape that is `shared` at a URL, days that this home has nothing of are got from there when they are read.
        """
        self.tape = tape
        self.folder = home / "tape" / path_step(tape)
        self.shared = SharedTape(self.folder, shared) if shared else None
        self._home = home

    def part(self, step: str) -> "TapeStore":
        """Return a shard of this tape, or its order, as a tape of its own in a folder below."""
        part = TapeStore(self._home, self.tape)
        part.tape, part.folder = f"{self.tape}/{step}", self.folder / step
        part.shared = self.shared.part(step) if self.shared is not None else None
        return part

    def shards(self) -> list["TapeStore"]:
        """Return the shards of this tape; none where it is whole."""
        return [self.part(shard.step) for shard in shards_of(read_plan(self.folder))]

    def exists(self) -> bool:
        """Tell whether the tape has a header."""
        if self.shared is not None:
            self.shared.fetch_header()
        return self.is_here()

    def is_here(self) -> bool:
        """Tell whether the tape has a header in this home."""
        return (self.folder / HEADER).exists()

    def header(self) -> TapeHeader:
        """Return the header; raises `TapeError` when there is none."""
        path = self.folder / HEADER
        if self.shared is not None:
            self.shared.fetch_header()
        try:
            raw = path.read_bytes()
        except FileNotFoundError as error:
            raise TapeError(
                f"no tape {self.tape!r} at {self.folder}", "a header.json", "record or import first, or another home"
            ) from error
        return decode_header(raw, str(path))

    def write_header(self, header: TapeHeader) -> None:
        """Write the header; raises `TapeError` if the tape already has one with another universe."""
        if self.is_here():
            held = self.header()
            if header.universe[: len(held.universe)] != held.universe:
                raise TapeError(
                    f"tape {self.tape} holds the universe {[asset.name for asset in held.universe]}",
                    "the same coins in the same order, new ones at the end",
                    "another recording under the same name",
                )
        write_bytes(self.folder / HEADER, encode_header(header))

    def writer(
        self,
        rules: WriterRules | None = None,
        on_closed: OnClosed | None = None,
        free_bytes: Callable[[Path], int] | None = None,
    ) -> SegmentWriter:
        """Return a writer of this tape (see `SegmentWriter`); raises `ConfigError` in another user's home."""
        own_home(self._home)
        if count := read_plan(self.folder):
            cause = f"record its shards: lotus record --shard 0/{count}, or another tape"
            raise TapeError(f"tape {self.tape} is made of {count} shards", "a tape that is whole", cause)
        return SegmentWriter(self.folder, self.tape, rules, on_closed, free_bytes)

    def days(self, strictly: bool = False) -> list[str]:
        """Return the UTC days that have closed segments, oldest first; of shards those that are over.

        Of a shared tape the list is some seconds old; where the store is away, it is what this home has and what was
        told last. `strictly`: as the store has it now, or `BlobError`.
        """
        days = set(self.days_here())
        if self.shared is not None:
            days.update(self.shared.days() if strictly else self.shared.days_of_late())
        shards = self.shards()
        of_shards = {day for part in shards for day in part.days(strictly)}
        return sorted(days | {day for day in of_shards if all(is_over(part, day) for part in shards)})

    def days_here(self) -> list[str]:
        """Return the UTC days that have closed segments in this home, oldest first."""
        return sorted(path.name for path in self.folder.glob("????-??-??") if self._is_here(path.name))

    def has(self, day: str) -> bool:
        """Tell whether a UTC day has closed segments."""
        self._fetch(day)
        return self._is_here(day)

    def _fetch(self, day: str) -> None:
        if self.shared is not None:
            self.shared.fetch(day)
        if not (self.folder / path_step(day)).exists() and read_plan(self.folder):
            join_day(self, day)

    def _is_here(self, day: str) -> bool:
        folder = self.folder / path_step(day)
        return any(folder.glob(f"*{INDEX_SUFFIX}")) and any(folder.glob(f"*{SUFFIX}"))

    def segments(self, day: str) -> list[SegmentMeta]:
        """Return the closed segments of a day in order; raises `TapeError` for a segment without a sound index."""
        self._fetch(day)
        segments = [read_index(path) for path in (self.folder / path_step(day)).glob(f"*{SUFFIX}")]
        segments.sort(key=lambda meta: meta.number)
        seq = 0
        for meta in segments:
            if meta.first_seq != seq:
                raise TapeError(
                    f"segment {meta.path} starts at line {meta.first_seq}",
                    f"line {seq}",
                    "a segment before it is missing",
                )
            seq += meta.lines
        return segments

    def warmup_segments(self, day: str) -> list[SegmentMeta]:
        """Return the closed segments of the day before that have lines since the birth of a day's state, in order."""
        return [meta for meta in self.segments(next_day(day, -1)) if meta.last_recv_ns >= birth_ns(day)]

    def all_segments(self) -> Iterator[SegmentMeta]:
        """Yield the closed segments of all days of this home, oldest first (to bring a catalogue up to date)."""
        for day in self.days_here():
            yield from self.segments(day)

    def read_segment(self, meta: SegmentMeta) -> bytes:
        """Return the verified lines of one segment (raises `TapeError`, see `read_lines`)."""
        return read_lines(self.folder / path_step(meta.day) / path_step(meta.name), meta)

    def read_day_lines(self, day: str, *, warmup: bool = False) -> Iterator[TapeLines]:
        """Yield the verified lines of a day by segment, as bytes (see `read_day_buffers`)."""
        for piece in self.read_day_buffers(day, warmup=warmup):
            yield TapeLines(piece.first_seq, bytes(piece.lines))

    def read_day_buffers(self, day: str, *, warmup: bool = False) -> Iterator[TapeLines]:
        """Yield the verified lines of a day by segment; with `warmup`, first those since the birth of its state.

        They stand in memory of the caller's own, which is not copied again to be decoded. Raises `TapeError` when the
        day has no tape or a segment is not that of its index.
        """
        segments = self.segments(day)
        if not segments:
            raise TapeError(
                f"tape {self.tape} has no lines on {day}", f"one of {', '.join(self.days()[-5:])}", "not recorded"
            )
        if warmup:
            yield from self._warmup_lines(day)
        for meta in segments:
            yield TapeLines(meta.first_seq, self._read_buffer(meta))

    def decode_day(
        self,
        day: str,
        universe: tuple[Asset, ...] | None = None,
        *,
        warmup: bool = False,
        limits: DecodeLimits | None = None,
        progress: Steps = untold,
    ) -> tuple[EventBatch, DecodeReport]:
        """Decode a day into events of `universe` (default: the header's); the report counts warm-up lines too."""
        header = self.header()
        split = split_universe(header, universe or header.assets)
        pieces = self.read_day_buffers(day, warmup=warmup)
        first = next(pieces)

        parts = len(self.segments(day)) + len(self.warmup_segments(day)) * warmup

        def chunks() -> Iterator[bytes | bytearray]:
            for number, piece in enumerate(chain([first], pieces)):
                progress("segments decoded", number, parts, day)
                yield piece.lines

        return decode_lines(chunks(), split.universe, first_seq=first.first_seq, ignored=split.ignored, limits=limits)

    def _read_buffer(self, meta: SegmentMeta) -> bytearray:
        return read_buffer(self.folder / path_step(meta.day) / path_step(meta.name), meta)

    def _warmup_lines(self, day: str) -> Iterator[TapeLines]:
        total = sum(meta.lines for meta in self.segments(next_day(day, -1)))
        for meta in self.warmup_segments(day):
            lines, skipped = self._read_buffer(meta), 0
            if meta.first_recv_ns < birth_ns(day):
                lines, skipped = _from_stamp(lines, birth_ns(day))
            if lines:
                yield TapeLines(meta.first_seq + skipped - total, lines)


def _from_stamp(lines: bytearray, first_ns: int) -> tuple[bytearray, int]:
    """Return the lines from the first one stamped at or after `first_ns`, and how many came before."""
    start = skipped = 0
    while start < len(lines):
        end = lines.index(b"\n", start) + 1
        if line_stamp(bytes(lines[start : min(end, start + 24)])) >= first_ns:
            break
        start, skipped = end, skipped + 1
    return lines[start:], skipped


def raw_tape_columns(segments: list[SegmentMeta]) -> dict[str, NDArray[np.generic]]:
    """Return the rows of `RAW_TAPE`, one per segment."""
    return {
        name: np.array([getattr(meta, name) for meta in segments], dtype=RAW_TAPE.numpy_dtype(name))
        for name in RAW_TAPE.names
    }
