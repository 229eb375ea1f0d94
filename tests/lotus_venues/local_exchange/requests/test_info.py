"""What the exchange tells of accounts: histories by time, unified dollars."""

import asyncio
from typing import Any

from local_world import T0, order_action, post, signed, venue, wallet

from lotus_venues.local_exchange.frames import trade_frame
from lotus_venues.local_exchange.web.server import LocalExchange

ADDRESS = wallet().address


def accepted(answer: tuple[int, Any]) -> Any:
    """The statuses of an accepted request."""
    status, body = answer
    assert (status, body["status"]) == (200, "ok"), answer
    return body["response"].get("data", {}).get("statuses")


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
