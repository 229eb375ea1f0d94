"""Signed requests and queries over real HTTP: signers, nonces, expiry, limits, bad bodies, times."""

import asyncio
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from local_world import KEY, OTHER_KEY, T0, order_action, post, rich, signed, venue, wallet

from lotus_venues.local_exchange.frames import trade_frame
from lotus_venues.local_exchange.server import LocalExchange
from lotus_venues.local_exchange.signers import KEPT_NONCES

ADDRESS = wallet().address
NOW = 1_900_000_000_000


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


def test_nonces_are_used_once_within_their_window() -> None:
    async def run() -> None:
        async with venue(client_ms=lambda: NOW) as exchange:
            noop = {"type": "noop"}
            assert accepted(await post(exchange, "/exchange", signed(noop, NOW))) is None
            again = refused(await post(exchange, "/exchange", signed(noop, NOW)))
            assert again == f"Invalid nonce: duplicate nonce {NOW}"
            for nonce in (NOW - 2 * 86_400_000, NOW + 86_400_000):
                assert "Invalid nonce" in refused(await post(exchange, "/exchange", signed(noop, nonce)))
            for nonce in range(NOW + 1, NOW + KEPT_NONCES + 1):
                exchange.signers.use_nonce(ADDRESS.lower(), nonce)
            low = refused(await post(exchange, "/exchange", signed(noop, NOW - 5)))
            assert low == f"Invalid nonce: nonce too low {NOW - 5} < {NOW + 1}"

    asyncio.run(run())


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


def test_a_changed_body_or_a_mainnet_signature_is_a_stranger() -> None:
    async def run() -> None:
        async with venue() as exchange:
            body = signed(order_action())
            body["action"]["orders"][0]["s"] = "0.02"
            accepted(await post(exchange, "/exchange", body))  # any signer is funded: a stranger with an account
            assert exchange.dump(ADDRESS)["openOrders"] == []
            assert len(exchange.engine.state.accounts) == 2
            mainnet = refused(await post(exchange, "/exchange", signed(order_action(), mainnet=True)))
            assert mainnet.startswith("User or API Wallet 0x")
            assert mainnet.endswith(" does not exist.")
            assert ADDRESS.lower() not in mainnet
            assert len(exchange.engine.state.accounts) == 2
        async with venue(open_deposit_usd=None) as exchange:
            assert "does not exist." in refused(await post(exchange, "/exchange", body))

    asyncio.run(run())


def test_any_signer_is_funded_unless_told_otherwise() -> None:
    async def run() -> None:
        async with venue(open_deposit_usd=Decimal(500)) as exchange:
            accepted(await post(exchange, "/exchange", signed(order_action(), key=OTHER_KEY)))
            state = exchange.dump(wallet(OTHER_KEY).address)["clearinghouse"]
            assert state["marginSummary"]["accountValue"] == "500.0"

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


def test_an_agents_option_lets_a_key_trade_for_its_master() -> None:
    async def run() -> None:
        options = rich(agents={wallet(OTHER_KEY).address: wallet(KEY).address}, open_deposit_usd=None)
        async with venue(options) as exchange:
            accepted(await post(exchange, "/exchange", signed(order_action(), key=OTHER_KEY)))
            assert len((await post(exchange, "/info", {"type": "openOrders", "user": ADDRESS}))[1]) == 1

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


def test_histories_are_cut_by_time() -> None:
    async def ask(exchange: LocalExchange, kind: str, **fields: Any) -> Any:
        status, answer = await post(exchange, "/info", {"type": kind, **fields})
        assert status == 200
        return answer

    async def run() -> None:
        async with venue() as exchange:
            accepted(await post(exchange, "/exchange", signed(order_action("100001", tif="Ioc"))))
            hour = 3_600_000
            for turn in (1, 2):
                exchange.feed(trade_frame("BTC", T0 + turn, "B", "100001.0", "0.1", turn))
                await exchange.advance(T0 + turn * hour)
            accepted(await post(exchange, "/exchange", signed(order_action("99999", tif="Ioc", buys=False))))
            rates = await ask(exchange, "fundingHistory", coin="BTC", startTime=T0 + 2 * hour)
            assert [(r["time"], r["fundingRate"]) for r in rates] == [(T0 + 2 * hour, "0.0000125")]
            paid = await ask(exchange, "userFunding", user=ADDRESS, startTime=0, endTime=T0 + hour)
            assert [p["delta"]["usdc"] for p in paid] == ["-0.0125"]
            early = await ask(exchange, "userFillsByTime", user=ADDRESS, startTime=0, endTime=T0 + hour)
            late = await ask(exchange, "userFillsByTime", user=ADDRESS, startTime=T0 + hour)
            assert [f["dir"] for f in early + late] == ["Open Long", "Close Long"]
            assert [f["dir"] for f in await ask(exchange, "userFills", user=ADDRESS)] == ["Close Long", "Open Long"]
            assert [t["tid"] for t in await ask(exchange, "recentTrades", coin="BTC")] == [2, 1]

    asyncio.run(run())


def test_a_unified_account_tells_its_dollars_as_spot_only() -> None:
    async def work() -> None:
        async with venue(abstraction="unifiedAccount") as exchange:
            user = {"user": wallet().address}
            assert (await post(exchange, "/info", {"type": "userAbstraction", **user}))[1] == "unifiedAccount"
            state = (await post(exchange, "/info", {"type": "clearinghouseState", **user}))[1]
            assert state["marginSummary"]["accountValue"] == state["withdrawable"] == "0.0"
            spot = (await post(exchange, "/info", {"type": "spotClearinghouseState", **user}))[1]
            assert [(row["coin"], row["total"]) for row in spot["balances"]] == [("USDC", "10000.0")]

    asyncio.run(work())
