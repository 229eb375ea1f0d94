"""Orders one kind at a time: cancellation, modification, margin, fees and scheduled cancels."""

from dataclasses import replace

from engine_bed import LONG_ENTRY, long_with_stop
from small_engine import (
    BTC,
    ETH,
    LISTINGS,
    MARK,
    T0,
    USD,
    ask,
    assert_conserved,
    bracket_of,
    oid_of,
    put,
    show,
    small_engine,
    told,
)

from lotus.trading.execution.orders import OrderGrouping
from lotus_venues.local_exchange.engine.values import (
    ExchangeFill,
)
from lotus_venues.local_exchange.requests import error_messages


def test_cancelling_what_is_not_there() -> None:
    made = small_engine()
    oid = oid_of(put(made, ask(True, "99000", "0.01", cloid="0xab")))
    gone = "Order was never placed, already canceled, or filled."
    assert made.cancel("bob", BTC, oid) == gone
    assert made.cancel("ann", ETH, oid) == gone
    assert made.cancel("ann", BTC, "0xab") == ""
    assert made.cancel("ann", BTC, oid) == gone


def test_local_accounts_trade_with_each_other_maker_and_taker() -> None:
    made = small_engine()
    maker = oid_of(put(made, ask(True, "100000", "0.01")))
    made.drain()
    taker = oid_of(put(made, ask(False, "99999", "0.01"), "bob"))
    fills = [e for e in made.drain() if isinstance(e, ExchangeFill)]
    assert [(f.owner, f.oid, f.px, f.lots, f.crossed) for f in fills] == [
        ("bob", taker, MARK, 1_000, True),
        ("ann", maker, MARK, 1_000, False),
    ]
    assert fills[0].tid == fills[1].tid
    assert (fills[0].fee_micro, fills[1].fee_micro) == (450_000, 150_000)  # 1,000 USD at 4.5 and 1.5 bps
    assert made.state.market_lots == [0, 0]
    assert_conserved(made)


def test_reduce_only_orders_shrink_to_the_position_and_end_with_it() -> None:
    made = small_engine()
    put(made, ask(True, "100001", "0.02", "Ioc"))
    exit_oid = oid_of(put(made, ask(False, "100500", "0.02", reduce_only=True)))
    made.drain()
    put(made, ask(False, "99999", "0.05", "Ioc", reduce_only=True))
    assert made.state.accounts["ann"].lots(BTC) == 0
    assert ("reduceOnlyCanceled", exit_oid) in told(made)


def test_modifying_gives_a_new_number_and_keeps_its_place_among_relatives() -> None:
    made = small_engine()
    oid = long_with_stop(made)
    request = ask(False, "90000", "0.1", trigger_px="98000", kind="sl", reduce_only=True)
    answer = made.modify("ann", oid, request)
    assert answer.order is not None
    assert answer.order.oid != oid
    assert told(made) == [("canceled", oid), ("open", answer.order.oid)]
    assert made.modify("ann", oid, request).error == "Cannot modify canceled or filled order"
    entry = made.place("bob", bracket_of(ask(True, "99500", "0.1")), OrderGrouping.ENTRY_WITH_EXITS)[0].order
    assert entry is not None
    moved = made.modify("bob", entry.oid, ask(True, "99400", "0.1")).order
    assert moved is not None
    show(made, 993_900)
    assert moved.status == "filled"
    assert len([o for o in made.state.markets[BTC].stops.values() if o.owner == "bob"]) == 2


def test_a_modification_refused_for_its_numbers_leaves_the_order_and_one_refused_later_does_not() -> None:
    made = small_engine()
    oid = oid_of(put(made, ask(True, "99000", "0.01")))
    assert made.modify("ann", oid, ask(True, "99000.5", "0.01")).error == "Price must be divisible by tick size."
    assert made.state.orders[oid].is_open
    refused = made.modify("ann", oid, ask(True, "99000", "5")).error
    assert refused == "Error placing new order during modify: Insufficient margin to place order."
    assert not made.state.accounts["ann"].open


