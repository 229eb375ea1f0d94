"""Each fault does what it says, where it says, as often as it says."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import requests
from local_world import T0, Listener, listener, order_action, post, rich, signed, until, venue, wallet

from lotus.errors import ConfigError
from lotus_venues.local_exchange.faults import (
    BOOK_KINDS,
    REQUEST_KINDS,
    STREAM_KINDS,
    Fault,
    FaultKind,
    Faults,
    read_faults,
)
from lotus_venues.local_exchange.frames import book_frame, trade_frame
from lotus_venues.local_exchange.web.server import LocalExchange

ADDRESS = wallet().address


def open_count(exchange: LocalExchange) -> int:
    """Open orders in truth."""
    return len(exchange.dump(ADDRESS)["openOrders"])


@pytest.mark.parametrize(
    ("kind", "status", "placed"),
    [("error_before", 502, 0), ("error_after", 502, 1), ("too_many", 429, 0)],
)
def test_errors_before_and_after_the_work(kind: str, status: int, placed: int) -> None:
    async def run() -> None:
        async with venue(faults=(Fault(FaultKind(kind), on="order", at=(1,)),)) as exchange:
            assert (await post(exchange, "/exchange", signed(order_action())))[0] == status
            assert open_count(exchange) == placed
            assert (await post(exchange, "/exchange", signed(order_action())))[0] == 200
            assert open_count(exchange) == placed + 1
            assert exchange.faults.struck == {f"{kind}:order": 1}

    asyncio.run(run())


@pytest.mark.parametrize(("kind", "placed"), [("hang_before", 0), ("hang_after", 1)])
def test_no_answer_before_and_after_the_work(kind: str, placed: int) -> None:
    async def run() -> None:
        async with venue(faults=(Fault(FaultKind(kind), on="order", at=(1,)),)) as exchange:
            with pytest.raises(requests.Timeout):
                await post(exchange, "/exchange", signed(order_action()), timeout=0.2)
            assert open_count(exchange) == placed
            assert (await post(exchange, "/info", {"type": "meta"}))[0] == 200

    asyncio.run(run())


def test_one_error_for_a_whole_batch() -> None:
    async def run() -> None:
        async with venue(faults=(Fault(FaultKind.ONE_ERROR, on="order", at=(1,)),)) as exchange:
            batch = order_action()
            batch["orders"] *= 3
            _, answer = await post(exchange, "/exchange", signed(batch))
            assert answer["response"]["data"]["statuses"] == [{"error": "Price must be divisible by tick size."}]
            assert open_count(exchange) == 0

    asyncio.run(run())


def test_every_fault_is_on_the_page() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "reference" / "local_exchange.md").read_text()
    assert not [kind for kind in FaultKind if f"`{kind}`" not in page]
    assert set(FaultKind) == REQUEST_KINDS | STREAM_KINDS | BOOK_KINDS


def test_a_slow_answer_comes_late() -> None:
    async def run() -> None:
        async with venue(faults=(Fault(FaultKind.SLOW, on="info:meta", at=(1,), seconds=0.3),)) as exchange:
            with pytest.raises(requests.Timeout):
                await post(exchange, "/info", {"type": "meta"}, timeout=0.1)
            assert (await post(exchange, "/info", {"type": "meta"}))[0] == 200

    asyncio.run(run())


async def trade_three(exchange: LocalExchange, client: Listener) -> list[Any]:
    """Buy three times; return the fill numbers that the client heard, message by message."""
    await client.subscribe("userFills", user=ADDRESS)
    for _ in range(3):
        await post(exchange, "/exchange", signed(order_action("100001", tif="Ioc")))
    if any(s.is_silent for s in exchange.hub.sessions) or not exchange.hub.sessions:
        await asyncio.sleep(0.1)
    else:
        await client.settled()
    return [[f["tid"] for f in data["fills"]] for data in client.on("userFills") if not data.get("isSnapshot")]


@pytest.mark.parametrize(
    ("kind", "heard"),
    [
        ("duplicate", [[1], [2], [2], [3]]),
        ("drop", [[1], [3]]),
        ("reorder", [[1], [3], [2]]),
        ("silent", [[1]]),
        ("disconnect", [[1]]),
    ],
)
def test_the_user_stream_repeats_loses_reorders_falls_silent_and_ends(kind: str, heard: list[list[int]]) -> None:
    async def run() -> None:
        fault = Fault(FaultKind(kind), on="userFills", at=(2,))
        async with venue(faults=(fault,)) as exchange, listener(exchange) as client:
            assert await trade_three(exchange, client) == heard
            assert (client.code is not None) == (kind == "disconnect")
            assert len(exchange.dump(ADDRESS)["fills"]) == 3

    asyncio.run(run())


def test_a_reordered_message_comes_at_last_even_alone() -> None:
    async def run() -> None:
        fault = Fault(FaultKind.REORDER, on="userFills", at=(3,))
        async with venue(faults=(fault,)) as exchange, listener(exchange) as client:
            assert (await trade_three(exchange, client))[:2] == [[1], [2]]
            await until(lambda: len(client.on("userFills")) == 4)

    asyncio.run(run())


def test_a_stale_book_withholds_frames_of_one_coin_and_trading_goes_on() -> None:
    async def run() -> None:
        fault = Fault(FaultKind.STALE_BOOK, on="BTC", at=(1,), length=2)
        async with venue() as exchange, listener(exchange) as client:
            await client.subscribe("l2Book", coin="BTC")
            await client.settled()
            exchange.faults.switch([fault])
            before = len(client.on("l2Book"))
            for tick in range(1, 5):
                exchange.feed(book_frame("BTC", T0 + tick, [("99990.0", "1.0")], [("99991.0", f"{tick}.0")]))
            await until(lambda: len(client.on("l2Book")) == before + 2)
            assert [d["time"] for d in client.on("l2Book")[before:]] == [T0 + 3, T0 + 4]
            assert exchange.engine.state.markets[0].asks.best_px == 999_910

    asyncio.run(run())


@pytest.mark.parametrize(("repeats", "told"), [(True, 1), (False, 0)])
def test_the_last_prints_come_again_after_a_reconnect(repeats: bool, told: int) -> None:
    async def run() -> None:
        async with venue(repeats_trades=repeats) as exchange:
            exchange.feed(trade_frame("BTC", T0 + 1, "B", "100001.0", "0.1", 5))
            for _ in range(2):
                async with listener(exchange) as client:
                    await client.subscribe("trades", coin="BTC")
                    await client.settled()
                    assert len(client.on("trades")) == told
                    exchange.drop_sockets()

    asyncio.run(run())


def test_faults_follow_their_seed_counts_and_limits() -> None:
    def struck(seed: int, **keys: Any) -> list[int]:
        faults = Faults(seed, (Fault(FaultKind.ERROR_AFTER, on="order", **keys),))
        return [i for i in range(200) if faults.draw(REQUEST_KINDS, "order") is not None]

    assert struck(1, probability=0.1) == struck(1, probability=0.1) != struck(2, probability=0.1)
    assert 5 < len(struck(1, probability=0.1)) < 45
    assert struck(1, at=(3, 7)) == [2, 6]
    assert len(struck(1, probability=1.0, limit=4)) == 4
    faults = Faults(0, (Fault(FaultKind.DROP, probability=1.0),))
    assert faults.draw(REQUEST_KINDS, "order") is None


@pytest.mark.parametrize(
    "row", [{"kind": "flood"}, {}, {"kind": "drop", "colour": 1}, {"kind": "drop", "probability": 1.5}]
)
def test_faults_of_another_form_are_refused(row: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        read_faults([row])


def test_options_name_faults_too() -> None:
    assert rich(faults=read_faults([{"kind": "drop", "at": [2]}])).faults[0].at == (2,)
