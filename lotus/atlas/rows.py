"""Rows of the ledger: one for every message that was delivered or became a dead letter, one for every strand.

A row is a function of the row it mirrors and of the numbers of its module and day (`numbers`), so that the ledger can
be made again from the modules' databases at any time.
`created_at` is event time, `processed_at` the time at which the Herald was done (a strand's last change).
(Literature: materialised view.)
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from lotus.atlas.numbers import Key, Known, LedgerNumbers
from lotus.json_text import too_deep
from lotus.modules.envelope import Envelope
from lotus.modules.intents import Module
from lotus.timebase import session_of

UNREADABLE = "UNREADABLE"  # kind of a message whose text is no envelope
END_MS = 253_402_300_800_000  # the first millisecond of the year 10000
KEPT = "kept"  # status of a strand
NOTHING = LedgerNumbers()


class LedgerRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `lotus_ledger`, columns in the table's order."""

    ledger_id: str
    module: str
    kind: str
    ref_table: str
    ref_id: str
    branch: str
    lifecycle_id: str
    parent_id: str | None
    symbol: str | None
    timeframe: str | None
    session_bucket: str | None
    regime: str | None
    tags: list[str]
    priority: int
    ttl: int
    retry_count: int
    status: str
    resonance_frequency: float | None = None
    observer_effects: dict[str, Any] | None = None
    entanglement_data: dict[str, Any] | None = None
    created_at: datetime
    processed_at: datetime


def row_of_message(
    sender: Module, event_id: str, text: str, attempts: int, status: str, processed_at: datetime
) -> LedgerRow:
    """Return the row of an outbox row that is done; `text` is what its sender wrote, an envelope or not."""
    e = _readable(text)
    payload = e.payload if e else {}
    return LedgerRow(
        ledger_id=event_id,
        module=sender.value,
        kind=e.intent.value if e else UNREADABLE,
        ref_table=f"{sender.value}_outbox",
        ref_id=event_id,
        branch=e.branch if e else "",
        lifecycle_id=e.lifecycle_id if e else event_id,
        parent_id=(e.parent_id if e else "") or None,
        symbol=_text(payload, "asset", "symbol"),
        timeframe=_seconds(payload.get("horizon_s")),
        session_bucket=session_of(e.ts).name if e else None,
        regime=_text(payload, "regime"),
        tags=list(e.tags) if e else [],
        priority=e.priority if e else 0,
        ttl=e.ttl_sec if e else 0,
        retry_count=attempts,
        status=status,
        created_at=datetime.fromtimestamp(e.ts / 1000, UTC) if e else processed_at,
        processed_at=processed_at,
    )


def row_of_strand(module: Module, strand: Mapping[str, Any], branches: Mapping[str, str]) -> LedgerRow:
    """Return the row of a strand, given by the envelope columns that every module's strands have.

    A strand does not name its branch: it is that of its thread (`branches_of`), none where nobody spoke in it.
    """
    return LedgerRow(
        ledger_id=f"{module.value}:{strand['id']}",
        module=module.value,
        kind=strand["kind"],
        ref_table=f"{module.value}_strand",
        ref_id=strand["id"],
        branch=branches.get(strand["lifecycle_id"], ""),
        lifecycle_id=strand["lifecycle_id"],
        parent_id=strand["parent_id"],
        symbol=strand["symbol"],
        timeframe=strand["timeframe"],
        session_bucket=strand["session_bucket"],
        regime=strand["regime"],
        tags=[],
        priority=0,
        ttl=0,
        retry_count=0,
        status=KEPT,
        created_at=strand["created_at"],
        processed_at=strand["updated_at"],
    )


def branches_of(messages: Iterable[LedgerRow]) -> dict[str, str]:
    """Return the branch of every thread in which messages name one and no other."""
    named: dict[str, set[str]] = {}
    for row in messages:
        named.setdefault(row.lifecycle_id, set()).update({row.branch} - {""})
    return {thread: next(iter(branches)) for thread, branches in named.items() if len(branches) == 1}


def numbers_key(row: LedgerRow) -> Key:
    """Return whose numbers a row carries: those of its branch and module of the day before it.

    They are known when its day begins; what happens on the day changes none of its rows.
    """
    before = row.created_at.astimezone(UTC).date() - timedelta(days=1)
    return row.branch, before.isoformat(), row.module


def with_numbers(row: LedgerRow, numbers: Known) -> LedgerRow:
    """Return the row with what is known of its module; without any of that day it has none."""
    own_numbers = numbers.get(numbers_key(row), NOTHING)
    return msgspec.structs.replace(row, **msgspec.structs.asdict(own_numbers))


def _readable(text: str) -> Envelope | None:
    """Return the envelope, or None when it is none or holds what no column can (a NUL, a year beyond 9999)."""
    try:
        if too_deep(text.encode()):
            return None
        envelope = msgspec.json.decode(text, type=Envelope)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    fits = "\\u0000" not in text and envelope.ts < END_MS and envelope.ttl_sec < 2**31
    return envelope if fits else None


def _text(payload: Mapping[str, Any], *names: str) -> str | None:
    return next((str(payload[name]) for name in names if isinstance(payload.get(name), str)), None)


def _seconds(value: object) -> str | None:
    """Return a horizon as the ledger writes it.

    >>> _seconds(300)
    '300s'
    """
    return f"{value}s" if isinstance(value, int) and not isinstance(value, bool) else None
