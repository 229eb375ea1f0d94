"""Rows carry the numbers of their module and branch of the day before, and nothing of any other day."""

from datetime import UTC, datetime, timedelta, timezone

import msgspec

from lotus.atlas.numbers import LedgerNumbers
from lotus.atlas.rows import LedgerRow, branches_of, numbers_key, row_of_strand, with_numbers
from lotus.modules.intents import Module

AT = datetime(2026, 1, 10, 0, 30, tzinfo=UTC)
ROW = LedgerRow(
    ledger_id="a", module="sig", kind="PRIOR_PATCH", ref_table="sig_outbox", ref_id="a", branch="main",
    lifecycle_id="t", parent_id=None, symbol=None, timeframe=None, session_bucket=None, regime=None, tags=[],
    priority=0, ttl=0, retry_count=0, status="delivered", created_at=AT, processed_at=AT,
)  # fmt: skip
TOLD = LedgerNumbers(resonance_frequency=0.5, observer_effects={"effect_bps": 1.0})


def at(moment: datetime, branch: str = "main") -> LedgerRow:
    return msgspec.structs.replace(ROW, created_at=moment, branch=branch)


def test_the_day_is_that_before_the_event_in_utc() -> None:
    assert numbers_key(ROW) == ("main", "2026-01-09", "sig")
    assert numbers_key(at(AT.astimezone(timezone(-timedelta(hours=9))))) == ("main", "2026-01-09", "sig")
    assert numbers_key(at(datetime(2026, 1, 9, 23, 59, 59, 999_999, tzinfo=UTC))) == ("main", "2026-01-08", "sig")
    assert numbers_key(at(datetime(1970, 1, 1, tzinfo=UTC)))[1] == "1969-12-31"


def test_a_row_carries_its_own_numbers_only() -> None:
    known = {("main", "2026-01-09", "sig"): TOLD}
    carrying = with_numbers(ROW, known)
    assert (carrying.resonance_frequency, carrying.observer_effects, carrying.entanglement_data) == (
        0.5, {"effect_bps": 1.0}, None,
    )  # fmt: skip
    for stranger in (at(AT + timedelta(days=1)), at(AT - timedelta(days=1)), at(AT, "other")):
        assert with_numbers(stranger, known) == stranger
    assert with_numbers(carrying, {}) == ROW, "numbers that are gone are carried no longer"


def test_a_strand_is_of_the_branch_of_its_thread() -> None:
    messages = [at(AT), at(AT, ""), msgspec.structs.replace(at(AT, "other"), lifecycle_id="u")]
    messages += [msgspec.structs.replace(at(AT, name), lifecycle_id="torn") for name in ("main", "other")]
    branches = branches_of(messages)
    assert branches == {"t": "main", "u": "other"}
    strand = dict.fromkeys(("parent_id", "symbol", "timeframe", "session_bucket", "regime"))
    for thread, branch in (("t", "main"), ("u", "other"), ("torn", ""), ("silent", "")):
        values = strand | {"id": "s", "kind": "k", "lifecycle_id": thread, "created_at": AT, "updated_at": AT}
        assert row_of_strand(Module.DM, values, branches).branch == branch
