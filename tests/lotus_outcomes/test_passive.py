"""The payoff of a resting probe: against plain arithmetic on a plain order, by hand, and never from a later tape."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lotus.outcomes.passive import RestingProbes, RestingTerms, passive_payoffs
from lotus.outcomes.tape_fill import MAX_MULTIPLES

from .resting_by_hand import MS, Print, Quote, Resting, random_tape, rested, tape_of

TERMS = RestingTerms(taker_fee_bps=4.5, maker_fee_bps=1.5, notional_usd=30_000.0, latency_ns=250 * MS, limit_ns=10**10)
TICK = 100  # of prices of seven digits in units of 10^-4 USD


def probes_of(messages, direction, improves, skips, wait_ms=3_000, funding=0.0):
    begin = messages[0].recv + 200 * MS
    columns = [[direction], [begin], [begin + 15_000 * MS], [wait_ms * MS], [improves], [skips], [funding]]
    types = (np.int64, np.int64, np.int64, np.int64, np.bool_, np.bool_, np.float64)
    return RestingProbes(*(np.array(values, dtype=kind) for values, kind in zip(columns, types, strict=True)))


def first_at(quotes, recv):
    return next(i for i, q in enumerate(quotes) if q.recv >= recv)


def crossed(quote, side, lots, must):
    """Walk a top of book that gets worse by a tick with every further multiple of its size."""
    px, size = (quote.ask, quote.ask_size) if side > 0 else (quote.bid, quote.bid_size)
    if not must and (size <= 0 or lots // max(size, 1) > MAX_MULTIPLES):
        return 0, 0.0
    value, left, level = 0.0, lots, 0
    while left:
        part = min(left, max(size, 1)) if level < MAX_MULTIPLES else left
        value, left, level = value + part * (px + side * level * TICK), left - part, level + 1
    return lots, value


def plain_payoff(messages, direction, improves, skips, wait_ms, careful):
    quotes = [m for m in messages if isinstance(m, Quote)]
    begin, late = messages[0].recv + 200 * MS, (wait_ms + 250) * MS
    places = [first_at(quotes, at) for at in (begin, begin + late, begin + 15_000 * MS, begin + 15_000 * MS + late)]
    first = quotes[places[0]]
    planned = round(30_000.0 / ((first.ask if direction > 0 else first.bid) / 1e4) * 100)
    held, values, fees = planned, [], 0.0
    for side, (start, stop), must in ((direction, places[:2], False), (-direction, places[2:], True)):
        fills = rested(messages, start, stop, Resting(side, held, improves, careful, 250, TICK)) if held else []
        lots, value = sum(n for _, n, _ in fills), sum(px * n for px, n, _ in fills)
        taken, paid = crossed(quotes[stop], side, held - lots, must) if must or not skips else (0, 0.0)
        held = lots + taken
        values.append(value + paid)
        fees += 1.5 * value + 4.5 * paid
    if not held:
        return 0.0
    gained = direction * (values[1] - values[0]) * 1e4 - fees
    return gained / (values[0] / held * planned)


@settings(max_examples=120, deadline=None)
@given(
    st.integers(0, 10**6), st.sampled_from([1, -1]), st.booleans(), st.booleans(), st.sampled_from([300, 3_000, 7_500])
)
def test_equals_plain_arithmetic(seed, direction, improves, skips, wait_ms):
    messages = random_tape(seed)
    paid = passive_payoffs(tape_of(messages), probes_of(messages, direction, improves, skips, wait_ms), TERMS)
    for bound, careful in ((paid.low, True), (paid.high, False)):
        expected = plain_payoff(messages, direction, improves, skips, wait_ms, careful)
        assert bound.payoff_bps[0] == pytest.approx(expected, abs=1e-9)
    assert 0.0 <= paid.low.rested[0] <= paid.high.rested[0] <= 1.0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1, -1]), st.booleans())
def test_no_later_message_changes_a_payoff(seed, direction, improves):
    messages = random_tape(seed)
    probes = probes_of(messages, direction, improves, skips=False)
    whole = passive_payoffs(tape_of(messages), probes, TERMS)
    quotes = [m for m in messages if isinstance(m, Quote)]
    last = quotes[first_at(quotes, int(probes.exit_ns[0]) + 3_250 * MS)]
    until = messages.index(last) + 1
    short = passive_payoffs(tape_of(messages[:until]), probes, TERMS)
    one, two = ([*(b.payoff_bps[0] for b in (p.low, p.high)), p.crossed_bps[0], p.over_ms[0]] for p in (whole, short))
    assert one == two
    assert np.isnan(passive_payoffs(tape_of(messages[: until - 1]), probes, TERMS).low.payoff_bps[0])


def calm(*prints):
    """A market that stands still for 30 s, with prints at given seconds."""
    out = []
    for k in range(301):
        at = 1_700_000_000_000 + 100 * k
        out.append(Quote((at + 50) * MS, at, 5_000_000, 10_000, 5_000_100, 10_000, 2 * k))
        out += [
            Print((at + 60) * MS, at + 10, px, lots, side, 2 * k + 1) for s, px, lots, side in prints if k == 10 * s
        ]
    return out


def test_by_hand_a_fill_at_both_ends_pays_the_spread_and_two_maker_fees():
    whole = calm((1, 5_000_000, 20_000, -1), (16, 5_000_100, 20_000, 1))
    paid = passive_payoffs(tape_of(whole), probes_of(whole, 1, improves=False, skips=False), TERMS)
    assert paid.low.payoff_bps[0] == pytest.approx((100 / 5_000_000) * 1e4 - 1.5 * (1 + 5_000_100 / 5_000_000))
    assert paid.low.rested[0] == 1.0
    assert paid.crossed_bps[0] == pytest.approx((5_000_000 / 5_000_100 - 1) * 1e4 - 4.5 * (1 + 5_000_000 / 5_000_100))


def test_by_hand_an_unfilled_entry_is_nothing_where_it_is_skipped_and_the_cross_where_it_is_not():
    still = calm()
    skipped = passive_payoffs(tape_of(still), probes_of(still, 1, improves=False, skips=True), TERMS)
    assert (skipped.low.payoff_bps[0], skipped.low.held[0], skipped.low.rested[0]) == (0.0, 0.0, 0.0)
    fallen = passive_payoffs(tape_of(still), probes_of(still, 1, improves=False, skips=False), TERMS)
    assert fallen.low.payoff_bps[0] == pytest.approx(fallen.crossed_bps[0])
    assert (fallen.low.held[0], fallen.low.rested[0]) == (1.0, 0.0)


def test_an_hour_that_passes_between_the_ends_is_paid_for():
    still = calm()
    shift = (3_600_000 - 1_700_000_000_000 % 3_600_000 - 10_000) * MS
    for m in still:
        m.recv += shift
    funded = probes_of(still, 1, improves=False, skips=False, funding=2.0)
    free = dataclasses.replace(funded, funding_bps_h=np.array([np.nan]))
    with_funding, without = (passive_payoffs(tape_of(still), p, TERMS).low.payoff_bps[0] for p in (funded, free))
    assert without - with_funding == pytest.approx(2.0)
