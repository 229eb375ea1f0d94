"""Tapes of quotes and prints by second, and the spans of their gaps."""

from lotus.microtape.events import NO_TIME, EventBatch, EventInput, EventKind, build_batch
from lotus.timebase import HOUR_MS, day_start_ms

DAY = day_start_ms("2025-09-04")
BBO, TRADES, CTX, BOOK = EventKind.BBO, EventKind.TRADES, EventKind.CTX, EventKind.BOOK


def _tape(*events: tuple[EventKind, int] | tuple[EventKind, int, int]) -> EventBatch:
    """Build events (kind, ms after 08:00[, asset]); the receive stamp is 400 ms behind the latest venue time."""
    start, latest, rows = DAY + 8 * HOUR_MS, 0, []
    for seq, (kind, offset, *asset) in enumerate(events):
        latest = max(latest, offset)
        time_ms = NO_TIME if kind == CTX else start + offset
        recv_ns = (start + latest + 400) * 1_000_000
        values = {BBO: (1, 1, 1, 2, 1, 1), BOOK: (0, 0), CTX: (0,) * 8}.get(kind, (5, 1, 1, time_ms, seq))
        rows.append(EventInput(recv_ns, time_ms, seq, kind, asset[0] if asset else 0, values))
    return build_batch(rows)
