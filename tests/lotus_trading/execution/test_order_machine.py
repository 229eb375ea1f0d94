"""The order machine against every order of messages: the same evidence is the same state, and nothing counts twice."""

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus.errors import VenueError
from lotus.trading.execution.order_machine import (
    END_RANK,
    Purpose,
    TrackedOrder,
    absent,
    filled,
    held,
    modify_answered,
    modify_sent,
    told,
)
from lotus.trading.execution.orders import NewOrder, OpenOrder, OrderState, OrderUpdate, Side, VenueFill

S = OrderState
ORDER = NewOrder("0x1", "BTC", Side.BUY, Decimal(10), Decimal(100))


def fresh() -> TrackedOrder:
    """Return an order that was just sent."""
    return TrackedOrder(ORDER, Purpose.ENTRY, 0, 1_000)


def update(state: OrderState, done: int = 0, reason: str = "") -> OrderUpdate:
    """Return a venue's word."""
    oid = 7 if state in (S.WAITING, S.RESTING, S.FILLED, S.CANCELED) else None
    return OrderUpdate("0x1", state, 0, oid, Decimal(done), None, reason)


def fill(number: int, size: int) -> VenueFill:
    """Return an execution."""
    return VenueFill(f"f{number}", "0x1", 7, "BTC", Side.BUY, Decimal(size), Decimal(100), Decimal(0), True, 0)


def after(*messages: OrderUpdate | VenueFill) -> TrackedOrder:
    """Return a fresh order after messages."""
    tracked = fresh()
    for message in messages:
        tracked = filled(tracked, message, 2_000) if isinstance(message, VenueFill) else told(tracked, message, 2_000)
    return tracked


@given(st.data())
def test_any_order_of_the_same_messages_with_repeats_gives_the_same_state(data: st.DataObject) -> None:
    words = st.sampled_from([update(s, n) for s in S for n in (0, 3)])
    fills = st.builds(fill, st.integers(0, 3), st.just(2))
    messages = data.draw(st.lists(words | fills, max_size=8))
    repeats = data.draw(st.lists(st.sampled_from(messages), max_size=4)) if messages else []
    one, two = after(*messages), after(*data.draw(st.permutations([*messages, *repeats])))
    for name in ("state", "filled", "fills", "left", "must_ask", "fills_missing"):
        assert getattr(one, name) == getattr(two, name), name
    assert one.filled == 2 * len({m.fill_id for m in messages if isinstance(m, VenueFill)})


@given(st.lists(st.sampled_from([update(s) for s in S]) | st.builds(fill, st.integers(0, 5), st.just(2)), max_size=10))
def test_a_final_state_only_moves_to_a_stronger_one(messages: list[OrderUpdate | VenueFill]) -> None:
    states = [after(*messages[:n]).state for n in range(len(messages) + 1)]
    for before, now in pairwise(states):
        if before.is_final and before is not S.NEVER_PLACED:
            assert now.is_final
            assert END_RANK[now] >= END_RANK[before]


@pytest.mark.parametrize(
    ("messages", "state", "size"),
    [
        ((), S.UNKNOWN, 0),
        ((update(S.UNKNOWN, reason="504"),), S.UNKNOWN, 0),
        ((fill(1, 4),), S.RESTING, 4),  # a fill before the acknowledgement proves that it lives
        ((fill(1, 4), fill(1, 4)), S.RESTING, 4),
        ((fill(1, 4), fill(2, 6)), S.FILLED, 10),
        ((fill(1, 4), fill(2, 6), update(S.RESTING)), S.FILLED, 10),
        ((update(S.CANCELED), fill(1, 4)), S.CANCELED, 4),  # executed before the cancel, told after it
        ((fill(1, 4), fill(2, 6), update(S.CANCELED)), S.FILLED, 10),  # the cancel lost the race
        ((update(S.RESTING), update(S.REJECTED)), S.REJECTED, 0),
        ((update(S.REJECTED), update(S.RESTING)), S.REJECTED, 0),
        ((update(S.NEVER_PLACED),), S.NEVER_PLACED, 0),
        ((update(S.NEVER_PLACED), update(S.RESTING)), S.RESTING, 0),
        ((update(S.NEVER_PLACED), fill(1, 4)), S.RESTING, 4),
    ],
)
def test_states_told_in_hard_orders(
    messages: tuple[OrderUpdate | VenueFill, ...], state: OrderState, size: int
) -> None:
    tracked = after(*messages)
    assert (tracked.state, tracked.filled) == (state, Decimal(size))
    assert tracked.left == (0 if state.is_final else 10 - size)


