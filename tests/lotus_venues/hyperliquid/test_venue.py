"""The hyperliquid adapter conforms against the local exchange, and survives faults of requests and sockets."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from check_venue import BID, CHECKS, COIN, Bed
from faulty_venue import against
from local_bed import ACCOUNT, CAPS, LocalBed, MovableClock, local_bed, local_venue

from lotus.errors import VenueError
from lotus.trading.execution.orders import OrderState, OrderUpdate, Side, VenueFill
from lotus_venues.hyperliquid.caps import SignerCaps
from lotus_venues.hyperliquid.known_orders import KnownOrders
from lotus_venues.local_exchange.faults import Fault, FaultKind

pytestmark = pytest.mark.process("a local exchange over wall time")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_local_conforms(check: Callable[[Bed], Awaitable[None]], tmp_path: Path) -> None:
    async def run() -> None:
        async with local_bed(tmp_path) as made:
            await check(made.bed)

    asyncio.run(run())


def test_an_order_that_rests_is_found_though_the_venue_does_not_know_its_status(tmp_path: Path) -> None:
    async def work(made: LocalBed) -> None:
        order = made.bed.order(Side.BUY, BID - 100)
        assert (await made.bed.one(order)).state is OrderState.RESTING
        await asyncio.sleep(0.9)  # past its expiry, when `unknownOid` is believed of what was never answered
        made.exchange.faults.switch([Fault(FaultKind.ONE_ERROR, "info:orderStatus", probability=1.0)])
        assert (await made.venue.order_of(order.client_id)).state is OrderState.RESTING
        made.exchange.faults.switch([])
        await made.venue.cancel(order.coin, [order.client_id])
        await made.bed.state(order.client_id, OrderState.CANCELED)

    against(work, tmp_path)


def test_a_lost_modify_is_found_and_its_old_number_is_not_the_end(tmp_path: Path) -> None:
    async def work(made: LocalBed) -> None:
        order = made.bed.order(Side.BUY, BID - 100)
        first = await made.bed.one(order)
        made.exchange.faults.switch([Fault(FaultKind.ERROR_AFTER, "batchModify", at=(1,))])
        changed = replace(order, limit_px=BID - 90)
        assert (await made.venue.modify(changed)).state is OrderState.UNKNOWN
        await asyncio.sleep(0.1)
        found = await made.venue.order_of(order.client_id)
        assert found.state is OrderState.RESTING
        assert found.oid != first.oid
        await asyncio.sleep(0.1)
        assert not [e for e in made.bed.told if isinstance(e, OrderUpdate) and e.state.is_final]
        (ended,) = await made.venue.cancel(COIN, [order.client_id])
        assert ended.state is OrderState.CANCELED

    against(work, tmp_path)


def test_a_second_modify_waits_for_the_first(tmp_path: Path) -> None:
    async def work(made: LocalBed) -> None:
        order = made.bed.order(Side.BUY, BID - 100)
        await made.bed.one(order)
        made.exchange.faults.switch([Fault(FaultKind.ERROR_BEFORE, "batchModify", at=(1,))])
        assert (await made.venue.modify(replace(order, limit_px=BID - 90))).state is OrderState.UNKNOWN
        with pytest.raises(VenueError, match="not decided"):
            await made.venue.modify(replace(order, limit_px=BID - 80))
        await asyncio.sleep(1.35)
        assert (await made.venue.modify(replace(order, limit_px=BID - 80))).state is OrderState.RESTING
        assert [o.limit_px for o in await made.venue.open_orders()] == [BID - 80]

    against(work, tmp_path)


def test_a_lost_cancel_tells_the_truth(tmp_path: Path) -> None:
    async def work(made: LocalBed) -> None:
        orders = [made.bed.order(Side.BUY, BID - 100) for _ in range(2)]
        await made.venue.place(orders)
        made.exchange.faults.switch(
            [
                Fault(FaultKind.ERROR_AFTER, "cancelByCloid", at=(1,)),
                Fault(FaultKind.ERROR_BEFORE, "cancelByCloid", at=(2,)),
            ]
        )
        (done,) = await made.venue.cancel(COIN, [orders[0].client_id])
        assert done.state is OrderState.CANCELED
        (lost,) = await made.venue.cancel(COIN, [orders[1].client_id])
        assert lost.state is OrderState.UNKNOWN
        assert (await made.venue.order_of(orders[1].client_id)).state is OrderState.RESTING

    against(work, tmp_path)


@pytest.mark.parametrize("how", ["silence", "drop"])
def test_the_stream_comes_back_and_tells_what_was_missed(how: str, tmp_path: Path) -> None:
    async def work(made: LocalBed) -> None:
        order = made.bed.order(Side.BUY, BID)
        await made.bed.one(order)
        assert made.venue.stream is not None
        counts = made.venue.stream.counts
        (made.exchange.silence_sockets if how == "silence" else made.exchange.drop_sockets)()
        await made.hands.trade(Side.SELL, BID - 10, Decimal("0.5"))

        async def told() -> bool:
            names = {e.client_id for e in made.bed.told if isinstance(e, VenueFill)}
            ended = {e.client_id for e in made.bed.told if isinstance(e, OrderUpdate) and e.state is OrderState.FILLED}
            return order.client_id in names & ended

        await made.bed.until(told, "the fill and the end")
        assert counts.connects >= 2
        assert how == "drop" or counts.silent

    against(work, tmp_path)


def test_the_signers_caps_bind_whoever_asks(tmp_path: Path) -> None:
    async def work(made: LocalBed) -> None:
        made.venue.exchange.signer.caps = SignerCaps(Decimal(500), Decimal(10**6), Decimal(10**6), {COIN: Decimal(1)})
        order = made.bed.order(Side.BUY, BID - 100)
        with pytest.raises(VenueError, match="caps"):
            await made.bed.one(order)
        made.venue.exchange.signer.caps = CAPS
        assert (await made.bed.one(order)).state is OrderState.RESTING

    against(work, tmp_path)


def test_an_armed_cancel_all_is_disarmed_before_a_stop_rests(tmp_path: Path) -> None:
    async def work(made: LocalBed) -> None:
        await made.bed.bought()
        now = await made.venue.server_time_ms()
        assert await made.venue.schedule_cancel(now + 6_000)
        account = made.exchange.engine.account(ACCOUNT)
        assert account is not None
        assert account.scheduled_ms == now + 6_000
        await made.bed.one(made.bed.stop(Side.SELL, BID - 500))
        assert account.scheduled_ms is None

    against(work, tmp_path)


@pytest.mark.parametrize(
    ("role", "is_taken"),
    [
        ({"role": "agent", "data": {"user": ACCOUNT.upper().replace("X", "x")}}, True),
        ({"role": "agent", "data": {"user": "0x" + "00" * 20}}, False),
        ({"role": "user"}, False),
        ({"role": "missing"}, False),
        ({}, False),
    ],
)
def test_only_an_agent_of_the_account_may_sign(role: dict[str, Any], is_taken: bool, tmp_path: Path) -> None:
    venue = local_venue("http://127.0.0.1:1", tmp_path, MovableClock())

    async def answer(path: str, body: dict[str, Any]) -> dict[str, Any]:
        assert body == {"type": "userRole", "user": venue.exchange.signer.address}
        return role

    venue.exchange.poster.post = answer  # type: ignore[method-assign]
    if is_taken:
        asyncio.run(venue.exchange.require_agent())
    else:
        with pytest.raises(VenueError, match="role"):
            asyncio.run(venue.exchange.require_agent())


def test_fills_without_a_name_are_named_by_their_order(tmp_path: Path) -> None:
    async def work(made: LocalBed) -> None:
        fill = await made.bed.bought()
        made.venue.known = KnownOrders()
        post = made.venue.exchange.poster.post

        async def nameless(path: str, body: dict[str, Any]) -> Any:
            told = await post(path, body)
            return [row | {"cloid": None} for row in told] if body.get("type") == "userFillsByTime" else told

        made.venue.exchange.poster.post = nameless  # type: ignore[method-assign]
        assert await made.venue.fills_since(0) == [fill]

    against(work, tmp_path)


def test_a_coin_listed_as_isolated_only_takes_no_cross_leverage(tmp_path: Path) -> None:
    async def work(made: LocalBed) -> None:
        (row,) = [row for row in (await made.venue.exchange.info("meta"))["universe"] if row["name"] == "ETH"]
        assert (row["onlyIsolated"], row["marginMode"]) == (True, "strictIsolated")
        with pytest.raises(VenueError, match=r"cross leverage of ETH.*isolated margin"):
            await made.venue.set_leverage("ETH", 3)
        await made.venue.set_leverage("ETH", 3, is_cross=False)
        await made.venue.set_leverage(COIN, 3)

    against(work, tmp_path, isolated=("ETH",))


def test_a_fill_told_without_a_name_before_its_order_keeps_its_average(tmp_path: Path) -> None:
    async def work(made: LocalBed) -> None:
        fill = await made.bed.bought()
        known = made.venue.known = made.venue.looks.known = KnownOrders()
        asked: list[str] = []
        post = made.venue.exchange.poster.post

        async def nameless(path: str, body: dict[str, Any]) -> Any:
            asked.append(str(body.get("type")))
            told = await post(path, body)
            return [row | {"cloid": None} for row in told] if body.get("type") == "userFillsByTime" else told

        made.venue.exchange.poster.post = nameless  # type: ignore[method-assign]
        made.venue.looks.learn(await made.venue.exchange.fills(0))
        asked.clear()
        for _ in range(3):
            found = await made.venue.order_of(fill.client_id)
            assert (found.filled, found.average_px) == (fill.size, fill.px)
        assert asked == ["orderStatus"] * 3, "the executions are not asked for again"
        assert known.average(known.of(fill.client_id), fill.size) == fill.px

    against(work, tmp_path)
