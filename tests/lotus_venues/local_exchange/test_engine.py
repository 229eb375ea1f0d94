"""Orders one kind at a time: refusals in the venue's words, triggers, groups, modification, margin, liquidation."""

from dataclasses import replace
from decimal import Decimal

import pytest
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
    move,
    oid_of,
    put,
    show,
    small_engine,
    told,
)

from lotus.manifest import Asset
from lotus.trading.orders import NewOrder, OrderGrouping, OrderTrigger, Side, TimeInForce, TriggerKind
from lotus_venues.local_exchange import texts
from lotus_venues.local_exchange.engine import Engine
from lotus_venues.local_exchange.values import (
    ExchangeFill,
    ExitRules,
    Funding,
    Liquidation,
    OrderRequest,
    SmallExits,
    VenueCancel,
)
from lotus_venues.order_form import form_fault

LONG_ENTRY = ask(True, "100001", "0.1", "Ioc")


@pytest.mark.parametrize(
    ("request_", "refused", "word"),
    [
        (ask(True, "100000.5", "0.01"), "Price must be divisible by tick size.", None),
        (ask(True, "0", "0.01"), "Order has invalid price.", None),
        (ask(True, "1e5", "0.01"), "Order has invalid price.", None),
        (ask(True, "-100000", "0.01"), "Order has invalid price.", None),
        (ask(True, "99000", "0.000001"), "Order has invalid size.", None),
        (ask(True, "99000", "0"), "Order has zero size.", None),
        (ask(True, "99000", "0.0001"), "Order must have minimum value of $10.", "minTradeNtlRejected"),
        (ask(True, "99000", "3"), "Insufficient margin to place order.", "perpMarginRejected"),
        (ask(False, "99000", "0.01", reduce_only=True), "Reduce only order would increase position.",
         "reduceOnlyRejected"),
        (ask(True, "100001", "0.01", "Alo"),
         "Post only order would have immediately matched, bbo was 99999@100001.", "badAloPxRejected"),
        (ask(True, "99000", "0.01", "Ioc"), "Order could not immediately match against any resting orders.",
         "iocCancelRejected"),
        (ask(True, "4000", "0.01"), "Order price cannot be more than 95% away from the reference price",
         "oracleRejected"),
        (ask(False, "99000", "0.01", trigger_px="100001", kind="sl"), "Invalid TP/SL price.", "badTriggerPxRejected"),
        (ask(True, "101000", "0.01", trigger_px="100001", kind="tp"), "Invalid TP/SL price.", "badTriggerPxRejected"),
        (ask(True, "99000", "0.01", asset=7), "Invalid asset: 7", None),
    ],
)  # fmt: skip
def test_each_refusal_in_the_venues_words(request_: OrderRequest, refused: str, word: str | None) -> None:
    made = small_engine()
    answer = put(made, request_)
    assert answer.error == refused
    assert not made.state.accounts["ann"].open
    if word is None:
        assert answer.order is None
    else:
        assert answer.order is not None
        assert answer.order.status == word
    assert_conserved(made)


def test_a_market_order_against_an_empty_side_finds_no_liquidity() -> None:
    made = small_engine()
    show(made, MARK, asks=False)
    assert put(made, ask(True, "105000", "0.01", "FrontendMarket")).error == "No liquidity available for market order."
    assert put(made, ask(True, "105000", "0.01", "Ioc")).error == texts.NO_MATCH


def test_cancelling_what_is_not_there() -> None:
    made = small_engine()
    oid = oid_of(put(made, ask(True, "99000", "0.01", cloid="0xab")))
    gone = "Order was never placed, already canceled, or filled."
    assert made.cancel("bob", BTC, oid) == gone
    assert made.cancel("ann", ETH, oid) == gone
    assert made.cancel("ann", BTC, "0xab") == ""
    assert made.cancel("ann", BTC, oid) == gone


def test_too_many_open_orders() -> None:
    made = small_engine(usd=1_000_000)
    for _ in range(1_000):
        oid_of(put(made, ask(True, "99000", "0.001")))
    assert put(made, ask(True, "99000", "0.001")).error == "Too many open orders."


def test_an_accounts_orders_do_not_trade_with_each_other() -> None:
    made = small_engine()
    resting = oid_of(put(made, ask(True, "100000", "0.01")))
    made.drain()
    crossing = oid_of(put(made, ask(False, "100000", "0.02")))
    assert told(made) == [("selfTradeCanceled", resting), ("open", crossing)]


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


