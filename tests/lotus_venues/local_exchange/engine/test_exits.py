"""Stops, take-profits and groups: when they fire, wake and end."""

import pytest
from engine_bed import LONG_ENTRY, long_with_stop
from small_engine import (
    BTC,
    MARK,
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

from lotus.trading.execution.orders import OrderGrouping
from lotus_venues.local_exchange.engine.values import (
    ExitRules,
    SmallExits,
)
from lotus_venues.local_exchange.requests import error_messages


@pytest.mark.parametrize(
    ("rules", "size", "error"),
    [
        (ExitRules(), "0.02", ""),
        (ExitRules(is_strict=True), "0.02", error_messages.NOT_REDUCING),
        (ExitRules(is_strict=True), "0.01", ""),
        (ExitRules(small=SmallExits.FULL), "0.00005", error_messages.TOO_SMALL),
        (ExitRules(small=SmallExits.FULL), "0.01", ""),
        (ExitRules(small=SmallExits.NONE), "0.00005", error_messages.TOO_SMALL),
    ],
)
def test_exits_by_the_rules_that_are_not_known(rules: ExitRules, size: str, error: str) -> None:
    made = small_engine(exit_rules=rules)
    put(made, ask(True, "100001", "0.01", "Ioc"))
    assert put(made, ask(False, "99999", size, "Ioc", reduce_only=True)).error == error


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
