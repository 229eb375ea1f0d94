"""Conditions in words: figures by hand, decay equal to a direct sum over days, lifts and stability."""

import numpy as np
import pytest

from lotus.learning.axes import axes
from lotus.learning.condition_stats import CONDITION_STATS, condition_keys, condition_stats
from lotus.priors.vocabulary import BIN_COLUMNS, N_BINS

DAYS = [f"2025-01-{d:02d}" for d in range(6, 12)]


def windows(seed, n=300):
    rng = np.random.default_rng(seed)
    bins = {name: rng.integers(0, b, n).astype(np.uint8) for name, b in zip(BIN_COLUMNS, N_BINS, strict=True)}
    bins["b_oi"][::7] = 255
    hit = (rng.random(n) < 0.4 + 0.1 * (bins["b_mx"] == 3)).astype(float)
    hit[::50] = np.nan
    names = np.where(rng.random(n) < 0.7, "a", "b").astype(object)
    return {"detector_id": names, "hit": hit, "mfe": rng.random(n) * 9, "mae": -rng.random(n) * 9, **bins}


def test_keys_are_readable_and_one_per_cell():
    keys = condition_keys(axes(2))
    assert len(keys) == len(set(keys)) == 57 + sum(a * b for i, a in enumerate(N_BINS) for b in N_BINS[:i]) + 1
    assert {"mx=3", "session=US", "mx=3|session=US", "all"} <= set(keys)


def test_decayed_means_equal_a_direct_sum_over_days():
    table, days = None, [windows(k) for k in range(len(DAYS))]
    for day, columns in zip(DAYS, days, strict=True):
        table = condition_stats(table, columns, day, 20.0)
    assert tuple(table) == CONDITION_STATS.names
    at = {(d, k): i for i, (d, k) in enumerate(zip(table["detector_id"], table["cond_key"], strict=True))}
    assert list(at) == sorted(at)
    ages = 2.0 ** (-np.arange(len(DAYS) - 1, -1, -1) / 20.0)
    inside = [(c["detector_id"] == "a") & (c["b_mx"] == 3) & np.isfinite(c["hit"]) for c in days]
    row = at["a", "mx=3"]
    weight = sum(g * m.sum() for g, m in zip(ages, inside, strict=True))
    assert table["samples"][row] == sum(m.sum() for m in inside)
    assert table["weight"][row] == pytest.approx(weight)
    for name, key in (("hit_rate", "hit"), ("mfe_avg", "mfe"), ("mae_avg", "mae")):
        total = sum(g * c[key][m].sum() for g, c, m in zip(ages, days, inside, strict=True))
        assert table[name][row] == pytest.approx(total / weight)
    everything = at["a", "all"]
    assert table["lift_hit"][row] == pytest.approx(table["hit_rate"][row] - table["hit_rate"][everything])
    assert table["lift_hit"][everything] == 0.0
    assert table["samples"][at["a", "oi=0"]] < table["samples"][everything]


def test_stability_counts_days_that_agree_with_what_was_known():
    base = windows(1, 400)
    good = {**base, "hit": np.where(base["b_mx"] == 3, 1.0, 0.0)}
    bad = {**base, "hit": 1.0 - good["hit"]}
    table = condition_stats(None, good, DAYS[0], 20.0)
    row = table["cond_key"].tolist().index("mx=3")
    assert (table["stability"][row], table["days_weight"][row]) == (0.0, 0.0)
    table = condition_stats(table, good, DAYS[1], 20.0)
    assert (table["stability"][row], table["days_weight"][row]) == (1.0, 1.0)
    table = condition_stats(table, bad, DAYS[2], 20.0)
    decay = 2.0 ** (-1 / 20)
    assert table["stability"][row] == pytest.approx(decay / (1 + decay))


def test_a_detector_that_is_silent_today_keeps_its_decayed_rows():
    table = condition_stats(None, windows(2), DAYS[0], 20.0)
    silent = {name: values[:0] for name, values in windows(2).items()}
    later = condition_stats(table, silent, DAYS[1], 20.0)
    np.testing.assert_array_equal(later["samples"], table["samples"])
    np.testing.assert_allclose(later["weight"], table["weight"] * 2.0 ** (-1 / 20), rtol=1e-8)
    np.testing.assert_allclose(later["hit_rate"], table["hit_rate"], rtol=1e-8)
    assert len(condition_stats(None, silent, DAYS[0], 20.0)["day"]) == 0
