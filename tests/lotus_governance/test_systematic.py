"""The draw within a quota: every arm exactly with its q, never above the quota, for any costs and wishes."""

import numpy as np
import pytest

from lotus.governance.systematic import dearest_sample, systematic, within_quota


def wild(seed: int):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 25))
    cost = rng.lognormal(0.0, rng.uniform(0.1, 2.0), n)
    return rng.uniform(0.0, 1.0, n), cost, float(cost.sum() * rng.uniform(0.05, 1.2)), rng.normal(0.0, 1.0, n)


@pytest.mark.parametrize("seed", range(40))
def test_the_quota_is_never_exceeded_and_q_is_exact(seed: int) -> None:
    likes, cost, quota, promise = wild(seed)
    q, rng = None, np.random.default_rng(seed)
    for first, second in rng.random((60, 2)):
        draw = within_quota(likes, cost, quota, promise, float(first), float(second))
        assert cost[draw.drawn].sum() <= quota * (1 + 1e-9)
        assert q is None or draw.q.tobytes() == q.tobytes()
        q = draw.q
    assert ((q >= 0.0) & (q <= likes + 1e-12)).all()
    assert (q[cost > quota] == 0.0).all()


@pytest.mark.parametrize("seed", range(4))
def test_inclusion_probabilities_are_those_logged(seed: int) -> None:
    likes, cost, quota, promise = wild(seed + 100)
    rng = np.random.default_rng(seed)
    draws = [within_quota(likes, cost, quota, promise, *rng.random(2)) for _ in range(1500)]
    share = np.mean([d.drawn for d in draws], axis=0)
    q = draws[0].q
    assert np.abs(share - q).max() < 4.5 * np.sqrt(0.25 / 1500) + 1e-9


@pytest.mark.parametrize("seed", range(20))
def test_one_systematic_sample_conserves_the_sum(seed: int) -> None:
    rng = np.random.default_rng(seed)
    q, order = rng.random(12), rng.permutation(12)
    starts = (np.arange(20_000) + 0.5) / 20_000
    taken = np.array([systematic(q, order, float(u)) for u in starts])
    assert set(taken.sum(axis=1).tolist()) <= {int(np.floor(q.sum())), int(np.ceil(q.sum()))}
    np.testing.assert_allclose(taken.mean(axis=0), q, atol=1e-3)
    cost = rng.random(12)
    assert dearest_sample(q, cost, order) == pytest.approx((taken @ cost).max())


def test_what_is_certain_is_drawn_always() -> None:
    draw = within_quota(np.ones(3), np.ones(3), 3.0, np.zeros(3), 0.3, 0.9)
    assert draw.drawn.all()
    assert draw.q.tolist() == [1.0, 1.0, 1.0]
    assert not within_quota(np.ones(2), np.ones(2), 0.0, np.zeros(2), 0.3, 0.9).drawn.any()
