"""Sessions of the watchdog: they sign nothing that opens, with nonces of their own."""

import asyncio
import time
from decimal import Decimal
from pathlib import Path

import pytest
from watch_bed import ACCOUNT, LOT, name_of, watch_bed

from lotus.errors import ConfigError, VenueError
from lotus.trading.execution.orders import NewOrder, Side
from lotus_desk.watch.sessions import guard_session, make_known
from lotus_venues.hyperliquid.guard import NOT_LISTED
from lotus_venues.hyperliquid.order_wire import order_wire
from lotus_venues.local_exchange.engine.values import ExitRules

pytestmark = pytest.mark.clock("a watchdog waits for beats that do not come")


def test_a_closing_larger_than_the_position_is_refused_told_and_sized_anew(tmp_path: Path) -> None:
    async def go() -> None:
        async with watch_bed(tmp_path) as bed:
            bed.exchange.engine.state.exit_rules = ExitRules(is_strict=True)
            await bed.hold()
            session = guard_session(bed.settings, ACCOUNT)
            await make_known(session)
            await session.open()
            assert await session.close_out({"BTC": 2 * LOT}) == {"BTC": "Reduce only order would increase position."}
            assert await session.close_out((await session.look()).positions) == {"BTC": ""}
            assert bed.held == 0
            session.close()

    asyncio.run(go())


def test_its_session_signs_nothing_that_opens(tmp_path: Path) -> None:
    async def go() -> None:
        async with watch_bed(tmp_path) as bed:
            session = guard_session(bed.settings, ACCOUNT)
            await make_known(session)
            await session.open()
            wire = order_wire(NewOrder(name_of(9), "BTC", Side.BUY, LOT, Decimal(95_000)), 0)
            with pytest.raises(VenueError, match="at most 0"):
                await session.exchange.act({"type": "order", "orders": [wire], "grouping": "na"})
            assert bed.resting == []
            session.close()

    asyncio.run(go())


def test_a_position_in_a_coin_that_is_not_listed_is_named(tmp_path: Path) -> None:
    async def go() -> None:
        async with watch_bed(tmp_path) as bed:
            await bed.hold()
            await bed.rest()
            session = guard_session(bed.settings, ACCOUNT)
            await make_known(session)
            await session.open()
            session._assets.clear()
            held = await session.look()
            assert await session.cancel(held.opening) == [f"BTC: {NOT_LISTED}"]
            assert await session.close_out(held.positions) == {"BTC": NOT_LISTED}
            session.close()

    asyncio.run(go())


def test_desk_and_watchdog_never_share_a_nonce(tmp_path: Path) -> None:
    """Both sign at once, in the same milliseconds: other keys, other journals, and the exchange takes every request."""

    async def go() -> None:
        async with watch_bed(tmp_path) as bed:
            session = guard_session(bed.settings, ACCOUNT)
            await make_known(session)
            await session.open()
            desk, still = bed.venue.exchange, 1_000_000 + int(time.time() * 1000)
            desk.clock_ms = session.exchange.clock_ms = lambda: still
            desk.skew_ms = session.exchange.skew_ms = 0
            for _ in range(12):
                answers = await asyncio.gather(*(one.act({"type": "noop"}) for one in (desk, session.exchange)))
                assert [answer["status"] for answer in answers] == ["ok", "ok"]
            assert desk.signer.address != session.exchange.signer.address
            assert desk.signer.journal.folder != session.exchange.signer.journal.folder
            assert desk.signer.journal.last_nonce == session.exchange.signer.journal.last_nonce, "the very same numbers"
            with pytest.raises(VenueError, match="in use"):
                guard_session(bed.settings, ACCOUNT)
            session.close()

    asyncio.run(go())


def test_the_desks_own_key_is_refused(tmp_path: Path) -> None:
    async def go() -> None:
        async with watch_bed(tmp_path) as bed:
            folder = bed.settings.keys_root / "venue"
            copy = folder / f"{ACCOUNT}.watchdog.key"
            copy.write_text((folder / f"{ACCOUNT}.key").read_text())
            copy.chmod(0o600)
            with pytest.raises(ConfigError, match="the desk's key"):
                guard_session(bed.settings, ACCOUNT)

    asyncio.run(go())
