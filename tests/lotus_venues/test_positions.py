"""A netted position equals cash accounting."""

from hypothesis import given
from hypothesis import strategies as st

from lotus.trading.execution.orders import Side
from lotus_venues.orders import Fill
from lotus_venues.positions import LotPosition


@given(st.lists(st.tuples(st.sampled_from(list(Side)), st.integers(1, 50), st.integers(90, 110)), max_size=30))
def test_netted_position_equals_cash_accounting(trades: list[tuple[Side, int, int]]) -> None:
    position, cash, lots = LotPosition(), 0, 0
    for i, (side, n, px) in enumerate(trades):
        position.apply(Fill("c", "e", 0, side, px, n, 3, i, i, 0))
        cash -= side * n * px
        lots += side * n
    assert position.lots == lots
    assert position.net_micro(2 * 100) == cash + lots * 100 - 3 * len(trades)