@pytest.mark.parametrize(
    ("rules", "size", "error"),
    [
        (ExitRules(), "0.02", ""),
        (ExitRules(is_strict=True), "0.02", texts.NOT_REDUCING),
        (ExitRules(is_strict=True), "0.01", ""),
        (ExitRules(small=SmallExits.FULL), "0.00005", texts.TOO_SMALL),
        (ExitRules(small=SmallExits.FULL), "0.01", ""),
        (ExitRules(small=SmallExits.NONE), "0.00005", texts.TOO_SMALL),
    ],
)
def test_exits_by_the_rules_that_are_not_known(rules: ExitRules, size: str, error: str) -> None:
    made = small_engine(exit_rules=rules)
    put(made, ask(True, "100001", "0.01", "Ioc"))
    assert put(made, ask(False, "99999", size, "Ioc", reduce_only=True)).error == error


def test_after_an_upgrade_only_orders_that_must_rest_are_taken() -> None:
    made = small_engine()
    made.state.post_only_until_ms = made.state.now_ms + 1_000
    orders = [ask(True, "100001", "0.01", "Ioc"), ask(True, "99000", "0.01"), ask(True, "99000", "0.01", "Alo")]
    assert [put(made, order).error for order in orders] == [texts.POST_ONLY_PERIOD, texts.POST_ONLY_PERIOD, ""]
    made.advance(made.state.now_ms + 1_000)
    assert put(made, orders[0]).error == ""


@pytest.mark.parametrize(
    ("buys", "px", "error"),
    [(False, "99001", texts.BAD_TRIGGER), (False, "99000", ""), (True, "100999", texts.BAD_TRIGGER)],
)
def test_a_stop_does_not_promise_a_price_better_than_its_trigger(buys: bool, px: str, error: str) -> None:
    made = small_engine()
    put(made, ask(not buys, "99999" if buys else "100001", "0.1", "Ioc"))
    trigger = "101000" if buys else "99000"
    assert put(made, ask(buys, px, "0.1", trigger_px=trigger, kind="sl", reduce_only=True)).error == error
    order = NewOrder(
        "0x1",
        "BTC",
        Side.BUY if buys else Side.SELL,
        Decimal("0.1"),
        Decimal(px),
        TimeInForce.GTC,
        True,
        OrderTrigger(Decimal(trigger), TriggerKind.STOP_LOSS, False),
    )
    assert form_fault(order, Asset("BTC", 5)) == error


def long_with_stop(made: Engine, **keys: object) -> int:
    """Ann long 0.1 BTC with a sell stop at 99,000."""
    put(made, LONG_ENTRY)
    stop = ask(False, "90000", "0.1", trigger_px="99000", kind="sl", reduce_only=True, **keys)
    oid = oid_of(put(made, stop))
    made.drain()
    return oid


def test_a_stop_fires_on_the_mark_price_and_sells_at_market() -> None:
    made = small_engine()
    oid = long_with_stop(made)
    show(made, 989_000)  # the book alone moves: prints and books do not fire stops
    assert told(made) == []
    move(made, 989_000)
    assert told(made) == [("triggered", oid), ("fill", 10_000), ("filled", oid)]
    assert made.state.accounts["ann"].lots(BTC) == 0
    assert_conserved(made)


def test_a_stop_limit_rests_when_the_price_ran_away() -> None:
    made = small_engine()
    put(made, LONG_ENTRY)
    request = ask(False, "99000", "0.1", trigger_px="99000", kind="sl", reduce_only=True, is_market=False)
    oid = oid_of(put(made, request))
    move(made, 980_000)
    order = made.state.orders[oid]
    assert (order.is_open, order.left, order.has_triggered) == (True, 10_000, True)
    move(made, 991_000)
    assert order.status == "filled"


@pytest.mark.parametrize(
    ("buys", "kind", "fires_at"),
    [(False, "sl", 989_000), (False, "tp", 1_011_000), (True, "sl", 1_011_000), (True, "tp", 989_000)],
)
def test_which_way_the_mark_must_go(buys: bool, kind: str, fires_at: int) -> None:
    made = small_engine()
    trigger = "101000" if fires_at > MARK else "99000"
    oid = oid_of(put(made, ask(buys, trigger, "0.01", trigger_px=trigger, kind=kind)))
    made.on_context(BTC, 2 * MARK - fires_at, MARK, 0)
    assert not made.state.orders[oid].has_triggered
    made.on_context(BTC, fires_at, MARK, 0)
    assert made.state.orders[oid].has_triggered


