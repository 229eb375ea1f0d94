"""Other horizons are described beside a lesson, from rows of the same draws, and change nothing that is searched."""

import numpy as np
import pytest
from own_world import own_world, table

from lotus.errors import SchemaError
from lotus.learning.rows import rows_by_detector
from lotus.own_signals.checks import check_rows
from lotus.own_signals.config import OwnConfig
from lotus.own_signals.horizons import markouts
from lotus.own_signals.report.facts import facts_of
from lotus.own_signals.report.words import text_of
from lotus.own_signals.scores import scored
from lotus.own_signals.study import study
from lotus.priors.types import Literal, Rule


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
    short, longer = markouts(rows, rule, found.outcomes)
    taken = rows.covered(rule) & rows.published
    assert (short.horizon_s, longer.horizon_s) == (300, 900)
    assert short.windows == longer.windows == taken.sum()
    assert short.mean_bps == pytest.approx(rows.payoff_y[taken].mean())
    assert longer.mean_bps == pytest.approx(short.mean_bps + 2.0)
    assert short.hit_rate == pytest.approx((rows.payoff_y[taken] > 0).mean())
    assert short.mean_outside_bps == pytest.approx(rows.payoff_y[rows.published & ~taken].mean())
    sums = np.array([(rows.payoff_y[taken & (rows.lane == k)] - short.mean_bps).sum() for k in range(rows.n_lanes)])
    n = len(np.unique(rows.lane[taken]))
    assert (short.ci95[1] - short.mean_bps) / 1.959963984540054 == pytest.approx(
        np.sqrt((sums**2).sum() * n / (n - 1)) / taken.sum()
    )


def test_excursions_and_scores_are_those_of_the_published_rows_where_columns_give_them():
    rng = np.random.default_rng(3)
    world = own_world(seed=1, effect=6.0)
    n, paid = len(world["ts"]), world["payoff_bps"]
    more = {
        "mfe_bps": np.maximum(np.nan_to_num(paid), 0.0) + rng.exponential(3.0, n),
        "mae_bps": np.minimum(np.nan_to_num(paid), 0.0) - rng.exponential(2.0, n),
        "p_hit": rng.uniform(0.0, 1.0, n),
    }
    more["p_hit"][::7] = np.nan
    world["payoff_bps"] = np.where(np.arange(n) % 50 == 0, 1.0 + 0.0 * paid, paid)  # exactly the cost: half a hit
    config = OwnConfig(cost_bps=1.0)
    found = scored(table({**world, **more}), config)
    rule = Rule.of(Literal(0, 3, 4))
    (told,) = markouts(rows_by_detector(found.scores, 90, found.vocabulary)["d0"], rule, found.outcomes)
    order = np.lexsort((world["asset"], world["ts"]))
    rows = rows_by_detector(found.scores, 90, found.vocabulary)["d0"]
    at = order[rows.event_id[rows.covered(rule) & rows.published].astype(int)]
    net, p = world["payoff_bps"][at] - 1.0, more["p_hit"][at]
    hit = np.where(net > 0, 1.0, np.where(net == 0, 0.5, 0.0))
    assert (hit == 0.5).any()
    known = ~np.isnan(p)
    loss = -(hit * np.log(p) + (1 - hit) * np.log(1 - p))[known]
    assert told.hit_rate == pytest.approx(hit.mean())
    assert told.mfe_bps == pytest.approx(more["mfe_bps"][at].mean() - 1.0)
    assert told.mae_bps == pytest.approx(more["mae_bps"][at].mean() - 1.0)
    assert told.brier == pytest.approx(((p - hit) ** 2)[known].mean())
    assert told.log_score == pytest.approx(loss.mean())
    facts = facts_of(study(found, config), config)
    assert f"Brier {facts['lessons'][0]['horizons'][0]['brier']:.4f}" in text_of(facts)
    bare = facts_of(study(scored(table(world), config), config), config)
    assert [x["rule"] for x in bare["lessons"]] == [x["rule"] for x in facts["lessons"]]
    assert {
        k: bare["lessons"][0]["horizons"][0][k] for k in ("mfe_bps", "mae_bps", "brier", "log_score")
    } == dict.fromkeys(("mfe_bps", "mae_bps", "brier", "log_score"))
    assert "no column p_hit" in text_of(bare)
    crossed = {**world, **more, "mae_bps": more["mfe_bps"] + 1.0}
    with pytest.raises(SchemaError, match=r"column mfe_bps, row 1: .*below mae_bps.*exchanged"):
        check_rows(table(crossed))
    with pytest.raises(SchemaError, match=r"column p_hit, row 1: 5[0-9.]*.*per cent"):
        check_rows(table({**world, "p_hit": np.full(n, 55.0)}))
