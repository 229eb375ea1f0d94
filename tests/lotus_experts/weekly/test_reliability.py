"""Posteriors against SciPy and simulation, pooling that shrinks, twins left out, and the rule that switches off."""

import math

import numpy as np
import pytest
from scipy import stats

from lotus.errors import SchemaError
from lotus.experts.spec import LabelRule
from lotus.experts.weekly.reliability import (
    POOL_CALLS,
    PRIOR_CALLS,
    Reliability,
    below_floor,
    correlations,
    is_killed,
    pooling,
    redundant,
    reliability_of,
    run_below,
)

EVEN, UNEVEN = LabelRule(30.0, 3.0, 3.0), LabelRule(45.0, 4.0, 3.0)


def coins(rng: np.random.Generator, q: float, n: int) -> np.ndarray:
    return (rng.random(n) < q).astype(float)


def test_even_barriers_give_the_beta_posterior() -> None:
    worth = coins(np.random.default_rng(0), 0.6, 80)
    found = reliability_of([worth], EVEN).overall
    wins, n = worth.sum(), len(worth)
    beta = stats.beta(wins + PRIOR_CALLS / 2, n - wins + PRIOR_CALLS / 2)
    assert found.mean == pytest.approx(beta.mean())
    assert (found.low, found.high) == pytest.approx(beta.interval(0.95))


def test_the_interval_holds_one_half_as_often_as_it_says_when_nothing_is_earned() -> None:
    rng = np.random.default_rng(1)
    found = [reliability_of([coins(rng, 3 / 7, 90)], UNEVEN).overall for _ in range(2_000)]
    assert np.mean([f.excludes_half for f in found]) == pytest.approx(0.05, abs=0.02)
    assert np.mean([f.mean for f in found]) == pytest.approx(0.5, abs=0.01)
    assert reliability_of([coins(rng, 0.7, 200)], UNEVEN).overall.low > 0.5
    assert reliability_of([coins(rng, 0.2, 200)], UNEVEN).overall.high < 0.5


def test_no_calls_are_one_half_and_wide() -> None:
    found = reliability_of([np.zeros(0), np.zeros(0)], UNEVEN)
    for r in (found.overall, *found.assets):
        assert r.low < 0.5 < r.high
    assert found.overall.mean == pytest.approx(0.5)


def test_pooling_finds_the_spread_between_assets() -> None:
    rng = np.random.default_rng(2)
    for k in (8.0, 40.0):
        rates = rng.beta(0.5 * k, 0.5 * k, 300)
        assert pooling([coins(rng, q, 200) for q in rates]) == pytest.approx(k, rel=0.25)
    assert pooling([coins(rng, 0.5, 300) for _ in range(40)]) > 150
    assert pooling([np.ones(3)]) == POOL_CALLS[1]


def test_an_asset_with_few_calls_leans_on_the_others() -> None:
    rng = np.random.default_rng(3)
    many = [coins(rng, 0.7, 300), coins(rng, 0.66, 300)]
    few = reliability_of([*many, np.zeros(3)], EVEN)
    assert few.assets[2].mean > 0.55 > Reliability(0, 0.0, 0, 0).mean
    assert few.assets[2].high - few.assets[2].low > few.assets[0].high - few.assets[0].low
    alone = reliability_of([np.zeros(3)], EVEN).overall
    assert alone.mean < 0.4


def test_worth_must_be_decided() -> None:
    with pytest.raises(SchemaError, match="worth"):
        reliability_of([np.array([0.5, math.nan])], EVEN)


def test_of_twins_the_more_reliable_stays() -> None:
    rng = np.random.default_rng(4)
    base = rng.standard_normal((500, 2))
    z = np.column_stack([base[:, 0], base[:, 0] + 0.3 * base[:, 1], -base[:, 0], base[:, 1]])
    z[::7, 1] = np.nan
    names = ("a", "b", "c", "d")
    found = {n: Reliability(50, m, 0.4, 0.7) for n, m in zip(names, (0.55, 0.6, 0.52, 0.5), strict=True)}
    corr = correlations(z)
    np.testing.assert_allclose(np.diag(corr), 1.0)
    both = np.isfinite(z[:, 1])
    x, y = z[both, 0], z[both, 1]
    assert corr[0, 1] == pytest.approx(x @ y / math.sqrt((x @ x) * (y @ y)))
    assert redundant(corr, names, found) == {"a": "b", "c": "b"}
    assert redundant(corr, names, found, most=0.9999) == {"c": "a"}


def test_only_evaluations_in_turn_switch_off() -> None:
    bad, good, thin = Reliability(90, 0.4, 0.3, 0.48), Reliability(90, 0.5, 0.4, 0.6), Reliability(9, 0.1, 0.0, 0.3)
    assert (below_floor(bad), below_floor(good), below_floor(thin)) == (True, False, None)
    run, seen = 0, []
    for verdict in (True, True, True, False, True, True, None, True, True):
        run = run_below(run, verdict)
        seen.append(is_killed(run))
    assert seen == [False] * 8 + [True]
