"""The official SDK's own classes, unchanged, against `lotus_venues.local_exchange.web.server` over real sockets."""

import asyncio
from typing import Any

import pytest
from hyperliquid.exchange import Exchange
from hyperliquid.info import Info
from hyperliquid.utils.types import Cloid
from local_world import KEY, OTHER_KEY, T0, in_thread, rich, until, venue, wallet

from lotus_venues.local_exchange.frames import bbo_frame, context_frame
from lotus_venues.local_exchange.options import TimeSource
from lotus_venues.local_exchange.web.server import LocalExchange

GTC = {"limit": {"tif": "Gtc"}}


async def trader(exchange: LocalExchange, key: str = KEY, **keys: Any) -> Exchange:
    """The SDK's trading client."""
    return await in_thread(Exchange, wallet(key), exchange.url, **keys)


def status_of(answer: Any) -> Any:
    """The one status of an answer."""
    assert answer["status"] == "ok", answer
    (status,) = answer["response"]["data"]["statuses"]
    return status


def test_an_order_rests_is_modified_and_cancelled_by_number_and_by_cloid() -> None:
    async def run() -> None:
        async with venue() as exchange:
            client, address = await trader(exchange), wallet().address
            info = client.info
            resting = status_of(await in_thread(client.order, "BTC", True, 0.01, 99_000, GTC))["resting"]
            shown = (await in_thread(info.open_orders, address))[0]
            assert (shown["oid"], shown["limitPx"], shown["sz"]) == (resting["oid"], "99000.0", "0.01")
            cloid = Cloid.from_int(7)
            modified = await in_thread(
                client.modify_order, resting["oid"], "BTC", True, 0.02, 98_000, GTC, False, cloid
            )
            moved = status_of(modified)["resting"]
            assert moved == {"oid": moved["oid"], "cloid": cloid.to_raw()}
            assert moved["oid"] != resting["oid"]
            old = await in_thread(info.query_order_by_oid, address, resting["oid"])
            assert old["order"]["status"] == "canceled"
            by_cloid = await in_thread(info.query_order_by_cloid, address, cloid)
            assert by_cloid["order"]["order"]["sz"] == "0.02"
            assert status_of(await in_thread(client.cancel_by_cloid, "BTC", cloid)) == "success"
            assert status_of(await in_thread(client.cancel, "BTC", moved["oid"])) == {
                "error": "Order was never placed, already canceled, or filled."
            }
            assert await in_thread(info.open_orders, address) == []
            assert await in_thread(info.query_order_by_oid, address, 5) == {"status": "unknownOid"}

    asyncio.run(run())


def test_market_orders_open_and_close_a_position_and_leverage_is_set() -> None:
    async def run() -> None:
        async with venue() as exchange:
            client, address = await trader(exchange), wallet().address
            assert (await in_thread(client.update_leverage, 5, "BTC"))["status"] == "ok"
            opened = status_of(await in_thread(client.market_open, "BTC", True, 0.01))["filled"]
            assert (opened["totalSz"], opened["avgPx"]) == ("0.01", "100001.0")
            state = await in_thread(client.info.user_state, address)
            position = state["assetPositions"][0]["position"]
            assert (position["coin"], position["szi"], position["entryPx"]) == ("BTC", "0.01", "100001.0")
            assert position["leverage"] == {"type": "cross", "value": 5}
            assert float(state["marginSummary"]["totalMarginUsed"]) == pytest.approx(1000.005 / 5)
            closed = status_of(await in_thread(client.market_close, "BTC"))["filled"]
            assert closed["avgPx"] == "100000.0"
            state = await in_thread(client.info.user_state, address)
            assert state["assetPositions"] == []
            assert state["marginSummary"]["accountValue"] == "9999.089995"  # 10,000 - spread 0.01 - fees 0.900005

    asyncio.run(run())


def test_the_sdk_reads_every_thing_it_asks_for() -> None:
    async def run() -> None:
        async with venue() as exchange:
            client, address = await trader(exchange), wallet().address
            info = client.info
            meta = await in_thread(info.meta)
            assert [(r["name"], r["szDecimals"], r["maxLeverage"]) for r in meta["universe"]] == [
                ("BTC", 5, 40),
                ("ETH", 4, 25),
            ]
            assert (await in_thread(info.all_mids)) == {"BTC": "100000.5", "ETH": "4000.05"}
            contexts = (await in_thread(info.meta_and_asset_ctxs))[1]
            assert contexts[0]["oraclePx"] == "100000.0"
            book = await in_thread(info.l2_snapshot, "BTC")
            assert book["levels"][0][0] == {"px": "100000.0", "sz": "0.5", "n": 1}
            assert await in_thread(info.user_fills, address) == []
            assert await in_thread(info.user_fills_by_time, address, 0) == []
            assert await in_thread(info.frontend_open_orders, address) == []
            assert await in_thread(info.funding_history, "BTC", 0) == []
            assert await in_thread(info.candles_snapshot, "BTC", "1m", 0, T0) == []
            assert await in_thread(info.user_funding_history, address, 0) == []
            limit = await in_thread(info.user_rate_limit, address)
            assert limit == {"cumVlm": "0.0", "nRequestsUsed": 0, "nRequestsCap": 10_000}

    asyncio.run(run())