def test_fills_that_were_told_but_not_seen_are_asked_for() -> None:
    partly = after(update(S.CANCELED, 4))
    assert partly.fills_missing
    assert partly.must_ask
    assert not filled(partly, fill(1, 4), 0).must_ask
    whole = after(update(S.FILLED))
    assert whole.must_ask
    assert not filled(whole, fill(1, 10), 0).must_ask


def test_a_fill_that_contradicts_is_an_error() -> None:
    with pytest.raises(VenueError, match="f1"):
        filled(after(fill(1, 4)), fill(1, 5), 0)
    with pytest.raises(VenueError, match="BTC SELL"):
        filled(fresh(), replace(fill(1, 4), side=Side.SELL), 0)
    assert after(fill(1, 11)).overfilled


def test_a_modify_stays_open_until_it_is_answered() -> None:
    wanted = replace(ORDER, size=Decimal(6), limit_px=Decimal(99))
    sent = modify_sent(after(update(S.RESTING)), wanted, 0)
    assert sent.must_ask
    assert sent.left == 10  # either size may be in force
    assert modify_answered(sent, update(S.UNKNOWN), 0).pending == wanted
    taken = modify_answered(sent, update(S.RESTING), 0)
    assert (taken.order, taken.pending, taken.left) == (wanted, None, Decimal(6))
    refused = modify_answered(sent, update(S.RESTING, reason="Price must be divisible by tick size."), 0)
    assert (refused.order, refused.pending) == (ORDER, None)
    with pytest.raises(VenueError):
        modify_sent(sent, replace(wanted, size=Decimal(5)), 0)
    assert modify_sent(sent, wanted, 9).modify_ms == 9
    with pytest.raises(VenueError):
        modify_sent(after(update(S.RESTING)), replace(wanted, side=Side.SELL), 0)


def test_a_snapshot_settles_a_modify_and_proves_life_but_absence_proves_nothing() -> None:
    wanted = replace(ORDER, size=Decimal(6), limit_px=Decimal(99))
    sent = modify_sent(after(update(S.RESTING)), wanted, 0)
    there = OpenOrder("0x1", 7, "BTC", Side.BUY, Decimal(6), Decimal(6), Decimal(99), 0)
    assert held(sent, there, 0).order == wanted
    assert held(sent, replace(there, size=Decimal(10), left=Decimal(10), limit_px=Decimal(100)), 0).order == ORDER
    assert held(fresh(), there, 0).state is S.RESTING
    assert held(after(update(S.CANCELED)), there, 0).state is S.CANCELED
    gone = absent(after(update(S.RESTING)), 5_000)
    assert (gone.state, gone.must_ask) == (S.RESTING, True)
    assert not told(gone, update(S.CANCELED), 0).must_ask
    assert not absent(after(update(S.RESTING)), 500).must_ask  # sent after the snapshot was taken


def test_what_is_no_news_leaves_the_order_itself() -> None:
    done = after(fill(1, 10), update(S.FILLED, 10))
    assert told(done, update(S.FILLED, 10), 9_000) is done
    assert filled(done, fill(1, 10), 9_000) is done
    assert told(done, update(S.RESTING), 9_000) is not done
