"""Every difference between own state and the venue is found, and only what is safe follows from it."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from lotus.trading.accounts.reconcile import Action, Difference, Discrepancy, Own, VenueReport, findings
from lotus.trading.execution.order_machine import Purpose, TrackedOrder, filled, possible_ids, told
from lotus.trading.execution.orders import (
    NewOrder,
    OpenOrder,
    OrderState,
    OrderTrigger,
    OrderUpdate,
    Side,
    TriggerKind,
    VenueFill,
    VenuePosition,
    client_order_id,
)

D = Decimal
NAME = client_order_id("p1", "entry", 0)
ORDER = NewOrder(NAME, "BTC", Side.BUY, D(2), D(100))
RESTING = told(TrackedOrder(ORDER, Purpose.ENTRY, 0, 0), OrderUpdate(NAME, OrderState.RESTING, 0, 1), 0)
OPEN = OpenOrder(NAME, 1, "BTC", Side.BUY, D(2), D(2), D(100), 0)
FILL = VenueFill("f1", NAME, 1, "BTC", Side.BUY, D(1), D(100), D(0), True, 5)
STOP = OrderTrigger(D(90), TriggerKind.STOP_LOSS)


def position(size: int, coin: str = "BTC") -> VenuePosition:
    """Return a venue's position."""
    return VenuePosition(coin, D(size), D(100), D(0), D(0), 1)


def own(*orders: TrackedOrder, **positions: int) -> Own:
    """Return what is believed here."""
    return Own({o.client_id: o for o in orders}, {k: D(v) for k, v in positions.items()}, ("p1",))


def only(found: tuple[Discrepancy, ...]) -> tuple[Difference, Action]:
    """Return the one finding."""
    (one,) = found
    assert one.found
    assert one.expected
    return one.difference, one.action


def test_nothing_differs_when_both_agree() -> None:
    assert findings(own(RESTING), VenueReport([OPEN], [], 10)) == ()
    half = filled(RESTING, FILL, 0)
    assert findings(own(half, BTC=1), VenueReport([replace(OPEN, left=D(1))], [position(1)], 10, [FILL])) == ()


def test_an_own_order_that_is_not_there_is_asked_for_unless_it_was_sent_later() -> None:
    assert only(findings(own(RESTING), VenueReport([], [], 10))) == (Difference.NOT_OPEN, Action.ASK)
    unknown = TrackedOrder(ORDER, Purpose.ENTRY, 0, 5)
    assert only(findings(own(unknown), VenueReport([], [], 10))) == (Difference.NOT_OPEN, Action.ASK)
    assert findings(own(unknown), VenueReport([], [], 5)) == ()


def test_answers_to_questions_are_taken_over() -> None:
    unknown = TrackedOrder(ORDER, Purpose.ENTRY, 0, 50)
    for state, action in (
        (OrderState.NEVER_PLACED, Action.MARK_NEVER_PLACED),
        (OrderState.CANCELED, Action.ADOPT),
        (OrderState.RESTING, Action.ADOPT),
    ):
        said = VenueReport([], [], 10, answers=[OrderUpdate(NAME, state, 0)])
        assert only(findings(own(unknown), said)) == (Difference.STATE_DIFFERS, action)
    assert findings(own(unknown), VenueReport([], [], 10, answers=[OrderUpdate(NAME, OrderState.UNKNOWN, 0)])) == ()


def test_a_strange_order_is_cancelled_one_of_a_living_plan_adopted_a_stop_that_protects_kept() -> None:
    strange = replace(OPEN, client_id="0xff")
    assert only(findings(own(), VenueReport([strange], [], 10))) == (Difference.ORPHAN, Action.CANCEL)
    assert only(findings(own(), VenueReport([OPEN], [], 10))) == (Difference.LOST_ORDER, Action.ADOPT)
    assert only(findings(replace(own(), plans=()), VenueReport([OPEN], [], 10))) == (Difference.ORPHAN, Action.CANCEL)
    stop = replace(strange, reduce_only=True, trigger=STOP)
    assert only(findings(own(), VenueReport([stop], [], 10))) == (Difference.ORPHAN, Action.CANCEL)
    found = findings(own(), VenueReport([stop], [position(3)], 10, fills_complete=True))
    assert [(f.difference, f.action) for f in found] == [
        (Difference.ORPHAN, Action.KEEP),
        (Difference.POSITION_UNTRACKED, Action.CLOSE),
    ]


def test_fills_not_seen_are_taken_and_foreign_ones_given_to_the_plan() -> None:
    there = VenueReport([replace(OPEN, left=D(1))], [position(1)], 10, [FILL, FILL])
    taken = findings(own(RESTING), replace(there, fills=[FILL]))
    assert only(taken) == (Difference.FILL_MISSING, Action.TAKE_FILL)
    half = filled(RESTING, FILL, 0)
    liquidated = replace(FILL, fill_id="f2", client_id="", side=Side.SELL)
    gone = findings(own(half, BTC=1), VenueReport([OPEN], [], 10, [FILL, liquidated], fills_complete=True))
    assert only(gone) == (Difference.FOREIGN_FILL, Action.GIVE_TO_PLAN)


def test_positions_wait_for_fills_and_then_the_venue_is_right() -> None:
    cases = [
        (0, 3, Difference.POSITION_UNTRACKED, Action.CLOSE, 3),
        (2, 3, Difference.POSITION_UNTRACKED, Action.CLOSE, 1),
        (-2, -3, Difference.POSITION_UNTRACKED, Action.CLOSE, -1),
        (2, -1, Difference.POSITION_UNTRACKED, Action.CLOSE, -3),
        (2, 1, Difference.POSITION_GONE, Action.MARK_REDUCED, -1),
        (-2, 0, Difference.POSITION_GONE, Action.MARK_REDUCED, 2),
    ]
    for here, there, difference, action, size in cases:
        believed, said = own(BTC=here), VenueReport([], [position(there)], 10)
        assert only(findings(believed, said)) == (difference, Action.WAIT_FOR_FILLS)
        (found,) = findings(believed, replace(said, fills_complete=True))
        assert (found.difference, found.action, found.size) == (difference, action, D(size))


def test_a_coin_that_moved_while_it_was_looked_says_nothing_of_its_position() -> None:
    said = VenueReport([], [position(3), position(2, "ETH")], 10, fills_complete=True, moving=frozenset({"BTC"}))
    (found,) = findings(own(BTC=1), said)
    assert (found.coin, found.size) == ("ETH", D(2))


@given(st.integers(-5, 5), st.integers(-5, 5), st.sampled_from(["BTC", "ETH"]))
def test_what_follows_from_a_position_makes_both_agree(here: int, there: int, coin: str) -> None:
    """Closing takes the excess from the venue, marking takes it from here; after either nothing differs."""
    said = VenueReport([], [position(there, coin)], 10, fills_complete=True)
    for finding in findings(own(**{coin: here}), said):
        if finding.action is Action.CLOSE:
            after = findings(own(**{coin: here}), replace(said, positions=[position(there - int(finding.size), coin)]))
        else:
            after = findings(own(**{coin: here + int(finding.size)}), said)
        assert after == ()


def test_ids_of_a_plan_are_those_its_orders_get() -> None:
    ids = possible_ids("p1", 3)
    assert len(ids) == 3 * len(Purpose)
    assert ids[NAME] == (Purpose.ENTRY, 0)
