"""The allocator: beliefs that come to the truth, draws within the quota, little for what was never measured."""

import numpy as np

from lotus.governance.allocator import ArmsSeen, allocate, believed

NOTHING = ArmsSeen(np.zeros(0, np.int64), np.zeros((0, 1)), np.zeros(0))


def test_beliefs_come_to_the_truth_and_unsupported_arms_lean_on_the_others() -> None:
    rng = np.random.default_rng(1)
    arm = np.repeat(np.arange(8), 40)
    truth = np.linspace(-1.0, 2.0, 8)
    seen = ArmsSeen(arm, np.ones((320, 1)), truth[arm] + rng.normal(0.0, 0.5, 320))
    belief = believed(seen, np.ones(1), 9)
    np.testing.assert_allclose(belief.mean[:8], truth, atol=0.3)
    assert abs(belief.mean[8] - truth.mean()) < 0.5
    assert belief.covariance[8, 8] > 10 * belief.covariance[0, 0]


def test_an_arm_of_unknown_cost_has_the_least_probability() -> None:
    cost = np.array([1.0, 1.0, np.nan, 1.0])
    draw = allocate(NOTHING, np.ones(1), cost, 10.0, ("x",))
    assert draw.q[2] == 0.05
    assert not np.isfinite(cost).all()
    assert allocate(NOTHING, np.ones(1), np.full(2, np.nan), 0.0, ("x",)).drawn.sum() == 0


def test_no_draw_costs_more_than_the_quota_and_who_fits_into_it_has_a_chance() -> None:
    rng = np.random.default_rng(5)
    for week in range(60):
        cost = rng.exponential(1.0, 14) + 0.05
        quota = float(rng.uniform(0.2, 1.0) * cost.sum())
        draw = allocate(NOTHING, np.ones(1), cost, quota, ("week", str(week)))
        assert cost[draw.drawn].sum() <= quota + 1e-9
        assert ((draw.q > 0.0) == (cost <= quota)).all()
        assert draw.q.max() <= 1.0


def test_what_costs_little_and_was_seen_to_pay_is_likelier_than_what_pays_nothing() -> None:
    arm = np.repeat(np.arange(4), 30)
    reward = np.array([2.0, 0.0, 0.0, 0.0])[arm] + np.random.default_rng(6).normal(0.0, 0.3, len(arm))
    draw = allocate(ArmsSeen(arm, np.ones((len(arm), 1)), reward), np.ones(1), np.ones(4), 2.0, ("w",), price=0.5)
    assert draw.q[0] > draw.q[1:].max()
