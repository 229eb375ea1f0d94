"""Nothing is opened unless every module is of one release and schema: real differences in PostgreSQL, and their end."""

import asyncio
import logging
from dataclasses import replace
from decimal import Decimal

import pytest

from lotus.manifest import Asset
from lotus.trading.execution.orders import Side
from lotus.trading.plan.plan import probe_plan
from lotus.trading.plan.refusals import RefusalReason
from lotus.trading.plan.validate import refusals
from lotus_desk.market.snapshot import DeskTerms, MarketSnapshot
from lotus_desk.safety import interlock as interlock_module
from lotus_desk.safety.interlock import UNKNOWN, Interlock
from lotus_store.databases import Databases

BTC = Asset("BTC", 5)
NOW_MS = 1_700_000_000_000


def market() -> MarketSnapshot:
    terms = DeskTerms(Decimal(1000), Decimal(300), Decimal(10**6), 5_000)
    return MarketSnapshot((BTC,), "local", terms, lambda: NOW_MS, mismatch=UNKNOWN)


def reasons(made: MarketSnapshot) -> dict[str, str]:
    """Return why a plan would be refused on this market now."""
    at = made.account_state("BTC", made.terms(Side.BUY).authority.account)
    terms = replace(made.terms(Side.BUY), release=at.release)
    plan = probe_plan("e", BTC, Side.BUY, Decimal(100_000), NOW_MS, 30_000, terms)
    return {refusal.reason.value: refusal.found for refusal in refusals(plan, at)}


def test_a_column_that_only_one_of_them_has_holds_opening_until_it_is_gone(
    databases: Databases, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    made = market()
    lock = Interlock(made, databases)
    assert UNKNOWN in reasons(made)[RefusalReason.RELEASE_MISMATCH]
    lock.look()
    assert RefusalReason.RELEASE_MISMATCH not in reasons(made)
    assert not caplog.records, "a start that holds nothing says nothing"
    with databases.owner("vis") as connection:
        connection.execute("ALTER TABLE vis_strand ADD COLUMN stray text")
    try:
        lock.look()
    finally:
        with databases.owner("vis") as connection:
            connection.execute("ALTER TABLE vis_strand DROP COLUMN stray")
    assert "vis: vis_strand.stray" in reasons(made)[RefusalReason.RELEASE_MISMATCH]
    assert "opening is held: vis: vis_strand.stray" in caplog.text
    lock.look()
    assert RefusalReason.RELEASE_MISMATCH not in reasons(made)
    assert "nothing holds opening any more" in caplog.text


def test_a_ledger_that_is_away_changes_nothing_of_what_was_found(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = market()
    lock = Interlock(made, databases)

    def away(_databases: Databases) -> list[str]:
        raise OSError("gone")

    monkeypatch.setattr(interlock_module, "mismatches", away)
    lock.look()
    assert made.mismatch == UNKNOWN, "never compared is not equal"
    monkeypatch.undo()
    lock.look()
    monkeypatch.setattr(interlock_module, "mismatches", away)
    lock.look()
    assert made.mismatch == ""


def test_it_is_looked_at_again(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interlock_module, "HELD_S", 0.02)
    made = market()

    async def go() -> None:
        task = asyncio.create_task(Interlock(made, databases).run())
        async with asyncio.timeout(20):
            while made.mismatch:
                await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(go())