def test_its_websocket_manager_hears_books_orders_and_fills() -> None:
    async def listen(exchange: LocalExchange, info: Info) -> None:
        client, address = await trader(exchange), wallet().address
        heard: dict[str, list[Any]] = {}
        for kind in ("l2Book", "trades", "orderUpdates", "userEvents", "userFills"):
            target = {"coin": "BTC"} if kind in ("l2Book", "trades") else {"user": address}
            await in_thread(info.subscribe, {"type": kind, **target}, heard.setdefault(kind, []).append)
        await until(lambda: heard["userFills"] and heard["l2Book"])  # asked for last: all others are in force
        assert heard["userFills"][0]["data"] == {"isSnapshot": True, "user": address.lower(), "fills": []}
        await in_thread(client.order, "BTC", True, 0.01, 99_000, GTC)
        await in_thread(client.market_open, "BTC", False, 0.02)
        await until(lambda: len(heard["orderUpdates"]) >= 2 and len(heard["userFills"]) >= 2 and heard["userEvents"])
        statuses = [row["status"] for frame in heard["orderUpdates"] for row in frame["data"]]
        assert statuses == ["open", "filled"]
        fill = heard["userFills"][1]["data"]["fills"][0]
        assert (fill["px"], fill["sz"], fill["side"], fill["dir"]) == ("100000.0", "0.02", "A", "Open Short")
        assert heard["userEvents"][0]["data"]["fills"] == [fill]

    async def run() -> None:
        async with venue() as exchange:
            info = await in_thread(Info, exchange.url)
            try:
                await listen(exchange, info)
            finally:  # its ping thread would hold the process for 50 s
                info.ws_manager.stop_event.set()
                exchange.drop_sockets()
            await until(lambda: not info.ws_manager.is_alive())

    asyncio.run(run())


def test_the_signer_is_recovered_and_strangers_are_refused() -> None:
    async def run() -> None:
        async with venue(rich(open_deposit_usd=None)) as exchange:
            stranger = await trader(exchange, OTHER_KEY)
            answer = await in_thread(stranger.order, "BTC", True, 0.01, 99_000, GTC)
            address = wallet(OTHER_KEY).address.lower()
            assert answer == {"status": "err", "response": f"User or API Wallet {address} does not exist."}
            known = await trader(exchange)
            await in_thread(known.order, "BTC", True, 0.01, 99_000, GTC)
            (order,) = exchange.dump(wallet().address)["openOrders"]
            assert order["limitPx"] == "99000.0"

    asyncio.run(run())


def test_the_dead_mans_switch_takes_stops_with_everything_else() -> None:
    async def run() -> None:
        clock = [T0]
        options = rich(clock=TimeSource.WALL, wall_ms=lambda: clock[0], schedule_volume_usd=1)
        async with venue(options) as exchange:
            client, address = await trader(exchange), wallet().address
            assert (await in_thread(client.schedule_cancel, clock[0] + 6_000))["status"] == "err", "no volume yet"
            await in_thread(client.market_open, "BTC", True, 0.01)
            await in_thread(client.order, "BTC", True, 0.01, 99_000, GTC)
            stop = {"trigger": {"triggerPx": 90_000, "isMarket": True, "tpsl": "sl"}}
            await in_thread(client.order, "BTC", False, 0.01, 81_000, stop, True)
            assert (await in_thread(client.schedule_cancel, clock[0] + 4_000))["status"] == "err", "less than 5 s ahead"
            assert (await in_thread(client.schedule_cancel, clock[0] + 6_000))["status"] == "ok"
            assert (await in_thread(client.schedule_cancel, None))["status"] == "ok"
            clock[0] += 7_000
            await asyncio.sleep(0.2)
            assert len(await in_thread(client.info.frontend_open_orders, address)) == 2, "it was disarmed"
            assert (await in_thread(client.schedule_cancel, clock[0] + 6_000))["status"] == "ok"
            clock[0] += 7_000
            await asyncio.sleep(0.2)
            assert await in_thread(client.info.frontend_open_orders, address) == []
            states = [o["status"] for o in exchange.dump(address)["orders"]]
            assert states.count("scheduledCancel") == 2
            assert (await in_thread(client.info.user_state, address))["assetPositions"], "the position is bare now"

    asyncio.run(run())


