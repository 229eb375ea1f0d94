"""An order at rest: against a plain reference, by the laws of its bounds, and by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lotus.outcomes.passive import rest
from lotus.outcomes.passive_kernel import tick_at
from lotus.outcomes.tape_fill import tick_units

from .resting_by_hand import MS, Print, Quote, Resting, random_tape, rested, tape_of

LATENCY = 250


def run(messages, first, last, side, improves, lots):
    ends, one = np.array([[first, last]]), np.array([side])
    wanted = np.array([lots])
    return rest(tape_of(messages), ends, one, np.array([improves]), (wanted, wanted), LATENCY * MS)


def figures(fills):
    return sum(n for _, n, _ in fills), sum(px * n for px, n, _ in fills), max((at for *_, at in fills), default=0)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1, -1]), st.booleans(), st.integers(1, 60), st.floats(0.1, 2.0))
def test_equals_the_plain_reference(seed, side, improves, lots, wild):
    messages = random_tape(seed, wild=wild)
    last = sum(isinstance(m, Quote) for m in messages) - 1
    first = seed % max(1, last // 2)
    low, high = run(messages, first, last, side, improves, lots)
    for bound, careful in ((low, True), (high, False)):
        order = Resting(side, lots, improves, careful, LATENCY, 100)
        expected = figures(rested(messages, first, last, order))
        assert (bound.lots[0], bound.cost[0], bound.filled_ns[0]) == expected


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1, -1]), st.booleans(), st.integers(1, 60))
def test_the_optimistic_fill_is_never_the_smaller_and_longer_waits_fill_no_less(seed, side, improves, lots):
    messages = random_tape(seed)
    last = sum(isinstance(m, Quote) for m in messages) - 1
    before = (0, 0)
    for end in (last // 3, last // 2, last):
        low, high = run(messages, 0, end, side, improves, lots)
        assert before[0] <= low.lots[0] <= high.lots[0] <= lots
        assert before[1] <= high.lots[0]
        before = (low.lots[0], high.lots[0])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1, -1]), st.booleans())
def test_nothing_that_comes_after_its_end_moves_it(seed, side, improves):
    messages = random_tape(seed, seconds=40)
    quotes = [i for i, m in enumerate(messages) if isinstance(m, Quote)]
    end = len(quotes) // 2
    cut = messages[: quotes[end] + 1]
    other = [*cut, *random_tape(seed + 1, seconds=5)]
    for m in other[len(cut) :]:
        m.recv, m.seq = m.recv + cut[-1].recv, m.seq + len(cut)
    whole, short, changed = (run(m, 0, end, side, improves, 25) for m in (messages, cut, other))
    for bounds in (short, changed):
        for one, two in zip(whole, bounds, strict=True):
            assert (one.lots[0], one.cost[0], one.filled_ns[0]) == (two.lots[0], two.cost[0], two.filled_ns[0])


def stretch(*messages):
    """Messages 100 ms apart; the last quote ends the stretch."""
    out = []
    for k, message in enumerate(messages):
        at = 1_000_000 + 100 * k
        match message:
            case ("quote", bid, size, ask):
                out.append(Quote((at + 50) * MS, at, bid, size, ask, 10, k))
            case ("print", px, lots, side):
                out.append(Print((at + 50) * MS, at, px, lots, side, k))
    out.append(Quote((at + 5_000) * MS, at + 4_000, 1, 1, 9_999_999, 1, len(messages)))
    return out


BID = ("quote", 10_000, 8, 10_100)


@pytest.mark.parametrize(
    ("messages", "low", "high"),
    [
        ([BID, ("print", 10_000, 8, -1)], 0, 0),  # the queue, and nothing behind it
        ([BID, ("print", 10_000, 11, -1)], 3, 3),  # three lots come past it
        ([BID, ("print", 10_000, 30, 1)], 0, 0),  # a buyer does not fill a bid
        ([BID, ("print", 9_900, 2, -1)], 2, 2),  # through it
        ([BID, ("quote", 10_000, 4, 10_100), ("print", 10_000, 6, -1)], 0, 2),  # half of the queue was cancelled
        ([BID, ("quote", 9_900, 5, 10_100), ("print", 10_000, 4, -1)], 0, 4),  # all of it was
        ([BID, ("quote", 9_900, 5, 10_000)], 0, 5),  # the other side shows at its price
    ],
)
def test_by_hand(messages, low, high):
    careful, hopeful = run(stretch(*messages), 0, len([m for m in messages if m[0] == "quote"]), 1, False, 5)
    assert (careful.lots[0], hopeful.lots[0]) == (low, high)


def test_a_print_older_than_its_arrival_is_not_its_own():
    messages = stretch(BID, ("print", 9_900, 3, -1))
    messages[1].time = messages[0].time
    assert run(messages, 0, 1, 1, False, 5)[1].lots[0] == 0


def test_it_follows_the_best_after_half_a_second_and_a_latency_to_the_back():
    away = ("quote", 10_200, 6, 10_300)
    quotes = [BID, *[away] * 9]
    before = stretch(*quotes[:8], ("print", 10_200, 50, -1))
    after = stretch(*quotes, ("print", 10_200, 9, -1))
    assert run(before, 0, 8, 1, False, 5)[0].lots[0] == 0  # sent with the sixth quote, not there with the eighth
    assert run(after, 0, 10, 1, False, 5)[0].lots[0] == 3


def test_it_improves_only_a_spread_of_two_ticks():
    wide = ("quote", 100_000, 8, 100_030)
    assert run(stretch(wide, ("print", 100_010, 2, -1)), 0, 1, 1, True, 5)[0].cost[0] == 2 * 100_010
    narrow = ("quote", 100_000, 8, 100_010)
    assert run(stretch(narrow, ("print", 100_000, 9, -1)), 0, 1, 1, True, 5)[0].cost[0] == 100_000


@given(st.integers(1, 10**12), st.integers(0, 6))
def test_ticks_are_those_of_the_executed_probe(px, px_decimals):
    assert tick_at(px, px_decimals) == tick_units(np.array([px]), px_decimals)[0]