def test_a_stop_without_liquidity_is_lost_and_says_so() -> None:
    made = small_engine()
    oid = long_with_stop(made)
    show(made, 989_000, bids=False)
    made.on_context(BTC, 989_000, 989_000, 0)
    assert told(made) == [("triggered", oid), ("marketOrderNoLiquidityRejected", oid)]


def test_exits_of_an_entry_sleep_until_it_is_filled_and_the_sibling_ends_with_the_other() -> None:
    made = small_engine()
    answers = made.place("ann", bracket_of(ask(True, "99500", "0.1")), OrderGrouping.ENTRY_WITH_EXITS)
    assert [a.waits_for for a in answers] == ["", "waitingForFill", "waitingForFill"]
    entry, stop, target = (a.order for a in answers)
    assert entry is not None
    assert stop is not None
    assert target is not None
    made.on_context(BTC, 985_000, MARK, 0)  # below the stop, but there is no position yet
    assert stop.is_open
    made.on_context(BTC, MARK, MARK, 0)
    show(made, 994_900)
    assert entry.status == "filled"
    made.drain()
    move(made, 1_021_000)
    assert told(made) == [
        ("triggered", target.oid), ("fill", 10_000), ("filled", target.oid), ("siblingFilledCanceled", stop.oid)
    ]  # fmt: skip


def test_an_entry_that_fills_at_once_arms_its_exits_at_once() -> None:
    made = small_engine()
    answers = made.place("ann", bracket_of(LONG_ENTRY), OrderGrouping.ENTRY_WITH_EXITS)
    assert [a.waits_for for a in answers] == ["", "waitingForTrigger", "waitingForTrigger"]
    assert len(made.state.markets[BTC].stops) == 2


def test_exits_die_with_an_entry_that_is_cancelled_even_half_filled() -> None:
    made = small_engine()
    answers = made.place("ann", bracket_of(ask(True, "100001", "0.1")), OrderGrouping.ENTRY_WITH_EXITS)
    assert len(made.state.accounts["ann"].open) == 2  # filled: only its exits are open
    made = small_engine(usd=1_000_000)
    answers = made.place("ann", bracket_of(ask(True, "100001", "1.5")), OrderGrouping.ENTRY_WITH_EXITS)
    entry = answers[0].order
    assert entry is not None
    assert entry.filled == 100_000
    made.cancel("ann", BTC, entry.oid)
    assert not made.state.accounts["ann"].open
    assert made.state.accounts["ann"].lots(BTC) == 100_000


def test_groups_of_another_form_are_refused_whole() -> None:
    made = small_engine()
    entry, stop, target = bracket_of(LONG_ENTRY)
    for wrong in ([entry], [stop, entry], [entry, stop, target, stop], [entry, entry, stop]):
        answers = made.place("ann", wrong, OrderGrouping.ENTRY_WITH_EXITS)
        assert {a.error for a in answers} == {"Unexpected number of trigger orders"}
    inverted = [entry, ask(False, "90000", "0.1", trigger_px="101000", kind="sl", reduce_only=True)]
    assert {a.error for a in made.place("ann", inverted, OrderGrouping.ENTRY_WITH_EXITS)} == {"Invalid TP/SL price."}
    assert not made.state.accounts["ann"].open


def test_exits_of_a_position_close_all_of_it_whatever_its_size_then() -> None:
    made = small_engine()
    put(made, LONG_ENTRY)
    stop, target = (
        ask(False, px, "0", trigger_px=trigger, kind=kind, reduce_only=True)
        for px, trigger, kind in (("90000", "99000", "sl"), ("95000", "102000", "tp"))
    )
    answers = made.place("ann", [stop, target], OrderGrouping.POSITION_EXITS)
    assert [a.waits_for for a in answers] == ["waitingForTrigger"] * 2
    put(made, ask(True, "100001", "0.15", "Ioc"))
    made.drain()
    move(made, 989_000)
    assert made.state.accounts["ann"].lots(BTC) == 0
    assert not made.state.accounts["ann"].open


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
    assert put(made, ask(True, "99000", "1.1")).error == texts.NO_MARGIN
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


