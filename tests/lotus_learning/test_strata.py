"""Strata of the propensity: quantiles of the log's own past, frozen with the day, and nothing of a later day."""

import numpy as np
import pytest

from lotus.learning.audit_sums import audit_day
from lotus.learning.basis import KNOTS
from lotus.learning.rows import rows_by_detector
from lotus.learning.strata import LIMIT, MIN_GAP, N_CELLS, Histogram, strata_of
from lotus.simulation.learning_world import with_strata

FROM_THE_PAST = ("stratum", "share", "level")


@pytest.fixture(scope="module")
def log(worlds):
    """Return a way to make days of one detector, 45 windows each; `u0` puts every window at one logit."""

    def made(days, u0=None):
        out = worlds.world("conf", seed=4, days=days, blocks=(1,), per_block=15)
        return out if u0 is None else {day: at_logit(columns, u0) for day, columns in out.items()}

    return made


def at_logit(columns, u0):
    """Return a day whose windows have these logits and what follows from them."""
    logit = np.zeros(len(columns["u0"])) + u0
    p = 1.0 / (1.0 + np.exp(-logit))
    return {**columns, "u0": logit, "p": p, "h": p * (1.0 - p)}


def same(one, two, names=FROM_THE_PAST):
    return all(one[name].tobytes() == two[name].tobytes() for name in names)


def test_knots_are_the_quantiles_of_the_weight_linear_inside_a_cell():
    rng = np.random.default_rng(1)
    blank = np.zeros(N_CELLS)
    for _ in range(30):
        days = [
            Histogram(np.where(rng.random(N_CELLS) < 0.3, rng.exponential(1.0, N_CELLS), 0.0), blank, blank, 1 + blank,
                      blank)
            for _ in range(3)
        ]  # fmt: skip
        weight = np.sum([day.weight for day in days], axis=0)
        edges = np.linspace(-LIMIT, LIMIT, N_CELLS + 1)
        below = np.interp(strata_of(days).knots, edges, np.concatenate([[0.0], np.cumsum(weight)]))
        np.testing.assert_allclose(below / weight.sum(), (0.01, 0.2, 0.4, 0.6, 0.8, 0.99), atol=1e-7)


def test_what_came_later_changes_nothing_bit_for_bit(log):
    long = log(8)
    whole = with_strata(long)
    for n in (1, 4, 7):
        early = with_strata(dict(list(long.items())[:n]))
        for day, columns in early.items():
            assert same(columns, whole[day], (*FROM_THE_PAST, "weight"))
    newest = list(long)[-1]
    moved = {**long, newest: {**long[newest], "payoff_y": long[newest]["payoff_y"] + 50.0, "f": long[newest]["f"] * 9}}
    for day, columns in with_strata(moved).items():
        assert same(columns, whole[day]), "what a day paid is no part of its own strata"
    first = next(iter(long))
    before = {**long, first: {**long[first], "payoff_y": long[first]["payoff_y"] + 50.0}}
    again = with_strata(before)
    assert not any(again[day]["level"].tobytes() == whole[day]["level"].tobytes() for day in list(long)[1:])


def test_twenty_days_are_remembered_and_no_more(log):
    long = log(22)
    whole = with_strata(long)
    short = with_strata(dict(list(long.items())[1:]))
    newest, one_before = list(long)[-1], list(long)[-2]
    assert same(whole[newest], short[newest]), "the twenty-first day before is forgotten"
    assert not same(whole[one_before], short[one_before])


def test_a_day_without_a_past_stands_on_fixed_knots_and_has_no_level(log):
    first = next(iter(with_strata(log(1)).values()))
    assert np.isnan(first["level"]).all()
    inner = (first["u0"] >= KNOTS[0]) & (first["u0"] < KNOTS[-1])
    want = np.searchsorted(KNOTS, first["u0"][inner], side="right") - 1
    assert first["stratum"][inner].tolist() == want.tolist()


def test_a_constant_propensity_breaks_nothing(log):
    days = list(with_strata(log(4, u0=-0.4)).values())
    cell = np.floor((-0.4 + LIMIT) * 16) / 16 - LIMIT
    for day in days[1:]:
        assert np.isfinite(day["level"]).all()
        assert np.ptp(day["level"]) == 0.0
        assert len(set(day["stratum"].tolist())) == 1
        assert ((day["share"] >= 0.0) & (day["share"] <= 1.0)).all()
    blank = np.zeros(N_CELLS)
    weight = blank.copy()
    weight[int((cell + LIMIT) * 16)] = 1.0
    knots = strata_of([Histogram(weight, blank, blank, weight, blank)]).knots
    assert (np.diff(knots) >= MIN_GAP - 1e-12).all()
    assert cell <= knots[0] < cell + 1 / 16


def test_the_share_beyond_is_that_of_the_weight_half_an_interval_outside_the_knots(log):
    long = log(5)
    newest = list(long)[-1]
    u0 = np.where(np.arange(45) < 15, 7.0, long[newest]["u0"])  # a third of the day is published as none ever was
    long[newest] = at_logit(long[newest], u0)
    rows = rows_by_detector(with_strata(long), 90)["d0"]
    for d in range(5):
        mine = rows.day == d
        sums = audit_day(rows, slice(int(np.flatnonzero(mine)[0]), int(np.flatnonzero(mine)[-1]) + 1)).sums
        if d < 4:
            assert sums[6] <= 0.05 * sums[7]
        else:
            assert sums[6] >= rows.h[mine & (rows.u0 == 7.0)].sum()
            far = mine & ((rows.share > 1.5) | (rows.share < -0.5))
            assert sums[6] == pytest.approx(rows.h[far].sum(), rel=1e-12)
        assert sums[7] == pytest.approx(rows.h[mine].sum(), rel=1e-12)
