"""The statistics of the sanity table against scipy, pandas and statsmodels, and the coverage of their intervals."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from lotus.outcomes.sanity_stats import Interval, Relation, Room, effective_n, moves_of, relation

from .plain_relation import clustered_mean, pearson, plain_relation, ranks, related


def sample(seed: int, n: int = 1_200, block: int = 40) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A persistent signal with silent rows, moves with ties that lean on it, blocks."""
    rng = np.random.default_rng(seed)
    x = np.convolve(rng.normal(size=n + 19), np.ones(20) / 20, mode="valid") + 0.3 * rng.normal(size=n)
    x[np.abs(x) < 0.1] = 0.0
    y = np.round(0.5 * x + rng.standard_t(3, size=n), 1)
    return x, y, (np.arange(n) // block).astype(float)


@pytest.mark.parametrize("seed", range(5))
def test_correlations_and_shares_are_those_of_scipy_and_pandas(seed: int) -> None:
    x, y, block = sample(seed)
    found = related(x, y, block, np.arange(len(x)).astype(float))
    frame = pd.DataFrame({"x": x, "y": y, "signed": np.sign(x) * y})
    assert found.pearson.value == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-12)
    assert found.spearman == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)
    assert found.spearman == pytest.approx(frame["x"].corr(frame["y"], method="spearman"), abs=1e-12)
    assert found.pearson_sign == pytest.approx(np.corrcoef(np.sign(x), y)[0, 1], abs=1e-12)
    spoken = frame[frame["x"] != 0]
    assert (found.n, found.spoken, found.blocks) == (len(frame), len(spoken), 30)
    assert found.mean.value == pytest.approx(spoken["signed"].mean(), abs=1e-12)
    hits = (spoken["signed"] > 0) + 0.5 * (spoken["signed"] == 0)
    assert found.hit.value == pytest.approx(hits.mean(), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_ranks_are_those_of_scipy(seed: int) -> None:
    x, y, _ = sample(seed)
    for values in (x, y, np.zeros(7), np.array([])):
        assert np.array_equal(ranks(values), stats.rankdata(values))


@pytest.mark.parametrize("seed", range(5))
def test_the_interval_of_a_mean_is_that_of_a_cluster_robust_regression(seed: int) -> None:
    _, y, block = sample(seed)
    fitted = sm.OLS(y, np.ones(len(y))).fit(cov_type="cluster", cov_kwds={"groups": block}, use_t=True)
    found = clustered_mean(y, block)
    assert found.value == pytest.approx(fitted.params[0], abs=1e-12)
    assert found.error == pytest.approx(fitted.bse[0], rel=1e-9)
    assert [found.low, found.high] == pytest.approx(fitted.conf_int(0.05)[0].tolist(), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_the_error_of_a_correlation_is_that_of_leaving_blocks_out(seed: int) -> None:
    x, y, block = sample(seed)
    names = np.unique(block)
    left = np.array([np.corrcoef(x[block != g], y[block != g])[0, 1] for g in names])
    jackknife = np.sqrt((len(names) - 1) * np.var(left))
    found = pearson(x, y, block)
    assert found.error == pytest.approx(jackknife, rel=0.05)
    reach = stats.t.ppf(0.975, len(names) - 1) * found.error / (1 - found.value**2)
    ends = np.tanh(np.arctanh(found.value) + np.array([-reach, reach]))
    assert [found.low, found.high] == pytest.approx(ends.tolist(), abs=1e-12)


def overlapping(seed: int, lean: float) -> Relation:
    """A persistent signal and the sum of the next 30 steps, seen at every step."""
    rng = np.random.default_rng(seed)
    n, h = 4_800, 30
    noise = rng.normal(size=n)
    x = np.sign(np.convolve(noise, 0.97 ** np.arange(300), mode="full")[:n])
    steps = rng.normal(size=n + h) + lean * np.concatenate([x, np.zeros(h)])
    y = np.convolve(steps, np.ones(h), mode="valid")[1 : n + 1]
    at = np.arange(n)
    return related(x, y, (at // (4 * h)).astype(float), (at // h).astype(float))


def test_intervals_hold_the_truth_as_often_as_they_say_though_moves_overlap() -> None:
    found = [overlapping(seed, 0.0) for seed in range(300)]
    for name, truth in (("mean", 0.0), ("hit", 0.5), ("pearson", 0.0)):
        held = np.mean([getattr(f, name).low <= truth <= getattr(f, name).high for f in found])
        assert 0.90 <= held <= 0.99, name
    assert np.median([f.n_eff for f in found]) < 4_800 / 15


def test_a_real_lean_is_seen() -> None:
    assert np.mean([overlapping(seed, 0.1).mean.low > 0.0 for seed in range(50)]) > 0.9


def test_without_spread_or_with_few_blocks_there_is_no_interval() -> None:
    x, y, _ = sample(1)
    four = np.arange(len(x)) // 300 * 1.0
    found = related(x, y, four, four)
    assert np.isfinite(found.mean.value)
    assert np.isnan([found.mean.low, found.hit.high, found.pearson.low, found.n_eff]).all()
    flat = related(np.ones(50), np.zeros(50), np.arange(50.0), np.arange(50.0))
    assert np.isnan([flat.pearson.value, flat.spearman, flat.mean.low]).all()
    assert (flat.mean.value, flat.hit.value) == (0.0, 0.5)
    silent = related(np.zeros(50), np.arange(50.0), np.arange(50.0), np.arange(50.0))
    assert silent.spoken == 0
    assert np.isnan([silent.mean.value, silent.hit.value]).all()
    nothing = related(*np.zeros((4, 0)))
    assert (nothing.n, nothing.blocks) == (0, 0)
    assert np.isnan(pearson(np.arange(9.0), np.arange(9.0), np.arange(9.0)).low)


def test_overlapping_moves_never_count_as_more_than_the_disjoint_ones() -> None:
    assert effective_n(1.0, 1e-6, 2) == 2
    assert overlapping(3, 0.0).n_eff <= 4_800 / 30
    assert isinstance(clustered_mean(np.array([]), np.array([])), Interval)


def facts(found: Relation) -> list[float]:
    intervals = [(i.value, i.low, i.high, i.error) for i in (found.pearson, found.mean, found.hit)]
    numbers = (found.n, found.spoken, found.blocks, found.n_eff, found.pearson_sign, found.spearman, found.spread)
    return [*numbers, *(value for interval in intervals for value in interval)]


@pytest.mark.parametrize("n", [0, 1, 2, 7, 8, 9, 127, 128, 129, 130, 1_000, 4_321, 70_001])
@pytest.mark.parametrize("kind", ["smooth", "sparse", "ties", "up only"])
def test_the_kernel_gives_the_bits_of_the_formulas_in_numpy(kind: str, n: int) -> None:
    rng = np.random.default_rng(n)
    x, y = rng.normal(size=n), np.round(rng.standard_t(3, size=n), 2)
    x = {"smooth": x, "sparse": np.where(rng.random(n) < 0.9, 0.0, x), "ties": np.round(x), "up only": np.abs(x)}[kind]
    block, slot, spread = (np.arange(n) // 60).astype(float), (np.arange(n) // 5).astype(float), rng.random(n)
    plain, made = (facts(f(x, y, block, slot, spread)) for f in (plain_relation, related))
    assert np.array_equal(plain, made, equal_nan=True)


def test_rows_without_a_move_are_left_out_of_ranks_and_sums() -> None:
    x, y, block = sample(3)
    rows = np.flatnonzero(np.arange(len(x)) % 7 != 0)
    number, spread = block.astype(np.int64)[rows], np.arange(len(rows)) * 1.0
    moves = moves_of(y[rows], number, np.arange(len(rows)), spread)
    made = relation(x, np.argsort(x), rows, moves, Room.of(len(x), [moves]))
    plain = plain_relation(x[rows], y[rows], block[rows], np.arange(len(rows)) * 1.0, spread)
    assert np.array_equal(facts(plain), facts(made), equal_nan=True)
