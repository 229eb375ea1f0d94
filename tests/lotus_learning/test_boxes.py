"""Rules are boxes: numbered one to one, and their sums are those of brute force."""

import numpy as np
import pytest

from lotus.learning.axes import axes
from lotus.learning.boxes import box_moments, box_presence
from lotus.learning.cube import accumulate
from lotus.priors.vocabulary import N_BINS, iter_rules, rule_counts, rule_mask

SPACE = axes()


def random_bins(rng, n, null_share=0.1):
    bins = np.stack([rng.integers(0, b, n) for b in N_BINS], axis=1).astype(np.uint8)
    bins[rng.random(bins.shape) < null_share] = 255
    return bins


def test_rules_are_numbered_one_to_one():
    assert SPACE.n_rules == sum(rule_counts())
    lengths = SPACE.rule_lengths()
    assert [int((lengths == n).sum()) for n in (1, 2, 3)] == list(rule_counts())
    for number in range(0, SPACE.n_rules, 997):
        assert SPACE.number(SPACE.rule(number)) == number
    assert {SPACE.rule(i) for i in np.flatnonzero(lengths == 1)} == set(iter_rules(1))


@pytest.mark.parametrize("seed", [0, 1])
def test_box_sums_equal_brute_force_on_random_rules(seed):
    rng = np.random.default_rng(seed)
    n, lanes = 4000, 6
    bins, value = random_bins(rng, n), rng.normal(size=n)
    lane = rng.integers(0, lanes, n)
    g = rng.random(lanes) + 0.5
    cube = accumulate(bins, lane, value, lanes, SPACE.subsets)
    total, square = box_moments(SPACE.lean(cube), g, *SPACE.table)
    blocks = box_presence(SPACE.lean(accumulate(bins, lane, np.abs(value), lanes, SPACE.subsets)), 1e-6, *SPACE.table)
    for number in rng.integers(0, SPACE.n_rules, 300):
        inside = rule_mask(SPACE.rule(int(number)), bins)
        per_lane = np.bincount(lane[inside], weights=value[inside], minlength=lanes)
        assert total[number] == pytest.approx((g * per_lane).sum(), abs=1e-9)
        assert square[number] == pytest.approx((g * g * per_lane**2).sum(), abs=1e-9)
        present = np.bincount(lane[inside], minlength=lanes) > 0
        assert blocks[number] == present.sum()