def test_an_account_below_maintenance_is_liquidated_into_the_book() -> None:
    made = small_engine(usd=10_000)
    put(made, ask(True, "100001", "1", "Ioc"))
    resting = oid_of(put(made, ask(True, "90000", "0.1")))
    made.drain()
    account = made.state.accounts["ann"]
    move(made, 920_000)  # 100,001 - 92,000: 8,001 lost of 9,955; maintenance 1,150
    assert account.lots(BTC) == 100_000
    move(made, 911_000)
    events = made.drain()
    (liquidation,) = [e for e in events if isinstance(e, Liquidation)]
    assert liquidation.notional_micro == 91_100 * USD
    assert VenueCancel("ann", BTC, resting) in events
    (fill,) = [e for e in events if isinstance(e, ExchangeFill)]
    assert (fill.lots, fill.px, fill.liquidated) == (100_000, 910_990, 911_000)
    assert account.lots(BTC) == 0
    assert account.raw_micro > 0
    assert_conserved(made)


def insured(shown: int, mark: int) -> int:
    """Return what the insurance makes of one lot of 100,001 USD that no bid takes when its mark falls."""
    made = small_engine(usd=10_000)
    put(made, ask(True, "100001", "1", "Ioc"))
    show(made, shown, bids=False)
    made.on_context(BTC, mark, mark, 0)
    account = made.state.accounts["ann"]
    assert (account.lots(BTC), account.raw_micro) == (0, 0)
    assert_conserved(made)
    return made.state.insurance_micro


def test_without_a_book_the_position_goes_to_the_market_and_the_insurance_pays_the_rest() -> None:
    assert insured(880_000, 880_000) < 0


def test_what_the_book_cannot_take_costs_the_maintenance_margin() -> None:
    assert 1_000 * USD < insured(912_000, 911_000) < 91_100 * USD // 80  # what was left of half the initial margin


def test_an_isolated_position_is_liquidated_alone() -> None:
    made = small_engine(usd=10_000)
    assert made.set_leverage("ann", BTC, 10, is_cross=False) == ""
    put(made, ask(True, "100001", "0.1", "Ioc"))
    position = made.state.accounts["ann"].positions[BTC]
    assert position.raw_micro + position.lots * 1_000_010 == 10_000_100 * 100  # a tenth of 10,000.1 USD
    assert made.set_leverage("ann", BTC, 10, is_cross=True) == "Cannot switch leverage type with open position."
    put(made, ask(False, "3999.9", "1", asset=ETH))
    move(made, 911_000)
    account = made.state.accounts["ann"]
    assert (account.lots(BTC), account.lots(ETH)) == (0, -10_000)
    assert 8_900 * USD < account.cross_value(made.state.marks) < 9_100 * USD
    assert_conserved(made)


def test_isolated_margin_follows_the_size() -> None:
    made = small_engine(usd=10_000)
    made.set_leverage("ann", BTC, 10, is_cross=False)
    for size, buys in (("0.2", True), ("0.1", False), ("0.3", False), ("0.2", True)):
        put(made, ask(buys, "100001" if buys else "99999", size, "Ioc"))
        show(made, MARK)
        assert_conserved(made)
    assert made.state.accounts["ann"].positions[BTC].raw_micro == 0  # flat again: all margin came back


def test_funding_is_paid_every_hour_on_size_times_oracle() -> None:
    made = small_engine()
    put(made, LONG_ENTRY)
    before = made.state.accounts["ann"].raw_micro
    made.drain()
    made.advance(T0 + 3_600_000 * 2)
    payments = [e for e in made.drain() if isinstance(e, Funding)]
    assert [(p.paid_micro, p.lots, p.time_ms) for p in payments] == [
        (125_000, 10_000, T0 + 3_600_000),  # 0.1 BTC x 100,000 x 0.0000125
        (125_000, 10_000, T0 + 7_200_000),
    ]
    assert before - made.state.accounts["ann"].raw_micro == 250_000
    assert_conserved(made)


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


def test_a_refused_order_does_not_hide_the_one_that_bears_its_cloid() -> None:
    made = small_engine()
    oid = oid_of(put(made, ask(True, "99000", "0.01", cloid="0xab")))
    assert put(made, ask(True, "99000", "5", cloid="0xab")).error
    found = made.find("ann", "0xab")
    assert found is not None
    assert found.oid == oid


def test_a_position_of_an_isolated_only_asset_is_isolated_from_its_first_order() -> None:
    made = small_engine(listings=(replace(LISTINGS[BTC], only_isolated=True), LISTINGS[ETH]))
    put(made, LONG_ENTRY)
    assert made.set_leverage("ann", BTC, 5, is_cross=True) == texts.BAD_LEVERAGE
    account = made.account("ann")
    assert account is not None
    assert [asset for asset, _ in account.held(cross=False)] == [BTC]
    assert not list(account.held(cross=True))
    assert_conserved(made)
