"""The venue clock of one asset and the one rule that says when silence is a gap (a pure function of the stamps).

Used by the batch gap finder and, event by event, by the frame machine, so that both see the same gaps. Session hours
and reports are not known here (`gaps.py`).

Rule: the clock is the latest venue time that counted as progress. Book and bbo events always count. A trade counts
when it continues the clock within the gap limit, or when the asset never had a quote (a tape of trades alone). A jump
beyond the limit may be a print replayed after a reconnect: it ends the silence when it is no older than two seconds
against its receive stamp and another such print came a second before, with no quote between: trading goes on where
quotes have died. CTX events carry no venue time, CROSSED ones are put aside.
"""

from typing import Final

from lotus.jit import kernel
from lotus.microtape.events import EventKind

_CTX: Final = int(EventKind.CTX)
_TRADES: Final = int(EventKind.TRADES)
_CROSSED: Final = int(EventKind.CROSSED)
FRESH_MS: Final = 2_000
APART_MS: Final = 1_000


@kernel
def clock_progress(
    kind: int, time_ms: int, recv_ns: int, clock_ms: int, waiting_ms: int, has_quotes: bool, gap_ms: int
) -> tuple[int, int]:
    """Return the asset's clock after an event (ms) and the time of a fresh print that waits for another (0: none).

    Given its clock before (< 0: none yet) and what waited; `has_quotes` = a BOOK, FAST or BBO event of the asset came
    before this one.
    """
    if kind in (_CTX, _CROSSED) or time_ms <= clock_ms:
        return clock_ms, waiting_ms
    if kind == _TRADES and has_quotes and clock_ms >= 0 and time_ms - clock_ms > gap_ms:
        if recv_ns // 1_000_000 - time_ms > FRESH_MS:
            return clock_ms, waiting_ms
        if waiting_ms == 0:
            return clock_ms, time_ms
        if time_ms - waiting_ms < APART_MS:
            return clock_ms, waiting_ms
    return time_ms, 0


@kernel
def ends_gap(kind: int, has_quotes: bool, before_ms: int, after_ms: int, gap_ms: int) -> bool:
    """Return whether an event that moved the clock from `before_ms` to `after_ms` ended a gap.

    The first quote of an asset starts its clock afresh: prints replayed before it are no silence.
    """
    return before_ms >= 0 and after_ms - before_ms > gap_ms and (has_quotes or kind == _TRADES)