def test_an_agent_ends_with_the_next_of_its_name_and_with_its_time() -> None:
    async def run() -> None:
        async with venue(rich(open_deposit_usd=None)) as exchange:
            master = await trader(exchange)

            async def role(key: str) -> str:
                return str((await in_thread(master.info.user_role, wallet(key).address))["role"])

            for name in (None, "desk"):
                _, first = await in_thread(master.approve_agent, name)
                _, other = await in_thread(master.approve_agent, "dog")
                assert await role(first) == await role(other) == "agent"
                _, second = await in_thread(master.approve_agent, name)
                assert [await role(key) for key in (first, second, other)] == ["missing", "agent", "agent"]
            named = await in_thread(master.info.extra_agents, wallet().address)
            assert sorted(row["name"] for row in named) == ["desk", "dog"], "the unnamed one is not listed"
            _, brief = await in_thread(master.approve_agent, f"brief valid_until {T0 + 60_000}")
            (row,) = [r for r in await in_thread(master.info.extra_agents, wallet().address) if r["name"] == "brief"]
            assert row["validUntil"] == T0 + 60_000
            agent = await trader(exchange, brief, account_address=wallet().address)
            assert "resting" in status_of(await in_thread(agent.order, "BTC", True, 0.01, 99_000, GTC))
            await exchange.advance(T0 + 60_000)
            assert await role(brief) == "missing"
            refused = await in_thread(agent.order, "BTC", True, 0.01, 99_000, GTC)
            assert refused["response"] == f"User or API Wallet {wallet(brief).address.lower()} does not exist."

    asyncio.run(run())


def test_an_agent_trades_for_its_master_and_has_no_account_of_its_own() -> None:
    async def run() -> None:
        async with venue(rich(open_deposit_usd=None)) as exchange:
            master = await trader(exchange)
            approved, agent_key = await in_thread(master.approve_agent, "bot")
            assert approved["status"] == "ok"
            agent = await trader(exchange, agent_key, account_address=wallet().address)
            assert "resting" in status_of(await in_thread(agent.order, "BTC", True, 0.01, 99_000, GTC))
            assert len(await in_thread(agent.info.open_orders, wallet().address)) == 1
            role = await in_thread(agent.info.user_role, wallet(agent_key).address)
            assert role == {"role": "agent", "data": {"user": wallet().address.lower()}}
            (listed,) = await in_thread(agent.info.extra_agents, wallet().address)
            assert listed["address"] == wallet(agent_key).address.lower()
            assert await in_thread(agent.info.open_orders, wallet(agent_key).address) == []
            assert (await in_thread(agent.info.user_state, wallet(agent_key).address))["assetPositions"] == []

    asyncio.run(run())


def test_an_entry_with_its_exits_in_one_request_and_a_dead_mans_switch() -> None:
    def leg(px: float, trigger: float, kind: str) -> dict[str, Any]:
        stop = {"trigger": {"triggerPx": trigger, "isMarket": True, "tpsl": kind}}
        return {"coin": "BTC", "is_buy": False, "sz": 0.01, "limit_px": px, "order_type": stop, "reduce_only": True}

    async def run() -> None:
        async with venue() as exchange:
            client, address = await trader(exchange), wallet().address
            entry = {"coin": "BTC", "is_buy": True, "sz": 0.01, "limit_px": 99_500.0, "order_type": GTC}
            group = [entry | {"reduce_only": False}, leg(90_000.0, 98_000.0, "sl"), leg(99_000.0, 103_000.0, "tp")]
            answer = await in_thread(client.bulk_orders, group, None, "normalTpsl")
            first, *exits = answer["response"]["data"]["statuses"]
            assert list(first) == ["resting"]
            assert exits == ["waitingForFill", "waitingForFill"]
            parent, stop, target = await in_thread(client.info.frontend_open_orders, address)
            assert [c["oid"] for c in parent["children"]] == [stop["oid"], target["oid"]]
            assert (stop["orderType"], stop["triggerCondition"]) == ("Stop Market", "Price below 98000")
            assert (target["orderType"], target["triggerCondition"]) == ("Take Profit Market", "Price above 103000")
            exchange.feed(bbo_frame("BTC", T0 + 1, ("99400.0", "1.0"), ("99450.0", "1.0")))
            exchange.feed(context_frame("BTC", "97900.0", "97900.0"))
            assert (await in_thread(client.info.user_state, address))["assetPositions"] == []
            fills = await in_thread(client.info.user_fills, address)
            assert [(f["side"], f["px"], f["dir"]) for f in fills] == [
                ("A", "99400.0", "Close Long"),
                ("B", "99500.0", "Open Long"),
            ]
            await in_thread(client.order, "BTC", True, 0.01, 99_000, GTC)
            await in_thread(client.schedule_cancel, T0 + 10_000)
            await exchange.advance(T0 + 10_000)
            assert await in_thread(client.info.open_orders, address) == []

    asyncio.run(run())
