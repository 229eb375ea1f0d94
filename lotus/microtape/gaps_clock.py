"""The venue clock of one asset and the one rule that says when silence is a gap (a pure function of the stamps).

Used by the batch gap finder and, event by event, by the frame machine, so that both see the same gaps. Session hours
and reports are not known here (`gaps.py`).

Rule: the clock is the latest venue time that counted as progress. Book and bbo events always count. A trade counts
when it continues the clock within the gap limit; a jump beyond it is a print replayed after a reconnect and does not
end the silence, unless the asset never had a quote (a tape of trades alone). CTX events carry no venue time.
"""

from typing import Final

from lotus.jit import kernel
from lotus.microtape.events import EventKind

_CTX: Final = int(EventKind.CTX)
_TRADES: Final = int(EventKind.TRADES)


@kernel
def clock_progress(kind: int, time_ms: int, clock_ms: int, has_quotes: bool, gap_ms: int) -> int:
    """Return the asset's clock after an event (ms), given its clock before (< 0: none yet).

    `has_quotes` = a BOOK, FAST or BBO event of the asset came before this one.
    """
    if kind == _CTX or time_ms <= clock_ms:
        return clock_ms
    if kind == _TRADES and has_quotes and clock_ms >= 0 and time_ms - clock_ms > gap_ms:
        return clock_ms
    return time_ms


@kernel
def ends_gap(kind: int, has_quotes: bool, before_ms: int, after_ms: int, gap_ms: int) -> bool:
    """Return whether an event that moved the clock from `before_ms` to `after_ms` ended a gap.

    The first quote of an asset starts its clock afresh: prints replayed before it are no silence.
    """
    return before_ms >= 0 and after_ms - before_ms > gap_ms and (has_quotes or kind == _TRADES)
