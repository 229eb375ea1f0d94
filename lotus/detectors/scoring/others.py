"""What the coins of other live shards closed: the values that cross-asset terms read of them, as the tape says them.

The order parameter and the crowding of a window read the window before on all coins of the universe. A shard sees some;
a control record of its tape holds what it read of the others, and live, replay and batch obey the record. Nothing is
computed here. (Literature: bulk synchronous exchange, write-ahead log.)
"""

import math
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from lotus.microtape.wire.reasons import ControlRecord
from lotus.names import is_name

MOST: Final = 100_000  # coins of one record; a longer list is none


class ClosedWindow(msgspec.Struct, frozen=True, array_like=True):
    """What cross-asset terms read of one coin's window: its phase (both null: unknown), detectors up and down."""

    asset: str
    phase_cos: float | None
    phase_sin: float | None
    ups: int
    downs: int


class OthersClosed(msgspec.Struct, frozen=True):
    """The window that ended at `window_end_ms` (ms UTC) on coins of other shards; of those `missing` nothing came."""

    window_end_ms: int
    closed: tuple[ClosedWindow, ...]
    missing: tuple[str, ...] = ()


class HeardAt(msgspec.Struct, frozen=True):
    """What holds for the windows that a line after (recv_ns, seq) closes."""

    recv_ns: int
    seq: int
    others: OthersClosed


def others_of(data: Any) -> OthersClosed | None:
    """Return what the data of a control record says of other shards; None where it says nothing or is not readable."""
    entry = data.get("others") if isinstance(data, dict) else None
    if entry is None:
        return None
    try:
        found = msgspec.convert(entry, OthersClosed)
    except msgspec.ValidationError:
        return None
    is_whole = len(found.closed) + len(found.missing) <= MOST and all(map(is_name, found.missing))
    return found if is_whole and abs(found.window_end_ms) < 2**62 and all(map(_is_sound, found.closed)) else None


def heard(controls: Iterable[ControlRecord]) -> list[HeardAt]:
    """Return what control records of a tape say of other shards, in their order."""
    records = ((control, others_of(control.data)) for control in controls)
    return [HeardAt(control.recv_ns, control.seq, others) for control, others in records if others is not None]


def _is_sound(one: ClosedWindow) -> bool:
    phase = one.phase_cos, one.phase_sin
    is_phase = phase == (None, None) or all(x is not None and math.isfinite(x) and abs(x) <= 1.5 for x in phase)
    return is_name(one.asset) and is_phase and 0 <= one.ups < 2**31 and 0 <= one.downs < 2**31
