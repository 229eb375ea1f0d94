"""Positions against two written-out oracles: a queue of single lots, and an average in exact fractions."""

from collections import deque
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus.errors import VenueError
from lotus.trading.accounts.positions import GRAIN, Costing, Position, position_of, with_fill
from lotus.trading.execution.orders import FundingPayment, Side, VenueFill

D = Decimal


@st.composite
def fills(draw: st.DrawFn) -> list[VenueFill]:
    """Draw fills of one coin: sizes of 1 to 9 lots of 0.01, prices with one decimal, fees and rebates."""
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from(list(Side)),
                st.integers(1, 9),
                st.integers(1, 5_000),
                st.integers(-50, 100),
                st.booleans(),
            ),
            max_size=25,
        )
    )
    return [
        VenueFill(f"{k:03}", "c", k, "BTC", side, D(lots) / 100, D(px) / 10, D(fee) / 1000, taker, k)
        for k, (side, lots, px, fee, taker) in enumerate(rows)
    ]


def fifo_oracle(made: list[VenueFill]) -> tuple[Fraction, deque[tuple[int, Fraction]]]:
    """Return (realised, open lots) with every hundredth of a unit as its own lot in a queue."""
    queue: deque[tuple[int, Fraction]] = deque()
    realised = Fraction(0)
    for fill in made:
        for _ in range(int(fill.size * 100)):
            if queue and queue[0][0] == -fill.side:
                side, px = queue.popleft()
                realised += side * (Fraction(fill.px) - px) / 100
            else:
                queue.append((int(fill.side), Fraction(fill.px)))
    return realised, queue


def average_oracle(made: list[VenueFill]) -> tuple[Fraction, Fraction, Fraction]:
    """Return (realised, size, average price) in exact fractions."""
    realised, size, average = Fraction(0), Fraction(0), Fraction(0)
    for fill in made:
        signed, px = Fraction(fill.size) * int(fill.side), Fraction(fill.px)
        if size * signed >= 0:
            average = (size * average + signed * px) / (size + signed)
            size += signed
            continue
        closed = min(abs(size), abs(signed))
        realised += closed * (px - average) * (1 if size > 0 else -1)
        flipped = abs(signed) > abs(size)
        size += signed
        average = px if flipped else average
    return realised, size, average


@given(fills())
def test_fifo_is_the_queue_of_single_lots(made: list[VenueFill]) -> None:
    found = position_of(made, [], Costing.FIFO)
    realised, queue = fifo_oracle(made)
    assert Fraction(found.realised_usd) == realised
    assert Fraction(found.size) == Fraction(sum(side for side, _ in queue), 100)
    assert Fraction(found.cost_usd) == sum((side * px for side, px in queue), Fraction(0)) / 100


@given(fills())
def test_average_cost_is_the_average_in_fractions(made: list[VenueFill]) -> None:
    found = position_of(made, [], Costing.AVERAGE)
    realised, size, average = average_oracle(made)
    assert Fraction(found.size) == size
    slack = Fraction(GRAIN) * (len(made) + 1)
    assert abs(Fraction(found.realised_usd) - realised) <= slack
    assert abs(Fraction(found.cost_usd) - size * average) <= slack


@given(fills(), st.integers(1, 5_000))
def test_both_costings_agree_on_all_that_is_not_split_and_on_everything_when_flat(
    made: list[VenueFill], mark: int
) -> None:
    one, two = (position_of(made, [], costing) for costing in Costing)
    px = D(mark) / 10
    cash = sum((-int(f.side) * f.size * f.px for f in made), D(0))
    for found in (one, two):
        assert found.realised_usd + found.unrealised_usd(px) == cash + found.size * px
        assert found.taker_fees_usd + found.maker_fees_usd == sum((f.fee_usd for f in made), D(0))
    if one.size:
        closing = VenueFill("zzz", "c", 0, "BTC", Side(-1 if one.size > 0 else 1), abs(one.size), px, D(0), True, 10**9)
        one, two = with_fill(one, closing), with_fill(two, closing)
    assert (one.size, one.lots, two.lots) == (0, (), ())
    assert one.realised_usd == two.realised_usd
    assert one.net_usd(px) == two.net_usd(px)


@given(fills(), st.data())
def test_repeats_and_order_of_arrival_change_nothing(made: list[VenueFill], data: st.DataObject) -> None:
    again = data.draw(st.permutations([*made, *made[:5]]))
    for costing in Costing:
        assert position_of(again, [], costing) == position_of(made, [], costing)


@given(fills())
def test_a_mirrored_book_earns_the_mirrored_result(made: list[VenueFill]) -> None:
    """The same fills on the other side lose what these earn: longs and shorts obey one law."""
    other = [
        VenueFill(f.fill_id, "c", f.oid, "BTC", f.side.opposite, f.size, f.px, f.fee_usd, f.is_taker, f.time_ms)
        for f in made
    ]
    for costing in Costing:
        one, two = position_of(made, [], costing), position_of(other, [], costing)
        assert (one.size, one.realised_usd) == (-two.size, -two.realised_usd)


def test_a_flip_by_hand_with_fees_a_rebate_and_funding() -> None:
    rows = [
        VenueFill("a", "", 1, "BTC", Side.BUY, D(2), D(100), D("0.09"), True, 1),
        VenueFill("b", "", 2, "BTC", Side.BUY, D(1), D(130), D("-0.01"), False, 2),
        VenueFill("c", "", 3, "BTC", Side.SELL, D(5), D(120), D("0.27"), True, 3),
    ]
    paid = [FundingPayment("BTC", D("0.5"), D(3), D("0.0001"), 10), FundingPayment("BTC", D("-0.2"), D(-2), D(0), 20)]
    for costing in Costing:
        found = position_of(rows, [*paid, paid[0]], costing)
        assert found.realised_usd == 2 * 20 - 10
        assert (found.size, found.entry_px) == (D(-2), D(120))
        assert (found.taker_fees_usd, found.maker_fees_usd, found.funding_usd) == (D("0.36"), D("-0.01"), D("0.3"))
        assert found.net_usd(D(110)) == 30 + 20 - D("0.35") - D("0.3")


def test_fifo_and_average_differ_while_open() -> None:
    rows = [
        VenueFill("a", "", 1, "BTC", Side.BUY, D(1), D(100), D(0), True, 1),
        VenueFill("b", "", 2, "BTC", Side.BUY, D(1), D(130), D(0), True, 2),
        VenueFill("c", "", 3, "BTC", Side.SELL, D(1), D(120), D(0), True, 3),
    ]
    assert position_of(rows, [], Costing.FIFO).realised_usd == 20
    assert position_of(rows, [], Costing.AVERAGE).realised_usd == 5


def test_one_position_is_of_one_coin() -> None:
    rows = [VenueFill(c, "", 1, c, Side.BUY, D(1), D(1), D(0), True, 1) for c in ("BTC", "ETH")]
    with pytest.raises(VenueError, match="BTC, ETH"):
        position_of(rows, [], Costing.FIFO)
    assert Position(Costing.FIFO).entry_px is None
