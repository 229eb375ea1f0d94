"""Requests under faults: accepted without an answer, never come, turned away, without budget."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from check_venue import BID, COIN
from faulty_venue import against
from local_bed import ACCOUNT, LocalBed, local_venue

from lotus.errors import VenueError
from lotus.trading.execution.orders import OrderState, Side, TimeInForce
from lotus_venues.hyperliquid.exchange import Exchange
from lotus_venues.hyperliquid.http import JsonPoster
from lotus_venues.hyperliquid.rate_budget import AddressWeight, RateBudget
from lotus_venues.local_exchange.faults import Fault, FaultKind

pytestmark = pytest.mark.process("a local exchange over wall time")


def orders_of(made: LocalBed, name: str) -> list[dict[str, Any]]:
    """Return what the exchange itself knows of a name."""
    return [row for row in made.exchange.dump(ACCOUNT)["orders"] if row["cloid"] == name]


@pytest.mark.parametrize("kind", [FaultKind.ERROR_AFTER, FaultKind.HANG_AFTER])
def test_an_accepted_order_without_an_answer_is_unknown_then_found(kind: FaultKind, tmp_path: Path) -> None:
    async def work(made: LocalBed) -> None:
        made.exchange.faults.switch([Fault(kind, "order", at=(1,))])
        order = made.bed.order(Side.BUY, BID - 100)
        assert (await made.bed.one(order)).state is OrderState.UNKNOWN
        assert (await made.venue.order_of(order.client_id)).state is OrderState.RESTING
        assert (await made.bed.one(order)).state is OrderState.RESTING
        assert len(orders_of(made, order.client_id)) == 1
        assert made.venue.exchange.unknowns == 1

    against(work, tmp_path)


@pytest.mark.parametrize("kind", [FaultKind.ERROR_BEFORE, FaultKind.HANG_BEFORE])
def test_an_order_that_never_came_is_unknown_until_its_expiry(kind: FaultKind, tmp_path: Path) -> None:
    async def work(made: LocalBed) -> None:
        made.exchange.faults.switch([Fault(kind, "order", at=(1,))])
        order = made.bed.order(Side.BUY, BID - 100)
        expires = made.venue.exchange.now_ms + 800
        assert (await made.bed.one(order)).state is OrderState.UNKNOWN
        assert (await made.bed.one(order)).state is OrderState.UNKNOWN
        await made.bed.state(order.client_id, OrderState.NEVER_PLACED)
        assert made.venue.exchange.now_ms >= expires
        assert (await made.bed.one(order)).state is OrderState.NEVER_PLACED
        assert not orders_of(made, order.client_id)

    against(work, tmp_path)


def test_a_request_turned_away_or_never_sent_leaves_its_name_free(tmp_path: Path) -> None:
    async def work(made: LocalBed) -> None:
        order = made.bed.order(Side.BUY, BID - 100)
        made.exchange.faults.switch([Fault(FaultKind.TOO_MANY, "order", at=(1,))])
        with pytest.raises(VenueError, match="429"):
            await made.bed.one(order)
        poster, url = made.venue.exchange.poster, made.exchange.url
        made.venue.exchange.poster = JsonPoster("http://127.0.0.1:1")
        made.venue.exchange.poster.open()
        with pytest.raises(VenueError, match="cannot be reached"):
            await made.bed.one(order)
        made.venue.exchange.poster.close()
        made.venue.exchange.poster = poster
        assert poster.base_url == url
        assert (await made.bed.one(order)).state is OrderState.RESTING
        assert len(orders_of(made, order.client_id)) == 1

    against(work, tmp_path)


def test_another_process_never_sends_a_name_again(tmp_path: Path) -> None:
    async def work(made: LocalBed) -> None:
        order = made.bed.order(Side.BUY, BID - 100)
        await made.bed.one(order)
        await made.venue.close()
        made.venue.exchange.signer.journal.close()
        made.venue = local_venue(made.exchange.url, made.folder, made.hands.clock)
        made.bed.venue = made.venue
        await made.venue.connect()
        assert (await made.bed.one(order)).state is OrderState.RESTING
        assert len(orders_of(made, order.client_id)) == 1

    against(work, tmp_path)


def test_without_budget_nothing_opens_but_cancels_stops_and_exits_go(tmp_path: Path) -> None:
    async def work(made: LocalBed) -> None:
        order = made.bed.order(Side.BUY, BID - 100)
        await made.bed.one(order)
        await made.bed.bought()
        made.venue.exchange.budget = RateBudget(AddressWeight(40, 40))
        refused = made.bed.order(Side.BUY, BID - 100)
        with pytest.raises(VenueError, match="weight"):
            await made.bed.one(refused)
        await made.venue.cancel(COIN, [order.client_id])
        assert orders_of(made, order.client_id)[0]["status"] == "canceled"
        assert not orders_of(made, refused.client_id)
        stop, leave = made.bed.stop(Side.SELL, BID - 1000), made.bed.order(Side.SELL, BID - 100, tif=TimeInForce.IOC)
        assert (await made.bed.one(stop)).state is OrderState.WAITING
        assert (await made.bed.one(replace(leave, reduce_only=True))).state is OrderState.FILLED

    against(work, tmp_path)


class Answers:
    """A poster and the clock that moves on while it asks."""

    def __init__(self, moves_ms: int) -> None:
        self.now_ms, self.moves_ms, self.asked = 10_000, moves_ms, list[str]()

    async def post(self, _path: str, body: dict[str, Any]) -> Any:
        self.asked.append(body["type"])
        self.now_ms += self.moves_ms
        return [] if body["type"] == "frontendOpenOrders" else {"time": 10_000, "marginSummary": {"totalNtlPos": "70"}}


def exchange_of(answers: Answers, shares_clock: bool = False) -> tuple[Exchange, list[Any]]:
    """Return an exchange whose signer notes what it was shown."""
    shown: list[Any] = []
    exposure = SimpleNamespace(signed_usd=Decimal(5))
    signer: Any = SimpleNamespace(exposure=exposure, saw_open=lambda *seen: shown.append(seen))
    poster: Any = answers
    return Exchange(poster, signer, ACCOUNT, lambda: answers.now_ms, shares_clock=shares_clock), shown


@pytest.mark.parametrize(("shares_clock", "skew_ms"), [(False, -4_000), (True, 0)])
def test_a_tape_that_runs_on_while_an_answer_is_under_way_sets_no_clock(shares_clock: bool, skew_ms: int) -> None:
    exchange, _ = exchange_of(Answers(8_000), shares_clock)
    asyncio.run(exchange.state())
    assert exchange.skew_ms == skew_ms


def test_what_was_told_of_money_is_good_for_what_is_open_once_and_while_the_clock_stands() -> None:
    async def work(exchange: Exchange) -> None:
        await exchange.money()
        exchange.signer.exposure.signed_usd += 2  # signed after the question: it still counts
        await exchange.look_at_exposure()
        await exchange.look_at_exposure()

    still, shown = exchange_of(answers := Answers(0))
    asyncio.run(work(still))
    assert answers.asked == ["clearinghouseState", "frontendOpenOrders"] * 2
    assert [seen[2] for seen in shown] == [5, 7]
    moving, _ = exchange_of(answers := Answers(1))
    asyncio.run(work(moving))
    assert answers.asked.count("clearinghouseState") == 3
