"""Other horizons are described beside a lesson, from rows of the same draws, and change nothing that is searched."""

import numpy as np
import pytest
from own_world import own_world, table

from lotus.learning.rows import rows_by_detector
from lotus.own_signals.config import OwnConfig
from lotus.own_signals.facts import facts_of
from lotus.own_signals.horizons import markouts
from lotus.own_signals.scores import scored
from lotus.own_signals.study import study
from lotus.own_signals.words import text_of
from lotus.priors.types import Literal, Rule

NAMED = OwnConfig(decision_horizon_s=300)


@pytest.fixture(scope="module")
def both():
    """Return a planted world of one horizon, and with a second one that pays 2 bps more."""
    world = own_world(seed=1, effect=6.0)
    longer = {**world, "horizon_s": np.full(len(world["ts"]), 900), "payoff_bps": world["payoff_bps"] + 2.0}
    rng = np.random.default_rng(0)
    order = rng.permutation(2 * len(world["ts"]))
    return world, {name: np.concatenate([world[name], longer[name]])[order] for name in world}


def test_mark_outs_are_those_of_the_published_rows(both):
    found = scored(table(both[1]), OwnConfig(decision_horizon_s=300, cost_bps=1.0))
    rows = rows_by_detector(found.scores, 90, found.vocabulary)["d0"]
    rule = Rule.of(Literal(0, 3, 4))
    short, longer = markouts(rows, rule, found.payoffs)
    taken = rows.covered(rule) & rows.published
    assert (short.horizon_s, longer.horizon_s) == (300, 900)
    assert short.windows == longer.windows == taken.sum()
    assert short.mean_bps == pytest.approx(rows.payoff_y[taken].mean())
    assert longer.mean_bps == pytest.approx(short.mean_bps + 2.0)
    assert short.hit_rate == (rows.payoff_y[taken] > 0).mean()
    assert short.mean_outside_bps == pytest.approx(rows.payoff_y[rows.published & ~taken].mean())
    sums = np.array([(rows.payoff_y[taken & (rows.lane == k)] - short.mean_bps).sum() for k in range(rows.n_lanes)])
    n = len(np.unique(rows.lane[taken]))
    assert (short.ci95[1] - short.mean_bps) / 1.959963984540054 == pytest.approx(
        np.sqrt((sums**2).sum() * n / (n - 1)) / taken.sum()
    )


def test_a_second_horizon_is_told_and_changes_no_lesson(both):
    one, two = (facts_of(study(scored(table(w), NAMED), NAMED), NAMED) for w in both)
    assert [x["rule"] for x in one["lessons"]] == [x["rule"] for x in two["lessons"]]
    assert len(one["lessons"][0]["horizons"]) == 1
    assert [h["horizon_s"] for h in two["lessons"][0]["horizons"]] == [300, 900]
    assert "900 s +" in text_of(two)
    assert one["lessons"][0]["n_eff"] == pytest.approx(two["lessons"][0]["n_eff"], rel=0.05)
