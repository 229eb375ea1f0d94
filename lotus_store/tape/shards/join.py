"""A day of shards as one day of tape: the lines of all in one order, written as one recorder would have written them.

The order: by receive stamp (of a line that steps back, the greatest before it in its shard), then by shard, then as
they stand in the shard. A day that was split afterwards goes by its `order`, so it comes back line for line. A day is
joined once, when it is over, from all of its shards or not at all: into a folder beside, and then by one rename. Equal
lines give equal segments. (Literature: k-way merge.)
"""

import os
import shutil
import threading
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from lotus.errors import TapeError
from lotus.names import path_step
from lotus_store.files import fsync_folder, sweep_drafts
from lotus_store.tape.segment import OPEN_SUFFIX
from lotus_store.tape.shards.plan import ORDER
from lotus_store.tape.shared import utc_day
from lotus_store.tape.writer import SegmentWriter, WriterRules

if TYPE_CHECKING:
    from lotus_store.tape.store import TapeLines, TapeStore

FIRST_CHAR: Final = ord("0")  # of shard 0 in `order`
DRAFT: Final = ".join-"
_END: Final = np.iinfo(np.int64).max
Line = tuple[int, bytes]  # receive stamp ns, frame


class _Part:
    """The lines of one shard, a segment or two of them in memory, with the greatest stamp up to each."""

    def __init__(self, pieces: "Iterable[TapeLines]") -> None:
        self._pieces = iter(pieces)
        self.lines: list[Line] = []
        self.keys: NDArray[np.int64] = np.zeros(0, np.int64)
        self.is_over = False
        self._one = self._each()

    def load(self) -> None:
        """Take the next segment; `is_over` where there is none."""
        piece = next(self._pieces, None)
        if piece is None:
            self.is_over = True
            return
        split = (line.partition(b" ") for line in bytes(piece.lines).split(b"\n")[:-1])
        new = [(int(stamp), frame) for stamp, _, frame in split]
        stamps = np.array([int(self.keys[-1]) if len(self.keys) else 0, *(stamp for stamp, _ in new)], np.int64)
        self.keys = np.concatenate([self.keys, np.maximum.accumulate(stamps)[1:]])
        self.lines += new

    def take(self, count: int) -> list[Line]:
        """Return and leave the first lines."""
        taken, self.lines, self.keys = self.lines[:count], self.lines[count:], self.keys[count:]
        return taken

    def next(self) -> Line | None:
        """Return the next line, None at the end; not to be mixed with `take`."""
        return next(self._one, None)

    def _each(self) -> Iterator[Line]:
        while not self.is_over:
            self.load()
            yield from self.take(len(self.lines))


def by_stamp(days: "Sequence[Iterable[TapeLines]]") -> Iterator[Line]:
    """Yield the lines of shards in the order that the module's text defines; a segment of each is in memory."""
    parts = [_Part(pieces) for pieces in days]
    while True:
        for part in parts:
            while not part.is_over and not len(part.keys):
                part.load()
        open_ends = [int(part.keys[-1]) for part in parts if not part.is_over]
        until = min(open_ends, default=_END)  # of a stamp from here on more lines may come
        counts = [int(np.searchsorted(part.keys, until)) for part in parts]
        if not any(counts):
            if not open_ends:
                return
            for part in parts:
                if not part.is_over and part.keys[-1] == until:
                    part.load()
            continue
        keys = np.concatenate([part.keys[:count] for part, count in zip(parts, counts, strict=True)])
        lines = [line for part, count in zip(parts, counts, strict=True) for line in part.take(count)]
        for k in np.argsort(keys, kind="stable").tolist():
            yield lines[k]


def by_order(days: "Sequence[Iterable[TapeLines]]", order: "Iterable[TapeLines]") -> Iterator[Line]:
    """Yield the lines of shards as `order` says; raises `TapeError` unless it names each of them once."""
    parts = [_Part(pieces) for pieces in days]
    for piece in order:
        for line in bytes(piece.lines).split(b"\n")[:-1]:
            for char in line.partition(b" ")[2]:
                number = char - FIRST_CHAR
                found = parts[number].next() if 0 <= number < len(parts) else None
                if found is None:
                    raise TapeError(f"order names a line of shard {number} that is not there", *_SPLIT)
                yield found
    if left := [k for k, part in enumerate(parts) if part.next() is not None]:
        raise TapeError(f"order ends before the lines of shard {left[0]} do", *_SPLIT)


_SPLIT: Final = ("each line of the shards once", "a shard or the order of a split tape was changed by hand")


def join_day(tape: "TapeStore", day: str) -> bool:
    """Make the day of a tape from its shards; tell whether any has it.

    Raises `TapeError` naming the shards that lack the day, or those in which it is not over.
    """
    parts = tape.shards()
    there = [part for part in parts if part.has(day)]
    if not there:
        return False
    order = tape.part(ORDER)  # asked for last: it is put before the shards that it is the order of
    is_split = order.has(day)
    lacking = [] if is_split else [part.tape for part in parts if part not in there]
    if lacking:
        cause = "its recorder did not run that day, or has not shared it yet: lotus tape share on its machine"
        raise TapeError(f"{day} lacks {', '.join(lacking)}", f"all {len(parts)} shards", cause)
    if growing := [part.tape for part in there if not is_over(part, day)]:
        raise TapeError(f"{day} is not over in {', '.join(growing)}", "a day that is over", "it is being recorded")
    sweep_drafts(tape.folder, DRAFT)
    final = tape.folder / path_step(day)
    draft = tape.folder / f"{DRAFT}{final.name}.{os.getpid()}.{threading.get_ident()}"
    shutil.rmtree(draft, ignore_errors=True)
    days = [part.read_day_buffers(day) if part in there else () for part in parts]
    try:
        with SegmentWriter(draft, tape.tape, WriterRules(), first_day=day) as writer:
            lines = by_order(days, order.read_day_buffers(day)) if is_split else by_stamp(days)
            for stamp, frame in lines:
                writer.append(stamp, frame)
        only_day(draft, day)
        if tape.shared is not None and all(part.shared is not None and part.shared.has_put(day) for part in there):
            tape.shared.mark_put(draft / final.name)
        (draft / final.name).rename(final)
    except OSError:
        if not final.exists():  # another process may have been faster
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    fsync_folder(tape.folder)
    return True


def is_over(part: "TapeStore", day: str) -> bool:
    """Tell whether nothing will be added to a day of a tape of this home."""
    return day < utc_day() and not any(islice((part.folder / path_step(day)).glob(f"*{OPEN_SUFFIX}"), 1))


def only_day(draft: Path, day: str) -> None:
    """Raise `TapeError` where lines of a day were written to another one."""
    others = sorted(path.name for path in draft.glob("????-??-??") if path.name != day)
    if others:
        raise TapeError(f"lines of {day} are stamped {others[0]}", "stamps of the day", "files moved by hand")
