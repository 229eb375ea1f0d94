"""Signed requests over real HTTP: expiry, limits, bad bodies, batches and errors of its own."""

import asyncio
from typing import Any
from unittest import mock

import pytest
from local_world import T0, order_action, post, signed, venue, wallet

ADDRESS = wallet().address


def refused(answer: tuple[int, Any]) -> str:
    """The text of a request refused as a whole."""
    status, body = answer
    assert (status, body["status"]) == (200, "err"), answer
    return str(body["response"])


def accepted(answer: tuple[int, Any]) -> Any:
    """The statuses of an accepted request."""
    status, body = answer
    assert (status, body["status"]) == (200, "ok"), answer
    return body["response"].get("data", {}).get("statuses")


def test_a_stale_request_is_refused_and_costs_five() -> None:
    async def run() -> None:
        async with venue() as exchange:
            accepted(await post(exchange, "/exchange", signed(order_action(), expires=T0 + 10)))
            await exchange.advance(T0 + 11)
            text = refused(await post(exchange, "/exchange", signed(order_action(), expires=T0 + 10)))
            assert text == f"Action expired at {T0 + 10}, now {T0 + 11}"
            assert exchange.dump(ADDRESS)["requestsUsed"] == 1 + 5
            assert len(exchange.dump(ADDRESS)["openOrders"]) == 1

    asyncio.run(run())


def test_bodies_that_cannot_be_read_are_422() -> None:
    async def run() -> None:
        async with venue() as exchange:
            bad_order = order_action()
            bad_order["orders"][0]["p"] = 99_000
            bad_tif = order_action(tif="Fok")
            for path, body in (
                ("/info", {"type": "noSuchThing"}),
                ("/info", {"type": "l2Book", "coin": "NOPE"}),
                ("/info", {"type": "openOrders"}),
                ("/info", [1]),
                ("/exchange", {"action": {}}),
                ("/exchange", signed(bad_order)),
                ("/exchange", signed(bad_tif)),
                ("/exchange", "text"),
            ):
                assert (await post(exchange, path, body))[0] == 422, (path, body)
            unknown = refused(await post(exchange, "/exchange", signed({"type": "usdSend"})))
            assert unknown == "Unsupported action on the local exchange: usdSend"
            vault = "0x" + "1" * 40
            text = refused(await post(exchange, "/exchange", signed({"type": "noop"}, vault=vault)))
            assert text == f"Vault not registered: {vault}"

    asyncio.run(run())


def test_weight_of_a_minute_ends_in_429_and_can_be_switched_off() -> None:
    async def run() -> None:
        async with venue(limit_scale=0.05) as exchange:  # 60 of weight
            answers = [(await post(exchange, "/info", {"type": "meta"}))[0] for _ in range(4)]
            assert answers == [200, 200, 200, 429]
            assert (await post(exchange, "/exchange", signed(order_action())))[0] == 429
        async with venue(limit_scale=0) as exchange:
            answers = [(await post(exchange, "/info", {"type": "meta"}))[0] for _ in range(70)]
            assert set(answers) == {200}

    asyncio.run(run())


def test_requests_of_an_address_beyond_its_volume_pass_once_in_ten_seconds_cancels_longer() -> None:
    async def run() -> None:
        async with venue() as exchange:
            exchange.engine.state.accounts[ADDRESS.lower()].requests_used = 10_000
            await exchange.advance(T0 + 20_000)
            accepted(await post(exchange, "/exchange", signed(order_action())))
            text = refused(await post(exchange, "/exchange", signed(order_action())))
            assert text == (
                "Too many cumulative requests sent (10002 > 10000) for cumulative volume traded $0. "
                "Place taker orders to free up 1 request per USDC traded."
            )
            cancel = {"type": "cancel", "cancels": [{"a": 0, "o": 1}]}
            accepted(await post(exchange, "/exchange", signed(cancel)))
            await exchange.advance(T0 + 30_001)
            accepted(await post(exchange, "/exchange", signed(order_action())))
            rate = (await post(exchange, "/info", {"type": "userRateLimit", "user": ADDRESS}))[1]
            assert rate == {"cumVlm": "0.0", "nRequestsUsed": 10_003, "nRequestsCap": 10_000}

    asyncio.run(run())


def test_a_batch_is_answered_order_by_order() -> None:
    async def run() -> None:
        async with venue() as exchange:
            action = order_action()
            action["orders"] += [order_action("99000.5")["orders"][0], order_action("100001", tif="Ioc")["orders"][0]]
            resting, wrong, filled = accepted(await post(exchange, "/exchange", signed(action)))
            assert list(resting) == ["resting"]
            assert wrong == {"error": "Price must be divisible by tick size."}
            assert filled["filled"]["avgPx"] == "100001.0"

    asyncio.run(run())


def test_leverage_schedule_and_status_time() -> None:
    async def run() -> None:
        async with venue() as exchange:
            leverage = {"type": "updateLeverage", "asset": 0, "isCross": True, "leverage": 41}
            assert refused(await post(exchange, "/exchange", signed(leverage))) == "Invalid leverage value"
            accepted(await post(exchange, "/exchange", signed(order_action())))
            schedule = {"type": "scheduleCancel", "time": T0 + 10_000}
            accepted(await post(exchange, "/exchange", signed(schedule)))
            await exchange.advance(T0 + 10_000)
            (order,) = exchange.dump(ADDRESS)["orders"]
            assert order["status"] == "scheduledCancel"
            assert (await post(exchange, "/info", {"type": "exchangeStatus"}))[1]["time"] == T0 + 10_000

    asyncio.run(run())


def test_an_error_of_its_own_is_not_hidden_behind_a_500() -> None:
    async def run() -> None:
        async with venue() as exchange:
            assert (await post(exchange, "/info", {"type": "meta"}))[0] == 200
            with mock.patch.object(exchange.engine, "place", side_effect=ZeroDivisionError):
                assert (await post(exchange, "/exchange", signed(order_action())))[0] == 500
            assert exchange.broken.is_set()

    with pytest.raises(ZeroDivisionError):
        asyncio.run(run())
