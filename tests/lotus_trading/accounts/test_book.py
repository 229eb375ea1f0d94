"""Targets of the book against open plans: what is opened and lowered ends at the target, whatever was open."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus.decision.knowledge.plan_terms import Term
from lotus.detectors.entry_style import EntryStyle
from lotus.manifest import Asset
from lotus.trading.accounts.book import BookEntry, BookTarget, BookTerms, OpenPlan, PositionChange, book_plan, change_of
from lotus.trading.execution.orders import Side
from lotus.trading.plan.plan import Authority, Condition, ConditionKind
from lotus.trading.plan.styles import Styles

D = Decimal
BTC = Asset("BTC", 5)
PX = D(100_000)
LOT = D("0.00001")
LEAST = D(50)
SIZES = st.integers(-50_000, 50_000).map(lambda lots: lots * LOT)
PLANS = st.lists(st.integers(0, 20_000).map(lambda lots: lots * LOT), max_size=5)


def plans_of(side: Side, sizes: list[Decimal]) -> list[OpenPlan]:
    """Open plans of one side, oldest first."""
    return [OpenPlan(f"p{k}", side, size, 1_000) for k, size in enumerate(sizes)]


def target_of(size: Decimal, slack: Decimal = Decimal(0)) -> BookTarget:
    """A target with a range around it."""
    return BookTarget("BTC", size, size - slack, size + slack, abs(size))


def after(plans: list[OpenPlan], change: PositionChange) -> Decimal:
    """What the plans hold once everything was done."""
    lowered = dict(change.ceilings)
    held = sum((int(p.side) * min(p.will_hold, lowered.get(p.plan_id, p.will_hold)) for p in plans), D(0))
    return held + change.opened


@given(st.sampled_from(list(Side)), PLANS, SIZES, st.integers(0, 5_000).map(lambda lots: lots * LOT))
def test_one_change_ends_inside_the_range_or_near_the_target(
    side: Side, sizes: list[Decimal], size: Decimal, slack: Decimal
) -> None:
    plans, target = plans_of(side, sizes), target_of(size, slack)
    change, held = change_of(target, plans, BTC, PX, LEAST), sum((int(side) * s for s in sizes), D(0))
    ended = after(plans, change)
    assert ended == change.after
    if target.low <= held <= target.high:
        assert (change.opened, change.ceilings) == (0, ())
        return
    assert all(ceiling >= 0 for _, ceiling in change.ceilings)
    if plans and int(side) * size <= 0:
        assert ended == 0, "the other direction waits until the coin is flat"
        assert not change.opened
    else:
        assert abs(ended - size) * PX < LEAST + 10, "within the least step, and the least that a plan may be left with"
    assert change.opened * size >= 0


@given(st.sampled_from(list(Side)), PLANS, SIZES)
def test_two_changes_reach_every_target_from_everywhere(side: Side, sizes: list[Decimal], size: Decimal) -> None:
    plans = [p for p in plans_of(side, sizes) if p.will_hold]
    first = change_of(target_of(size), plans, BTC, PX, LEAST)
    lowered = dict(first.ceilings)
    left = [OpenPlan(p.plan_id, p.side, lowered.get(p.plan_id, p.will_hold), 0) for p in plans]
    left += [OpenPlan("new", Side.BUY if first.opened > 0 else Side.SELL, abs(first.opened), 0)] if first.opened else []
    left = [p for p in left if p.will_hold]
    second = change_of(target_of(size), left, BTC, PX, LEAST)
    assert abs(after(left, second) - size) * PX < LEAST + 10


def test_the_oldest_plan_is_lowered_first_and_no_crumb_is_left() -> None:
    plans = plans_of(Side.BUY, [D("0.1"), D("0.2"), D("0.3")])
    assert change_of(target_of(D("0.45")), plans, BTC, PX, LEAST).ceilings == (("p0", D(0)), ("p1", D("0.15")))
    crumb = change_of(target_of(D("0.50001")), plans, BTC, PX, LEAST)
    assert crumb.ceilings == (("p0", D(0)),), "1 USD of it would be left"
    assert crumb.after == D("0.5")


def test_a_plan_that_is_still_leaving_keeps_the_other_direction_waiting() -> None:
    leaving = [OpenPlan("p0", Side.BUY, D(0), 0)]
    assert not change_of(target_of(D("-0.1")), leaving, BTC, PX, LEAST).opened
    assert change_of(target_of(D("-0.1")), [], BTC, PX, LEAST).opened == D("-0.1")
    assert change_of(target_of(D("0.1")), leaving, BTC, PX, LEAST).opened == D("0.1"), "more of its own may be opened"


@given(st.sampled_from(list(Side)), PLANS, SIZES, st.integers(0, 50_000).map(lambda lots: lots * LOT))
def test_no_more_is_opened_than_the_decision_added(
    side: Side, sizes: list[Decimal], size: Decimal, more: Decimal
) -> None:
    change = change_of(replace(target_of(size), more=more), plans_of(side, sizes), BTC, PX, LEAST)
    assert abs(change.opened) <= more
    assert change.ceilings == change_of(target_of(size), plans_of(side, sizes), BTC, PX, LEAST).ceilings


def test_a_decision_that_holds_does_not_open_again_what_has_ended_since() -> None:
    """A position whose views are over costs more to leave than to keep, and its plan leaves it all the same."""
    holds = BookTarget("BTC", D("-0.1"), D("-0.1"), D("-0.1"), D(0))
    assert change_of(holds, [OpenPlan("p0", Side.SELL, D(0), 0)], BTC, PX, LEAST).opened == 0
    assert change_of(holds, [], BTC, PX, LEAST).opened == 0


@pytest.mark.parametrize(("size", "stop"), [(D("0.1"), D(97_000)), (D("-0.1"), D(103_000))])
def test_a_plan_of_the_book_has_a_stop_an_exit_time_and_a_name_of_its_own(size: Decimal, stop: Decimal) -> None:
    terms = BookTerms(D(300), Authority("book", D(10_000), ("local:market",)), ("local",), 5, 5_000, 300_000)
    entry = BookEntry("d", "l", "s", valid_until_ms=60_000, trigger="", confidence=0.6)
    made = book_plan(entry, BTC, size, PX, 1_000, terms)
    assert (made.side, made.size, made.stop_px) == (Side(1 if size > 0 else -1), D("0.1"), stop)
    assert (made.valid_until_ms, made.exit_at_ms) == (6_000, 301_000)
    waiting = book_plan(replace(entry, trigger="touch(level=prev_high)"), BTC, size, PX, 1_000, terms)
    assert waiting.valid_until_ms == 60_000
    assert waiting.plan_id == made.plan_id
    assert made.plan_id != book_plan(replace(entry, decision_id="e"), BTC, size, PX, 1_000, terms).plan_id


@pytest.mark.parametrize("side", list(Side))
def test_terms_that_are_ordered_become_prices_on_the_ticks_of_the_coin(side: Side) -> None:
    join = Styles(EntryStyle.JOIN, exit=EntryStyle.JOIN)
    usual = BookTerms(D(300), Authority("book", D(10_000), ()), ("local",), 5, 5_000, 300_000, styles=join, rest_ms=9)
    entry = BookEntry("d", "l", "s", valid_until_ms=60_000, trigger="", confidence=0.6)
    plain = book_plan(entry, BTC, int(side) * D("0.1"), PX, 1_000, usual)
    assert (plain.take_profit_px, plain.entry_when, plain.exit_when) == (None, (), ())
    assert (plain.styles, plain.rest_ms, plain.valid_until_ms) == (join, 9, 6_000)
    terms = {Term.TAKE_PROFIT: D("22.63"), Term.CUT: D(16), Term.BETTER_ENTRY: D(8), Term.URGENCY: D(0)}
    made = book_plan(replace(entry, terms=terms), BTC, int(side) * D("0.1"), PX, 1_000, usual)
    start = PX - int(side) * 80
    against = ConditionKind.PRICE_BELOW if side is Side.BUY else ConditionKind.PRICE_ABOVE
    assert made.entry_when == (Condition(against, start),)
    assert made.exit_when == (Condition(against, round(start * (1 - int(side) * D("0.0016")))),)
    assert made.take_profit_px == round(start * (1 + int(side) * D("0.002263")))
    assert (made.styles, made.valid_until_ms) == (replace(join, entry=EntryStyle.CROSS), 60_000)
