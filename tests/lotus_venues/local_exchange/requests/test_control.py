"""The control endpoint switches faults and tells the truth."""

import asyncio

from local_world import T0, listener, order_action, post, signed, until, venue, wallet

ADDRESS = wallet().address


def test_the_control_endpoint_switches_faults_and_tells_the_truth() -> None:
    async def run() -> None:
        async with venue() as exchange, listener(exchange) as client:
            rows = [{"kind": "error_after", "on": "order", "at": [1]}]
            assert (await post(exchange, "/lotus", {"type": "faults", "faults": rows}))[0] == 200
            assert (await post(exchange, "/exchange", signed(order_action())))[0] == 502
            state = (await post(exchange, "/lotus", {"type": "state", "user": ADDRESS}))[1]
            assert [o["limitPx"] for o in state["openOrders"]] == ["99000.0"]
            off = (await post(exchange, "/lotus", {"type": "faults", "faults": []}))[1]
            assert off["struck"] == {"error_after:order": 1}
            moved = (await post(exchange, "/lotus", {"type": "advance", "toMs": T0 + 500}))[1]
            assert moved["nowMs"] == T0 + 500
            other = "0x" + "7" * 40
            await post(exchange, "/lotus", {"type": "deposit", "user": other, "usd": "12.5"})
            await post(exchange, "/lotus", {"type": "approve", "agent": "0x" + "8" * 40, "master": other})
            assert (await post(exchange, "/lotus", {"type": "state", "user": other}))[1]["rawUsd"] == "12.5"
            assert [(a, one.master) for a, one in exchange.signers.agents.items()] == [("0x" + "8" * 40, other)]
            bad = {"type": "faults", "faults": [{"kind": "earthquake"}]}
            assert (await post(exchange, "/lotus", bad))[0] == 400
            assert (await post(exchange, "/lotus", {"type": "no"}))[0] == 400
            await post(exchange, "/lotus", {"type": "silence"})
            await client.say({"method": "ping"})
            await asyncio.sleep(0.02)
            assert not any(f["channel"] == "pong" for f in client.heard)
            await post(exchange, "/lotus", {"type": "drop"})
            await until(lambda: client.code == 1006)

    asyncio.run(run())
