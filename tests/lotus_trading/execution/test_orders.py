"""Orders at the venue port: sides, final states, and names that a repeated order shares."""

from hypothesis import given, settings
from hypothesis import strategies as st

from lotus.trading.execution.orders import OrderState, Side, client_order_id

ORDERS = st.tuples(st.text("ab", max_size=2), st.text("ab", max_size=2), st.integers(0, 2))


def test_the_opposite_of_a_side_has_the_other_sign() -> None:
    assert Side.BUY.opposite is Side.SELL
    assert all(side.opposite == -side and side.opposite.opposite is side for side in Side)


def test_an_order_that_may_still_be_filled_is_not_final() -> None:
    assert [s for s in OrderState if not s.is_final] == [OrderState.UNKNOWN, OrderState.WAITING, OrderState.RESTING]


@settings(deadline=None)
@given(ORDERS)
def test_a_name_has_the_form_that_the_venue_takes(order: tuple[str, str, int]) -> None:
    name = client_order_id(*order)
    assert len(name) == 34
    assert name.startswith("0x")
    assert 0 <= int(name, 16) < 2**128


@settings(deadline=None)
@given(ORDERS, ORDERS)
def test_two_orders_share_a_name_exactly_when_they_are_the_same(
    one: tuple[str, str, int], other: tuple[str, str, int]
) -> None:
    assert (client_order_id(*one) == client_order_id(*other)) == (one == other)


def test_a_name_does_not_depend_on_where_plan_and_purpose_are_cut() -> None:
    assert client_order_id("ab", "c") != client_order_id("a", "bc")
