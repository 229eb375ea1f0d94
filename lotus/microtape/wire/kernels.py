"""The two entry kernels of decoding: one frame (live) and a run of stamped lines (batch). Same parser, same gate.

A line that the byte parser declines, or that the gate refuses, ends the run: the caller deals with it and goes on.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.jit import kernel
from lotus.microtape.events import EventKind
from lotus.microtape.parser.frame import parse_frame
from lotus.microtape.wire.admit import CROSSED, admit

SURPRISE: Final = -1000
DONE: Final = 0
EVENT_COLUMNS: Final = 5  # recv_ns, time_ms, seq, kind, asset
LAST_EVENT_KIND: Final = 5  # of lines; a crossed one is put aside and an event
CROSSED_EVENT: Final = int(EventKind.CROSSED)


@kernel
def decode_one(
    buf: NDArray[np.uint8],
    recv_ns: int,
    limits: tuple[int, int],
    slots: NDArray[np.int64],
    names: NDArray[np.uint8],
    spec: NDArray[np.int64],
    state: NDArray[np.int64],
    pool: NDArray[np.int64],
) -> tuple[int, int, int, int]:
    """Decode one newline-ended frame into `pool[0:end]`; return (kind, minus reason or SURPRISE; asset; time; end)."""
    kind, asset, time_ms, end, _ = parse_frame(buf, 0, slots, names, spec, pool, 0)
    if kind < 0:
        return SURPRISE, 0, 0, 0
    line, time_ms, end = admit(kind, asset, time_ms, recv_ns, limits, state, pool, 0, end)
    return line, asset, time_ms, end


@kernel
def stamp_at(buf: NDArray[np.uint8], at: int) -> tuple[int, int]:
    """Parse `<recv_ns> ` at the start of a line; return (recv_ns, index of the frame) or (0, -1)."""
    value, start = 0, at
    digit = int(buf[at]) - 48
    while 0 <= digit <= 9:
        value = value * 10 + digit
        at += 1
        digit = int(buf[at]) - 48
    if at == start or at - start > 19 or value < 0 or buf[at] != 32:
        return 0, -1
    return value, at + 1


@kernel
def decode_run(
    buf: NDArray[np.uint8],
    at: int,
    stop: int,
    seq: int,
    limits: tuple[int, int],
    slots: NDArray[np.int64],
    names: NDArray[np.uint8],
    spec: NDArray[np.int64],
    state: NDArray[np.int64],
    counts: NDArray[np.int64],
    events: NDArray[np.int64],
    offsets: NDArray[np.int64],
    n: int,
    pool: NDArray[np.int64],
) -> tuple[int, int, int, int]:
    """Decode lines of `buf[at:stop]` until the end or an odd one; return (DONE, SURPRISE or minus reason, at, seq, n).

    events i8[*, 5] and offsets i8[* + 1] grow from row `n`; `at` is the start of the odd line; kinds are counted.
    """
    while at < stop:
        recv_ns, frame = stamp_at(buf, at)
        if frame < 0:
            return SURPRISE, at, seq, n
        off = offsets[n]
        kind, asset, time_ms, end, newline = parse_frame(buf, frame, slots, names, spec, pool, off)
        if kind < 0:
            return SURPRISE, at, seq, n
        line, time_ms, end = admit(kind, asset, time_ms, recv_ns, limits, state, pool, off, end)
        if line < 0 and line != CROSSED:
            return line, at, seq, n
        if line <= LAST_EVENT_KIND:
            events[n, 0] = recv_ns
            events[n, 1] = time_ms
            events[n, 2] = seq
            events[n, 3] = CROSSED_EVENT if line == CROSSED else line
            events[n, 4] = asset
            n += 1
            offsets[n] = end
        if line < 0:
            return line, at, seq, n
        counts[line] += 1
        seq += 1
        at = newline + 1
    return DONE, at, seq, n
