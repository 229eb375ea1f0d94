"""What an allocation is worth off its policy: by hand, unbiased, and nothing where arms were never drawn."""

import math

import numpy as np
import pytest

from lotus.governance.allocation_value import LoggedWeek, estimates, gain_on_uniform, policy_value, uniform
from lotus.governance.allocator import ArmsSeen, allocate

WEEK = LoggedWeek(
    q=np.array([0.5, 0.25, 0.0]), cost=np.array([1.0, 3.0, 4.0]), mean=np.array([1.0, 0.0, 0.7]),
    drawn=np.array([True, False, False]), reward=np.array([2.0, math.nan, math.nan]),
)  # fmt: skip


def test_one_week_by_hand() -> None:
    assert estimates(WEEK).tolist() == [1.0 + (2.0 - 1.0) / 0.5, 0.0, 0.7]
    assert uniform(WEEK).tolist() == pytest.approx([1.25 / 8.0] * 3)
    worth = policy_value([WEEK], [np.array([1.0, 1.0, 0.0])])
    assert (worth.total, worth.low, worth.high) == (3.0, None, None)


def test_equal_probabilities_gain_nothing_on_themselves_and_no_week_is_nothing() -> None:
    even = LoggedWeek(np.full(3, 0.4), WEEK.cost, WEEK.mean, WEEK.drawn, WEEK.reward)
    assert gain_on_uniform([even] * 6).total == pytest.approx(0.0, abs=1e-12)
    assert gain_on_uniform([]).total == 0.0


def test_estimates_off_the_policy_are_unbiased() -> None:
    rng, n = np.random.default_rng(2), 20
    cost, truth = rng.uniform(0.5, 2.0, n), rng.exponential(1.0, n)
    nothing = ArmsSeen(np.zeros(0, np.int64), np.zeros((0, 1)), np.zeros(0))
    weeks = []
    for k in range(200):
        draw = allocate(nothing, np.ones(1), cost, 0.5 * cost.sum(), ("u", str(k)))
        reward = np.where(draw.drawn, truth + rng.normal(0.0, 0.5, n), np.nan)
        weeks.append(LoggedWeek(draw.q, cost, np.full(n, 0.3), draw.drawn, reward))
    found = np.array([estimates(w) for w in weeks])
    np.testing.assert_allclose(found.mean(axis=0), truth, atol=6 * found.std(axis=0).max() / 14)
    gain, wanted = gain_on_uniform(weeks), sum(((w.q - uniform(w)) * truth).sum() for w in weeks)
    assert gain.low < wanted < gain.high
