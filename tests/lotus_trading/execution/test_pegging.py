"""Where an order at rest stands, and when it follows the market."""

from decimal import Decimal

import pytest
from trading_plans import BTC, view

from lotus.detectors.entry_style import EntryStyle
from lotus.trading.execution.orders import Side
from lotus.trading.execution.pegging import Peg

D = Decimal
WIDE = view(bid=D(99_998), ask=D(100_002))
TIGHT = view(bid=D(100_000), ask=D(100_001))


@pytest.mark.parametrize(
    ("style", "side", "wide", "tight"),
    [
        (EntryStyle.JOIN, Side.BUY, 99_998, 100_000),
        (EntryStyle.JOIN, Side.SELL, 100_002, 100_001),
        (EntryStyle.IMPROVE, Side.BUY, 99_999, 100_000),
        (EntryStyle.IMPROVE, Side.SELL, 100_001, 100_001),
    ],
)
def test_join_is_the_own_best_and_improve_a_tick_inside_where_there_is_room(
    style: EntryStyle, side: Side, wide: int, tight: int
) -> None:
    peg = Peg(style, side, BTC)
    assert (peg.px(WIDE), peg.px(TIGHT)) == (wide, tight)


@pytest.mark.parametrize("side", list(Side))
def test_no_order_goes_beyond_the_price_of_its_plan(side: Side) -> None:
    worst = D(99_990) if side is Side.BUY else D(100_010)
    assert Peg(EntryStyle.IMPROVE, side, BTC, worst).px(WIDE) == worst
    assert not Peg(EntryStyle.JOIN, side, BTC, worst).follows(worst, WIDE)


@pytest.mark.parametrize("side", list(Side))
def test_an_order_that_is_the_best_of_its_side_does_not_overbid_itself(side: Side) -> None:
    peg = Peg(EntryStyle.IMPROVE, side, BTC)
    own = peg.px(WIDE)
    shown = view(bid=own, ask=D(100_002)) if side is Side.BUY else view(bid=D(99_998), ask=own)
    assert not peg.follows(own, shown)
    assert not peg.follows(own, WIDE)


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("style", [EntryStyle.JOIN, EntryStyle.IMPROVE])
def test_an_order_follows_a_best_that_moved_either_way(style: EntryStyle, side: Side) -> None:
    peg = Peg(style, side, BTC)
    for shift in (-50, 50):
        moved = view(bid=D(99_998 + shift), ask=D(100_002 + shift))
        assert peg.follows(peg.px(WIDE), moved)
