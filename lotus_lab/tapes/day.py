"""A day of tape, decoded once: frames with those that warmed them, quotes, gaps and prints.

The kernels are those of the daemon and of the daily run. A day is not read in pieces: one that needs more memory than
there is is refused before it is read.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.errors import TapeError
from lotus.manifest import Manifest
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.prints import MICROTAPE_PRINTS, print_columns, prints_in
from lotus.timebase import day_start_ms
from lotus_store.tape.store import TapeStore

_SEQ = MICROTAPE_PRINTS.names.index("seq")
Columns = Mapping[str, NDArray[np.generic]]


NEEDED: Final = 4  # bytes of memory for a byte of lines: 3.1 were measured on three hours of three coins


@dataclass(frozen=True, slots=True)
class TapeOfDay:
    """Quotes, prints and gaps of a day alone: all that outcomes need of the day before."""

    day: str
    quotes: Columns
    prints: Columns
    gaps: Columns


@dataclass(frozen=True, slots=True)
class DecodedDay:
    """`frames`: of the day and of the two hours before, in arrival order; `tape`: of the day alone."""

    frames: FrameBatch
    tape: TapeOfDay

    @property
    def day(self) -> str:
        """The day that was read."""
        return self.tape.day


def memory_left() -> int:
    """Return the bytes of memory that this process may still take, as far as Linux says; else a very large number."""
    left = [2**62]
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        left.append(1024 * int(next(line for line in lines if line.startswith("MemAvailable")).split()[1]))
    with suppress(OSError, ValueError):
        most, taken = (int(Path(f"/sys/fs/cgroup/memory.{name}").read_text("ascii")) for name in ("max", "current"))
        left.append(most - taken)
    return min(left)


def check_memory(store: TapeStore, day: str) -> None:
    """Raise `TapeError` for a day that would need more memory than there is."""
    metas = [*store.segments(day), *store.warmup_segments(day)]
    needed, left = NEEDED * sum(meta.raw_bytes for meta in metas), memory_left()
    if needed > left:
        raise TapeError(
            f"{day} of tape {store.tape} needs some {needed / 2**30:.1f} GB of memory, and {left / 2**30:.1f} are left",
            "a day that fits", "many coins in one tape; record or import fewer, or use a larger machine",
        )  # fmt: skip


def read_day(store: TapeStore, manifest: Manifest, day: str) -> DecodedDay:
    """Return a day of a tape; raises `TapeError` when it is missing, damaged, or larger than the memory left."""
    check_memory(store, day)
    events, _ = store.decode_day(day, manifest.universe, warmup=True)
    whole = build_frames(events, manifest, manifest.universe)
    of_day = whole.of_day(day_start_ms(day))
    prints = prints_in(events)
    prints = prints[prints[:, _SEQ] >= 0]  # lines of the warm-up have numbers below 0, and belong to the day before
    n = range(len(manifest.universe))
    return DecodedDay(
        replace(whole, quotes=whole.quotes[:0].copy(), gaps=whole.gaps[:0].copy()),
        TapeOfDay(
            day,
            _joined([of_day.quote_columns(k) for k in n]),
            _joined([print_columns(prints, k) for k in n]),
            of_day.gap_columns(),
        ),
    )


def _joined(tables: list[dict[str, NDArray[np.generic]]]) -> Columns:
    return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
