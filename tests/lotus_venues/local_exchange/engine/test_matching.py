"""Price-time priority: the engine's executions equal those of a naive matcher, step by step; queues are honest."""

import random
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from matched import MID, OWNERS, TICK, engine
from pace import examples

from benchmarks.exchange.naive import NaiveMatcher
from lotus.trading.execution.orders import OrderGrouping, Side
from lotus_venues.local_exchange.engine.exchange import Engine
from lotus_venues.local_exchange.engine.values import ExchangeFill, OrderRequest
from lotus_venues.local_exchange.requests.wire_out import number


def ask(side: int, px: int, lots: int, tif: str = "Gtc", **keys: Any) -> OrderRequest:
    """An order in units."""
    return OrderRequest(0, side > 0, number(px, 1), number(lots, 5), keys.pop("reduce_only", False), tif, **keys)


def trades_of(made: Engine) -> list[tuple[int, int, int, int]]:
    """Executions since the last call as (price, lots, taker, maker), 0 for the tape."""
    by_tid: dict[int, list[ExchangeFill]] = {}
    for event in made.drain():
        if isinstance(event, ExchangeFill):
            by_tid.setdefault(event.tid, []).append(event)
    trades = []
    for fills in by_tid.values():
        taker = next((f.oid for f in fills if f.crossed), 0)
        maker = next((f.oid for f in fills if not f.crossed), 0)
        trades.append((fills[0].px, fills[0].lots, taker, maker))
    return merged(trades)


