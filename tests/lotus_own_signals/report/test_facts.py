"""Facts of a study: a second horizon is told and changes no lesson."""

import numpy as np
import pytest
from own_world import own_world, table

from lotus.own_signals.config import OwnConfig
from lotus.own_signals.report.facts import facts_of
from lotus.own_signals.report.words import text_of
from lotus.own_signals.scores import scored
from lotus.own_signals.study import study

NAMED = OwnConfig(decision_horizon_s=300)


@pytest.fixture(scope="module")
def both():
    """Return a planted world of one horizon, and with a second one that pays 2 bps more."""
    world = own_world(seed=1, effect=6.0)
    longer = {**world, "horizon_s": np.full(len(world["ts"]), 900), "payoff_bps": world["payoff_bps"] + 2.0}
    rng = np.random.default_rng(0)
    order = rng.permutation(2 * len(world["ts"]))
    return world, {name: np.concatenate([world[name], longer[name]])[order] for name in world}


def test_a_second_horizon_is_told_and_changes_no_lesson(both):
    one, two = (facts_of(study(scored(table(w), NAMED), NAMED), NAMED) for w in both)
    assert [x["rule"] for x in one["lessons"]] == [x["rule"] for x in two["lessons"]]
    assert len(one["lessons"][0]["horizons"]) == 1
    assert [h["horizon_s"] for h in two["lessons"][0]["horizons"]] == [300, 900]
    assert "at 900 s: " in text_of(two)
    assert one["lessons"][0]["n_eff"] == pytest.approx(two["lessons"][0]["n_eff"], rel=0.05)
