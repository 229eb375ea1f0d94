"""LORD++ against its published recursion, its wealth, its p values, and the error it keeps on independent tests."""

import dataclasses
import math

import numpy as np
import pytest

from lotus.errors import SchemaError
from lotus.learning.night import learn_night
from lotus.learning.online_fdr import fdr_look, gamma, level
from lotus.learning.slots import NOTHING_SPENT, SlotState
from lotus.manifest import LearningDefaults, Manifest
from lotus.priors.types import Literal, Rule


def test_the_weights_fall_and_sum_to_less_than_one():
    j = np.arange(1, 2_000_001)
    weights = 0.07720838 * np.log(np.maximum(j, 2)) / (j * np.exp(np.sqrt(np.log(j))))
    assert [gamma(k) for k in (1, 2, 3, 50, 2_000_000)] == pytest.approx(weights[[0, 1, 2, 49, 1_999_999]].tolist())
    assert (np.diff(weights[2:]) < 0).all()
    u = math.sqrt(math.log(len(j)))
    rest = 0.07720838 * 2 * math.exp(-u) * (u**3 + 3 * u**2 + 6 * u + 6)  # the integral from there on
    assert 0.95 < weights.sum() + rest < 1.0


def test_levels_equal_the_published_recursion():
    rng, alpha = np.random.default_rng(0), 0.05
    hits = sorted(rng.choice(np.arange(1, 200), 6, replace=False).tolist())
    for t in range(1, 220):
        seen = [h for h in hits if h < t]
        w0, expected = alpha / 2, gamma(t) * alpha / 2
        if seen:
            expected += (alpha - w0) * gamma(t - seen[0]) + alpha * sum(gamma(t - h) for h in seen[1:])
        assert level(t, tuple(seen), alpha) == pytest.approx(expected, rel=1e-12)


def test_spending_never_exceeds_alpha_times_discoveries():
    rng = np.random.default_rng(1)
    rejected, spent = (), 0.0
    for t in range(1, 400):
        spent += level(t, rejected, 0.05)
        assert spent <= 0.05 * max(len(rejected), 1) + 1e-12
        if rng.random() < 0.02:
            rejected = (*rejected, t)


def test_false_discoveries_stay_below_alpha_on_independent_tests():
    rng, alpha, shares = np.random.default_rng(2), 0.1, []
    for _ in range(60):
        null = rng.random(150) < 0.7
        p = np.where(null, rng.random(150), rng.random(150) ** 8)
        rejected = ()
        for t in range(1, 151):
            if p[t - 1] <= level(t, rejected, alpha):
                rejected = (*rejected, t)
        false = sum(null[t - 1] for t in rejected)
        shares.append(false / max(len(rejected), 1))
    assert np.mean(shares) <= alpha
    assert np.mean(shares) > 0.0


def test_a_night_needs_an_evidence_beyond_its_level():
    maxima = np.arange(1.0, 401.0)
    first = fdr_look(SlotState(), 403.0, maxima, 0.04)
    assert first.critical == pytest.approx(400.0 + math.log(1 / (401 * level(1, (), 0.04))))
    assert (first.state.tested, first.state.rejected) == (1, (1,))
    rich = SlotState(tested=5, rejected=(1, 2, 3, 4, 5))
    allowed = level(6, rich.rejected, 0.5)
    second = fdr_look(rich, 0.0, maxima, 0.5)
    assert (1 + (maxima > second.critical).sum()) / 401 <= allowed < (2 + (maxima > second.critical).sum()) / 401
    assert second.state.rejected == rich.rejected


def test_it_is_chosen_in_the_manifest(worlds):
    chosen = Manifest(learning=LearningDefaults(error_control="online_fdr"))
    scores = worlds.world("plant", seed=35, lessons=((Rule.of(Literal(4, 3, 4)), 9.0),))
    night = learn_night(scores, chosen, night=13)
    assert [lane.tested for lane in night.slots] == [1, 1]
    passed = [best > bar for best, bar in zip(night.real_maximum, night.critical, strict=True)]
    assert bool(night.lessons) == all(passed)
    quiet = learn_night(dict(list(scores.items())[:5]), chosen, night=5)
    assert quiet.slots == NOTHING_SPENT
    wrong = dataclasses.replace(chosen, learning=LearningDefaults(error_control="hope"))
    with pytest.raises(SchemaError, match="hope"):
        learn_night(scores, wrong)