def test_margin_counts_resting_orders_in_the_worse_direction() -> None:
    made = small_engine(usd=10_000)  # at 20x: 200,000 USD, 2 BTC
    oid_of(put(made, ask(True, "99000", "1")))
    assert put(made, ask(True, "99000", "1.1")).error == error_messages.NO_MARGIN
    oid_of(put(made, ask(False, "101000", "1.9")))
    assert made.set_leverage("ann", BTC, 41, is_cross=True) == "Invalid leverage value"
    assert made.set_leverage("ann", BTC, 40, is_cross=True) == ""
    oid_of(put(made, ask(True, "99000", "1.1")))


def test_a_resting_order_that_margin_no_longer_carries_is_cancelled_instead_of_filled() -> None:
    made = small_engine(usd=10_000)
    oid = oid_of(put(made, ask(True, "99500", "1.9")))
    made.deposit("ann", -5_000 * USD)
    made.drain()
    show(made, 994_000)
    assert told(made) == [("marginCanceled", oid)]


def test_isolated_margin_follows_the_size() -> None:
    made = small_engine(usd=10_000)
    made.set_leverage("ann", BTC, 10, is_cross=False)
    for size, buys in (("0.2", True), ("0.1", False), ("0.3", False), ("0.2", True)):
        put(made, ask(buys, "100001" if buys else "99999", size, "Ioc"))
        show(made, MARK)
        assert_conserved(made)
    assert made.state.accounts["ann"].positions[BTC].raw_micro == 0  # flat again: all margin came back


def test_fees_fall_with_the_volume_of_the_fourteen_days_before() -> None:
    made = small_engine(usd=10_000)
    made.state.accounts["ann"].traded(6_000_000 * USD, T0)
    put(made, ask(True, "100001", "0.01", "Ioc"))
    assert made.drain()[0].fee_micro == 450_005  # today's volume does not count yet
    made.advance(T0 + 86_400_000)
    show(made, MARK)
    put(made, ask(True, "100001", "0.01", "Ioc"))
    fills = [e for e in made.drain() if isinstance(e, ExchangeFill)]
    assert fills[0].fee_micro == 400_004  # 4.0 bps


def test_scheduled_cancel_takes_everything_and_is_counted() -> None:
    made = small_engine()
    put(made, LONG_ENTRY)
    resting = oid_of(put(made, ask(True, "99000", "0.01")))
    stop = oid_of(put(made, ask(False, "90000", "0.1", trigger_px="99000", kind="sl", reduce_only=True)))
    too_soon = "Scheduled cancel time too early, must be at least 5 seconds from now."
    assert made.schedule_cancel("ann", T0 + 4_999) == too_soon
    assert made.schedule_cancel("ann", T0 + 5_000) == ""
    assert made.schedule_cancel("ann", None) == ""
    made.advance(T0 + 6_000)
    assert len(made.state.accounts["ann"].open) == 2
    made.schedule_cancel("ann", T0 + 20_000)
    made.drain()
    made.advance(T0 + 20_000)
    assert told(made) == [("scheduledCancel", resting), ("scheduledCancel", stop)]  # stops too
    for turn in range(9):
        assert made.schedule_cancel("ann", made.state.now_ms + 5_000) == "", turn
        made.advance(made.state.now_ms + 5_000)
    assert "too many triggers" in made.schedule_cancel("ann", made.state.now_ms + 5_000)
    made.advance(T0 + 86_400_000)
    assert made.schedule_cancel("ann", made.state.now_ms + 5_000) == ""


def test_scheduled_cancel_is_locked_below_the_volume() -> None:
    made = small_engine(schedule_volume_usd=1_000_000)
    put(made, LONG_ENTRY)
    assert made.schedule_cancel("ann", T0 + 60_000) == (
        "Cannot set scheduled cancel time until enough volume traded. Required: $1000000. Traded: $10000.1."
    )


def test_a_position_of_an_isolated_only_asset_is_isolated_from_its_first_order() -> None:
    made = small_engine(listings=(replace(LISTINGS[BTC], only_isolated=True), LISTINGS[ETH]))
    put(made, LONG_ENTRY)
    assert made.set_leverage("ann", BTC, 5, is_cross=True) == error_messages.BAD_LEVERAGE
    account = made.account("ann")
    assert account is not None
    assert [asset for asset, _ in account.held(cross=False)] == [BTC]
    assert not list(account.held(cross=True))
    assert_conserved(made)
