"""Hostile worlds: each is what its name says, the same for the same seed, and teaches nothing that is so."""

import numpy as np
import pytest

from lotus.errors import ConfigError
from lotus.learning.payoff_scores import PAYOFF_SCORES
from lotus.priors.vocabulary import BIN_COLUMNS, N_BINS, rule_mask
from lotus.simulation.hostile_world import KINDS, PLANTABLE, hostile_world

DAYS = 6


def whole(kind, seed=1, days=DAYS):
    return whole_of(hostile_world(kind, seed, days))


def whole_of(world):
    return {name: np.concatenate([day[name] for day in world.scores.values()]) for name in PAYOFF_SCORES.names}


@pytest.mark.parametrize("kind", KINDS)
def test_a_world_is_a_day_of_scores_and_the_same_for_its_seed(kind):
    one, two = whole(kind, days=3), whole(kind, days=3)
    for name, values in one.items():
        assert values.tolist() == two[name].tolist() or np.array_equal(values, two[name], equal_nan=True), name
    assert ((one["p"] > 0.0) & (one["p"] < 1.0)).all()
    assert (np.isnan(one["payoff_y"]) == ~one["published"]).all()
    for k, name in enumerate(BIN_COLUMNS):
        assert one[name].max() < N_BINS[k]
    assert np.isfinite(one["f"]).all()
    assert (np.diff(one["window_end_ms"]) > 0).all()


def test_an_unknown_world_is_refused():
    with pytest.raises(ConfigError, match="hostile world 'x'"):
        hostile_world("x", 1)


def test_an_effect_where_results_feed_back_is_refused():
    with pytest.raises(ConfigError, match="an effect of 5 bps in 'stop'"):
        hostile_world("stop", 1, effect_bps=5)


@pytest.mark.parametrize("kind", PLANTABLE)
def test_a_planted_rule_pays_what_is_said_and_nothing_else_moves(kind):
    plain, planted = hostile_world(kind, 3, 8), hostile_world(kind, 3, 8, 6.0)
    ((rule, bps),) = planted.planted
    assert abs(bps) == 6.0
    gained = planted.expected - plain.expected
    log = whole_of(planted)
    covered = rule_mask(rule, np.stack([log[name] for name in BIN_COLUMNS], axis=1))
    np.testing.assert_allclose(gained, bps * covered, atol=1e-9)
    np.testing.assert_allclose(log["payoff_p"] - whole_of(plain)["payoff_p"], gained, atol=1e-9)
    assert (log["published"] == whole_of(plain)["published"]).all()
    assert len(plain.expected) == len(log["p"])
    assert abs((log["payoff_p"] - planted.expected).mean()) < 1.5


@pytest.mark.parametrize("kind", sorted({*KINDS} - {"estimated"}))
def test_the_logged_propensity_drew(kind):
    log = whole(kind)
    surprise, spread = (log["published"] - log["p"]).sum(), np.sqrt((log["p"] * (1 - log["p"])).sum())
    assert abs(surprise / spread) < 4.5


def test_an_estimated_propensity_is_calibrated_over_all_and_wrong_by_feature():
    log = whole("estimated")
    surprise = log["published"] - log["p"]
    variance = log["p"] * (1 - log["p"])
    assert abs(surprise.sum() / np.sqrt(variance.sum())) < 4
    top = log[BIN_COLUMNS[2]] == N_BINS[2] - 1
    assert surprise[top].sum() / np.sqrt(variance[top].sum()) > 10


@pytest.mark.parametrize("kind", ["past-returns", "momentum", "reversal", "long-only"])
def test_past_returns_predict_no_payoff(kind):
    log = whole(kind, days=12)
    for place in (0, 2, 4):
        x = log[BIN_COLUMNS[place]] - log[BIN_COLUMNS[place]].mean()
        y = log["payoff_p"] - 6.0 * log["p"]
        by_hour = np.add.reduceat(x * (y - y.mean()), np.arange(0, len(x), 240))
        assert abs(by_hour.sum() / np.sqrt((by_hour**2).sum())) < 4


def test_the_others_are_what_they_are_called():
    assert whole("rare")["published"].mean() < 0.02
    hours = whole("one-block")["window_end_ms"] // 3_600_000 % 24
    assert set(hours.tolist()) <= {14, 15, 16, 17}
    fill = whole("overwritten")
    taken = fill["published"]
    assert (fill["payoff_p"][taken] == fill["payoff_y"][taken]).all()
    knows = whole("knows")
    assert abs((knows["payoff_y"] - knows["payoff_p"])[knows["published"]].mean()) < 0.3
    assert len(whole("stop")["p"]) < 1_440 * DAYS
    late, prompt = whole("late"), whole("honest")
    far = [np.corrcoef(x["payoff_p"][:-10], x["payoff_p"][10:])[0, 1] for x in (late, prompt)]
    assert far[0] > 0.15
    assert abs(far[1]) < 0.1
    skew = whole("one-sided")["payoff_p"]
    assert ((skew - skew.mean()) ** 3).mean() < 0.0
    huge = [day["payoff_p"].std() for day in hostile_world("huge-day", 1, DAYS).scores.values()]
    assert max(huge) > 10 * np.median(huge)
