"""Laws of the whole engine under random work: money and lots are conserved exactly, books and counts agree."""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples
from small_engine import BTC, ETH, MARK, ask, assert_conserved, bracket_of, move, show, small_engine

from lotus.trading.execution.orders import OrderGrouping, Side
from lotus_venues.local_exchange.engine.exchange import Engine
from lotus_venues.local_exchange.engine.values import ExchangeFill, Funding, OrderChanged

OWNERS = ("ann", "bob")


def random_order(draw: random.Random, mark: int) -> Any:
    """An order of any kind within 3 % of the mark."""
    buys, size = draw.random() < 0.5, draw.choice(("0.01", "0.05", "0.4", "1.3"))
    px = str(round(mark / 10 * draw.uniform(0.97, 1.03)))
    match draw.randrange(6):
        case 0:
            return ask(buys, px, size, "Ioc", reduce_only=draw.random() < 0.5)
        case 1:
            return ask(buys, px, size, "Alo")
        case 2:
            kind = draw.choice(("sl", "tp"))
            market = draw.random() < 0.5
            return ask(buys, px, size, trigger_px=px, kind=kind, reduce_only=True, is_market=market)
        case _:
            return ask(buys, px, size, reduce_only=draw.random() < 0.2)


def step(made: Engine, draw: random.Random) -> None:
    """Do one random thing."""
    state, owner = made.state, draw.choice(OWNERS)
    mark = state.markets[BTC].mark
    match draw.randrange(12):
        case 0 | 1 | 2 | 3:
            made.place(owner, [random_order(draw, mark)], OrderGrouping.NONE)
        case 4:
            entry = ask(True, str(round(mark / 10 * draw.uniform(0.99, 1.01))), "0.1")
            made.place(owner, bracket_of(entry, mark), OrderGrouping.ENTRY_WITH_EXITS)
        case 5:
            made.on_trade(BTC, draw.choice(list(Side)), mark + draw.randint(-2_000, 2_000) // 10 * 10,
                          draw.randint(1, 200_000), state.now_ms, state.now_ms)  # fmt: skip
        case 6:
            show(made, mark + draw.randint(-100, 100) * 10, bids=draw.random() < 0.95, asks=draw.random() < 0.95)
        case 7:
            move(made, max(500_000, mark + draw.randint(-3_000, 3_000) * 10))
        case 8 | 9:
            orders = list(state.accounts[owner].open)
            if orders and draw.random() < 0.5:
                made.cancel(owner, BTC, draw.choice(orders))
            elif orders:
                made.modify(owner, draw.choice(orders), random_order(draw, mark))
        case 10:
            made.set_leverage(owner, BTC, draw.randint(1, 40), is_cross=draw.random() < 0.5)
        case _:
            made.advance(state.now_ms + draw.choice((1_000, 1_800_000)))
    made.advance(state.now_ms + 100)


def check(made: Engine) -> None:
    """All laws."""
    assert_conserved(made)
    state = made.state
    for account in state.accounts.values():
        resting: dict[tuple[int, Side], int] = {}
        for order in account.open.values():
            assert order.is_open
            if order.oid in account.resting_oids and not order.reduce_only:
                key = (order.asset, order.side)
                resting[key] = resting.get(key, 0) + order.left
        assert account.resting == resting
        assert account.resting_oids <= set(account.open)
        assert set(account.exits) == {o.oid for o in account.open.values() if o.reduce_only or o.stop is not None}
    for asset in (BTC, ETH):
        market = state.markets[asset]
        queued = [o for side in Side for o in market.side(side).orders()]
        owned = {oid for a in state.accounts.values() for oid in a.resting_oids if state.orders[oid].asset == asset}
        assert {o.oid for o in queued} == owned
        assert all(o.left > 0 for o in queued)
        bid, ask_ = market.bids.first_order, market.asks.first_order
        assert bid is None or ask_ is None or bid.px < ask_.px
        sleeping = {o.oid for a in state.accounts.values() for o in a.open.values() if o.parent is not None}
        assert not sleeping & set(market.stops)


@settings(max_examples=examples(60), deadline=None)
@given(st.integers(0, 2**32))
def test_money_lots_and_books_agree_whatever_happens(seed: int) -> None:
    draw, made = random.Random(seed), small_engine(usd=6_000)
    told: list[Any] = []
    for _ in range(60):
        step(made, draw)
        told += made.drain()
        check(made)
    assert_told_adds_up(made, told)


def assert_told_adds_up(made: Engine, told: list[Any]) -> None:
    """Replaying what was told gives the same positions; each order ends once; cash follows from fills and funding."""
    for owner, account in made.state.accounts.items():
        for asset in (BTC, ETH):
            fills = [e for e in told if isinstance(e, ExchangeFill) and (e.owner, e.asset) == (owner, asset)]
            lots = 0
            for fill in fills:
                assert fill.start_lots == lots or any(f.liquidated for f in fills)
                lots = fill.start_lots + fill.side * fill.lots
        final = [e.oid for e in told if isinstance(e, OrderChanged) and e.owner == owner and _is_final(e.status)]
        assert len(final) == len(set(final))
        if made.state.insurance_micro == 0 and not any(isinstance(e, ExchangeFill) and e.liquidated for e in told):
            mine = [e for e in told if isinstance(e, ExchangeFill) and e.owner == owner]
            spent = sum(f.side * f.px * f.lots + f.fee_micro for f in mine)
            paid = sum(e.paid_micro for e in told if isinstance(e, Funding) and e.owner == owner)
            held = account.raw_micro + sum(p.raw_micro for p in account.positions.values())
            assert held == account.deposits_micro - spent - paid


def _is_final(status: str) -> bool:
    return status not in ("open", "triggered")


def test_the_same_work_gives_the_same_events() -> None:
    def run() -> list[Any]:
        draw, made = random.Random(5), small_engine()
        for _ in range(80):
            step(made, draw)
        return made.drain()

    first = run()
    assert first == run()
    assert len(first) > 50


def test_marks_start_where_the_market_stands() -> None:
    made = small_engine()
    assert made.state.marks == [MARK, 400_000]