def merged(trades: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
    """Executions with the tape in a row at one price as one: a self-trade between them may have split them."""
    out: list[tuple[int, int, int, int]] = []
    for px, lots, taker, maker in trades:
        if out and maker == 0 and (out[-1][0], *out[-1][2:]) == (px, taker, 0):
            lots += out.pop()[1]
        out.append((px, lots, taker, maker))
    return out


def script_of(seed: int, length: int) -> list[tuple[Any, ...]]:
    """A dense script: few prices and sizes, so that queues are long and coincidences common."""
    draw, script = random.Random(seed), []
    for _ in range(length):
        sizes = [draw.choice((0, 100, 200, 300)) for _ in range(4)]
        side, offset, lots = draw.choice((1, -1)), draw.randint(-2, 2), draw.choice((50, 100, 150, 250))
        owner, passive = draw.choice(OWNERS), -side * draw.randint(1, 2)
        rests = ("order", owner, side, passive, lots, True)
        crosses = ("order", owner, side, offset, lots, draw.random() < 0.5)
        show = ("show", draw.choice((0, 0, 0, 0, 1, -1)), sizes)
        printed = ("print", side, side * draw.choice((0, 1, 1, 1, 2)), lots)
        cancel = ("cancel", draw.randint(0, length // 3))
        script += draw.choices([rests, crosses, show, printed, cancel], [5, 1, 2, 5, 1])
    return script


@settings(max_examples=examples(100), deadline=None)
@given(st.integers(0, 2**32), st.integers(5, 80))
def test_every_execution_equals_the_naive_matcher(seed: int, length: int) -> None:
    made, naive = engine(), NaiveMatcher()
    made.on_book(0, _band([], 1), _band([], -1), 1_000, whole=True)
    naive.show(_band([], 1), _band([], -1))
    oids: list[int] = []
    for tick, step in enumerate(script_of(seed, length), 1):
        now = 1_000 + 10 * tick
        made.advance(now)
        match step:
            case ("show", shift, sizes):
                mid = MID + shift * TICK
                bids = [(mid - TICK * (i + 1), n) for i, n in enumerate(sizes[:2]) if n]
                asks = [(mid + TICK * (i + 1), n) for i, n in enumerate(sizes[2:]) if n]
                # the visible range is the whole band: levels of no size at its ends
                made.on_book(0, _band(bids, 1), _band(asks, -1), now, whole=True)
                expected = naive.show(_band(bids, 1), _band(asks, -1))
            case ("order", owner, side, offset, lots, rests):
                px = MID + offset * TICK
                (answer,) = made.place(owner, [ask(side, px, lots, "Gtc" if rests else "Ioc")], OrderGrouping.NONE)
                assert answer.order is not None
                oids.append(answer.order.oid)
                expected = naive.place(owner, answer.order.oid, side, px, lots, rests=rests)
            case ("print", aggressor, offset, lots):
                px = MID + offset * TICK
                made.on_trade(0, Side(aggressor), px, lots, now, tick)
                expected = naive.print_at(aggressor, px, lots)
            case ("cancel", index):
                expected = []
                if index < len(oids):
                    owner = made.state.orders[oids[index]].owner
                    made.cancel(owner, 0, oids[index])
                    naive.cancel(oids[index])
            case _:
                raise AssertionError(step)
        assert trades_of(made) == merged(expected), (tick, step)
        check_books(made, naive)


def _band(levels: list[tuple[int, int]], side: int) -> list[tuple[int, int]]:
    """Add one lot far behind, so that every price of the test is within what the tape shows."""
    return [*levels, (MID - side * 50 * TICK, 1)]


def check_books(made: Engine, naive: NaiveMatcher) -> None:
    """Both hold the same orders with the same rest, and the same size of the tape."""
    market = made.state.markets[0]
    for side in Side:
        ours = [(o.px, o.oid, o.left) for o in market.side(side).orders()]
        theirs = [(e.px, e.oid, e.lots) for e in naive.rest_of(int(side)) if e.owner]
        assert ours == theirs
        shown: dict[int, int] = {}
        for entry in naive.rest_of(int(side)):
            if not entry.owner:
                shown[entry.px] = shown.get(entry.px, 0) + entry.lots
        assert {abs(k): v for k, v in market.side(side).shown.items()} == shown


@dataclass(frozen=True)
class Queued:
    """An order behind 300 lots at 99,999, asks at 100,001."""

    made: Engine
    oid: int

    @property
    def filled(self) -> int:
        return self.made.state.orders[self.oid].filled


def queued(lots: int = 200) -> Queued:
    made = engine()
    made.on_book(0, [(MID - 10, 300), (MID - 20, 500)], [(MID + 10, 300)], 2_000, whole=True)
    made.advance(2_000)
    (answer,) = made.place("ann", [ask(1, MID - 10, lots)], OrderGrouping.NONE)
    assert answer.order is not None
    return Queued(made, answer.order.oid)


def test_prints_pass_the_queue_before_they_fill() -> None:
    q = queued()
    q.made.on_trade(0, Side.SELL, MID - 10, 250, 2_100, 1)
    assert q.filled == 0
    q.made.on_trade(0, Side.SELL, MID - 10, 100, 2_200, 2)
    assert q.filled == 50


def test_a_print_of_before_the_order_joined_does_not_fill_it() -> None:
    q = queued()
    q.made.on_trade(0, Side.SELL, MID - 10, 5_000, 2_000, 1)
    assert q.filled == 0


def test_the_same_print_told_again_fills_once() -> None:
    q = queued()
    for _ in range(2):
        q.made.on_trade(0, Side.SELL, MID - 10, 400, 2_100, 1)
    assert q.filled == 100


def test_a_book_that_shrank_by_prints_told_later_is_not_counted_twice() -> None:
    q = queued()
    q.made.on_book(0, [(MID - 10, 100), (MID - 20, 500)], [(MID + 10, 300)], 2_150, whole=True)  # 200 of 300 gone
    q.made.on_trade(0, Side.SELL, MID - 10, 200, 2_100, 1)  # and here is why
    assert q.filled == 0
    q.made.on_trade(0, Side.SELL, MID - 10, 100, 2_200, 2)
    assert q.filled == 0
    q.made.on_trade(0, Side.SELL, MID - 10, 30, 2_300, 3)
    assert q.filled == 30


def test_a_trade_through_fills_at_most_its_own_size_at_the_orders_price() -> None:
    q = queued()
    q.made.on_trade(0, Side.SELL, MID - 20, 150, 2_100, 1)
    assert q.filled == 150
    assert q.made.state.orders[q.oid].cost == 150 * (MID - 10)


def test_a_book_that_crosses_fills_up_to_the_size_shown() -> None:
    q = queued()
    q.made.on_book(0, [(MID - 30, 500)], [(MID - 20, 60), (MID - 10, 60), (MID, 400)], 2_100, whole=True)
    assert q.filled == 120
    assert [(px, lots) for px, lots, _ in q.made.state.markets[0].asks.levels()] == [(MID, 400)]
