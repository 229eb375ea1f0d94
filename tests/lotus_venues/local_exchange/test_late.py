"""Orders reach the exchange when its clock has come so far; what changes no book is there at once."""

import asyncio

from lotus_venues.local_exchange.late import END_MS, Way

ORDER = {"action": {"type": "order"}}


def test_actions_take_effect_in_order_when_the_clock_is_there() -> None:
    async def run() -> None:
        way, there = Way(100), list[str]()

        async def send(name: str, at_ms: int, body: object = ORDER) -> None:
            await way.taken(at_ms, body)
            there.append(name)

        jobs = [asyncio.create_task(send(name, at)) for name, at in (("b", 1_050), ("a", 1_000), ("c", 1_050))]
        await send("leverage", 1_000, {"action": {"type": "updateLeverage"}})
        await send("nonsense", 1_000, None)
        await asyncio.sleep(0)
        assert (way.waiting, way.next_ms, there) == (3, 1_100, ["leverage", "nonsense"])
        way.reach(1_099)
        await asyncio.sleep(0)
        assert way.waiting == 3
        way.reach(1_100)
        await asyncio.sleep(0)
        assert (there[2:], way.waiting, way.next_ms) == (["a"], 2, 1_150)
        way.reach(END_MS)
        await asyncio.gather(*jobs)
        await send("after the tape", 2_000)
        assert (there[3:], way.next_ms) == (["b", "c", "after the tape"], None)

    asyncio.run(run())


def test_without_a_latency_nothing_waits() -> None:
    way = Way(0)
    asyncio.run(way.taken(5, ORDER))
    assert way.next_ms is None
