"""What executions do: exits end with their entry or take all of the position, reduce-only never opens."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples
from paper_market import BUY, PX, SELL, STEP, market, play

from lotus.timebase import NS_PER_MS
from lotus.trading.execution.orders import (
    OrderGrouping,
    OrderState,
    TimeInForce,
    TriggerKind,
    VenueFill,
    client_order_id,
)
from lotus_venues.paper_account.orders import OrderForm


def test_children_of_an_entry_that_ends_half_filled_end_with_it() -> None:
    made = market()
    entry, stop = client_order_id("e", "entry"), client_order_id("e", "stop")
    forms = [
        OrderForm(entry, 0, BUY, 20_000, PX + 1, TimeInForce.IOC),
        OrderForm(stop, 0, SELL, 20_000, PX - 900, reduce_only=True, trigger=PX - 500),
    ]
    made.account.set_leverage(0, 20, True)
    made.account.place(made.now_ms * NS_PER_MS, forms, OrderGrouping.ENTRY_WITH_EXITS)
    assert (made.state(entry), made.filled(entry), made.state(stop)) == (
        OrderState.CANCELED,
        5000,
        OrderState.CANCELED,
    )


def test_exits_of_a_position_take_all_of_it() -> None:
    made = market()
    made.place(BUY, PX + 1, 3000)
    names = [client_order_id("p", "sl"), client_order_id("p", "tp")]
    forms = [
        OrderForm(names[0], 0, SELL, 1, PX - 900, reduce_only=True, trigger=PX - 500),
        OrderForm(names[1], 0, SELL, 1, PX, reduce_only=True, trigger=PX + 500, kind=TriggerKind.TAKE_PROFIT),
    ]
    made.account.place(made.now_ms * NS_PER_MS, forms, OrderGrouping.POSITION_EXITS)
    made.place(BUY, PX + 1, 1000)
    made.mark(PX + 500)
    assert (made.filled(names[1]), made.state(names[0])) == (4000, OrderState.CANCELED)
    assert made.account.state.positions[0].lots == 0


def test_reduce_only_orders_end_with_the_position() -> None:
    made = market()
    made.place(BUY, PX + 1, 1000)
    stop = made.place(SELL, PX - 900, 1000, reduce_only=True, trigger=PX - 500)
    gain = made.place(SELL, PX + 200, 1000, reduce_only=True)
    made.place(SELL, PX, 1000, tif=TimeInForce.IOC)
    assert (made.state(stop), made.state(gain)) == (OrderState.CANCELED, OrderState.CANCELED)
    assert made.account.state.orders[stop].reason == "reduceOnlyCanceled"


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(STEP, max_size=40))
def test_reduce_only_never_opens_or_turns(steps: list[Any]) -> None:
    made, lots = market(), 0
    for step in steps:
        play(made, step)
        for event in made.account.take_events():
            if isinstance(event, VenueFill):
                after = lots + int(event.size * 10**5) * int(event.side)
                order = made.account.state.orders.get(event.client_id)
                if order is not None and order.reduce_only:
                    assert abs(after) < abs(lots)
                    assert after * lots >= 0
                lots = after
