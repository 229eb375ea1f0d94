"""A day of tape, decoded once: frames with those that warmed them, quotes, gaps and prints.

The kernels are those of the daemon and of the daily run; a day is not read in pieces, so a large one needs memory.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lotus.manifest import Manifest
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.prints import MICROTAPE_PRINTS, print_columns, prints_in
from lotus.timebase import day_start_ms
from lotus_store.tape.store import TapeStore

_SEQ = MICROTAPE_PRINTS.names.index("seq")
Columns = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class DecodedDay:
    """`frames`: of the day and of the two hours before, in arrival order; quotes, prints and gaps of the day alone."""

    day: str
    frames: FrameBatch
    quotes: Columns
    prints: Columns
    gaps: Columns


def read_day(store: TapeStore, manifest: Manifest, day: str) -> DecodedDay:
    """Return a day of a tape; raises `TapeError` when it is missing or damaged."""
    events, _ = store.decode_day(day, manifest.universe, warmup=True)
    whole = build_frames(events, manifest, manifest.universe)
    of_day = whole.of_day(day_start_ms(day))
    prints = prints_in(events)
    prints = prints[prints[:, _SEQ] >= 0]  # lines of the warm-up have numbers below 0, and belong to the day before
    n = range(len(manifest.universe))
    return DecodedDay(
        day,
        replace(whole, quotes=whole.quotes[:0].copy(), gaps=whole.gaps[:0].copy()),
        _joined([of_day.quote_columns(k) for k in n]),
        _joined([print_columns(prints, k) for k in n]),
        of_day.gap_columns(),
    )


def _joined(tables: list[dict[str, NDArray[np.generic]]]) -> Columns:
    return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
