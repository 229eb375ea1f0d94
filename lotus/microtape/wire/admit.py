"""The gate between a parsed frame and the event stream: order of time, sanity of books, replayed and stale prints.

One kernel, used by the live and the batch decoder after either parser, so that all four ways agree bit for bit.
State is one int64 matrix (a row per asset and one for the stream); nothing here parses or allocates.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.jit import kernel
from lotus.microtape.events import EventKind
from lotus.microtape.wire.dedupe import ROW_WIDTH, first_seen, remembers_as
from lotus.microtape.wire.reasons import LineKind, QuarantineReason

CLOCK: Final = 0  # latest venue time of the asset, ms; last row: latest receive stamp, ns
PRINTS: Final = 1
DUPLICATES: Final = 2
STALE: Final = 3
LATE_PRINTS: Final = 4
LATE_QUOTES: Final = 5
AHEAD: Final = 1  # of the stream's row: how far venue times are known to be ahead of receive stamps at most, ms
UNCONFIRMED: Final = 2  # of the stream's row: lines in a row that were further, all by the same
FAR: Final = 3  # of the stream's row: how far the last of them was, ms
BEHIND: Final = 4  # of the stream's row: lines in a row that were behind what is known
HIGHEST: Final = 5  # of the stream's row: how far ahead the furthest of them was, at least 0, ms
_RING: Final = 8

_DAY_MS: Final = 86_400_000
_AHEAD_MS: Final = 300_000  # a venue time further ahead of its receive stamp is no clock error, it is wrong
_TRUST_MS: Final = 2_000  # further ahead than is known by more than this waits for others to confirm it
_CONFIRMING: Final = 8  # lines in a row
_BBO: Final = int(EventKind.BBO)
_TRADES: Final = int(EventKind.TRADES)
_CTX: Final = int(EventKind.CTX)
_NOTHING_NEW: Final = int(LineKind.NOTHING_NEW)
_IGNORED: Final = int(LineKind.IGNORED_COIN)
CROSSED: Final = -int(QuarantineReason.CROSSED)
_UNSORTED: Final = -int(QuarantineReason.UNSORTED)
_TIME_BACK: Final = -int(QuarantineReason.TIME_BACK)
_TIME_RANGE: Final = -int(QuarantineReason.TIME_RANGE)
_TIME_AHEAD: Final = -int(QuarantineReason.TIME_AHEAD)
_RECV_BACK: Final = -int(QuarantineReason.RECV_BACK)


def new_state(n_assets: int) -> NDArray[np.int64]:
    """Return the blank state int64[n_assets + 1, width]; the last row belongs to the stream as a whole."""
    return np.zeros((n_assets + 1, _RING + ROW_WIDTH), dtype=np.int64)


def decides_as(state: NDArray[np.int64], other: NDArray[np.int64]) -> bool:
    """Tell whether two states of one universe admit the same from here on: all but the counts of assets is equal."""
    return np.array_equal(state[-1], other[-1]) and all(
        own[CLOCK] == its[CLOCK] and remembers_as(own[_RING:], its[_RING:])
        for own, its in zip(state[:-1], other[:-1], strict=True)
    )


@kernel
def admit(
    kind: int,
    asset: int,
    time_ms: int,
    recv_ns: int,
    limits: tuple[int, int],
    state: NDArray[np.int64],
    pool: NDArray[np.int64],
    off: int,
    end: int,
) -> tuple[int, int, int]:
    """Let a parsed frame through or not; return (line kind, or minus the reason; venue time; end of its pool slice).

    A crossed quote is refused and moves no venue clock; the caller makes an event without values of it, which its
    frame tells.
    `limits` = (ms a quote may lie behind its asset's clock, frame length ms by which lateness is judged). Prints
    known already or older than the first limit are removed from the slice in place.
    """
    stream = state.shape[0] - 1
    if asset >= stream:
        return _IGNORED, time_ms, off
    last_recv = state[stream, CLOCK]
    if recv_ns < last_recv:
        return _RECV_BACK, time_ms, off
    recv_ms = recv_ns // 1_000_000
    clock = state[asset, CLOCK]
    line = kind
    if kind == _CTX:
        if last_recv > 0 and recv_ns - last_recv > _DAY_MS * 1_000_000:
            return _TIME_RANGE, time_ms, off
    elif kind == _TRADES:
        if time_ms > recv_ms + _AHEAD_MS:
            return _TIME_RANGE, time_ms, off
        if _is_unconfirmed(state[stream], time_ms - recv_ms):
            return _TIME_AHEAD, time_ms, off
        oldest = max(clock - limits[0], recv_ms - _DAY_MS)
        end, time_ms = _keep_new(state[asset], clock - clock % limits[1], oldest, pool, off, end)
        if end == off:
            line = _NOTHING_NEW
    else:
        if time_ms > recv_ms + _AHEAD_MS or time_ms < recv_ms - _DAY_MS:
            return _TIME_RANGE, time_ms, off
        if _is_unconfirmed(state[stream], time_ms - recv_ms):
            return _TIME_AHEAD, time_ms, off
        if time_ms < clock - limits[0]:
            return _TIME_BACK, time_ms, off
        fault = _bbo_fault(pool, off) if kind == _BBO else _book_fault(pool, off)
        if fault < 0:
            if fault == CROSSED:
                state[stream, CLOCK] = recv_ns
            return fault, time_ms, off
        if time_ms < clock - clock % limits[1]:
            state[asset, LATE_QUOTES] += 1
    state[stream, CLOCK] = recv_ns
    state[asset, CLOCK] = max(clock, time_ms)
    return line, time_ms, end


@kernel
def _is_unconfirmed(row: NDArray[np.int64], ahead_ms: int) -> bool:
    """Tell whether a venue time is further ahead of its receive stamp than is known, and too few lines confirm it.

    One wrong time would set its asset's clock, and true quotes would be refused until the venue had caught up with it.
    A recorder's clock that was set back shows in every line, so the last of eight alike in a row is believed; one that
    was set forward again shows in eight lines that all stay behind what was known.
    """
    known = row[AHEAD]
    if ahead_ms > known + _TRUST_MS:
        alike = row[UNCONFIRMED] > 0 and abs(ahead_ms - row[FAR]) <= _TRUST_MS
        row[UNCONFIRMED] = row[UNCONFIRMED] + 1 if alike else 1
        row[FAR] = ahead_ms
        if row[UNCONFIRMED] < _CONFIRMING:
            return True
        row[AHEAD] = ahead_ms
    elif known > 0 and ahead_ms < known - _TRUST_MS:
        row[HIGHEST] = max(row[HIGHEST], ahead_ms)
        row[BEHIND] += 1
        if row[BEHIND] < _CONFIRMING:
            row[UNCONFIRMED] = 0
            return False
        row[AHEAD] = row[HIGHEST]
    else:
        row[AHEAD] = max(known, ahead_ms)
    row[UNCONFIRMED], row[BEHIND], row[HIGHEST] = 0, 0, 0
    return False


@kernel
def _keep_new(
    row: NDArray[np.int64], frame_start: int, oldest: int, pool: NDArray[np.int64], off: int, end: int
) -> tuple[int, int]:
    """Move the usable prints of `pool[off:end]` to its front; return (new end, latest time kept)."""
    kept, latest = off, 0
    ring = row[_RING:]
    for at in range(off, end, 5):
        time_ms = pool[at + 3]
        if not first_seen(ring, time_ms, pool[at + 4]):
            row[DUPLICATES] += 1
            continue
        if time_ms < oldest:
            row[STALE] += 1
            continue
        for k in range(5):
            pool[kept + k] = pool[at + k]
        kept += 5
        row[PRINTS] += 1
        if time_ms < frame_start:
            row[LATE_PRINTS] += 1
        latest = max(latest, time_ms)
    return kept, latest


@kernel
def _bbo_fault(pool: NDArray[np.int64], off: int) -> int:
    bid, ask = pool[off], pool[off + 3]
    return CROSSED if bid > 0 and ask > 0 and bid >= ask else 0


@kernel
def _book_fault(pool: NDArray[np.int64], off: int) -> int:
    n_bids, n_asks = pool[off], pool[off + 1]
    first_ask = off + 2 + 3 * n_bids
    for level in range(1, n_bids):
        if pool[off + 2 + 3 * level] >= pool[off + 3 * level - 1]:
            return _UNSORTED
    for level in range(1, n_asks):
        if pool[first_ask + 3 * level] <= pool[first_ask + 3 * level - 3]:
            return _UNSORTED
    if n_bids > 0 and n_asks > 0 and pool[off + 2] >= pool[first_ask]:
        return CROSSED
    return 0
