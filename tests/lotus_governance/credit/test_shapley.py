"""Shapley-lite: credits of an order add up exactly, the mean is near the exact value of all coalitions."""

from itertools import combinations
from math import factorial

import numpy as np

from lotus.governance.credit.shapley import mean_and_variance, orders_of, shapley_lite


def game(players: int, seed: int):
    """v of a set of players: saturating, with pairs that say the same; one group."""
    rng = np.random.default_rng(seed)
    weight, pair = rng.normal(0.5, 1.0, players), rng.normal(0.0, 0.3, (players, players))

    def v(some) -> float:
        inside = sorted(some)
        return float(np.tanh(weight[inside].sum() + sum(pair[a, b] for a, b in combinations(inside, 2))))

    return v


def exact(players: int, v) -> np.ndarray:
    """The Shapley value by all 2^n coalitions."""
    out = np.zeros(players)
    for k in range(players):
        others = [j for j in range(players) if j != k]
        for size in range(players):
            share = factorial(size) * factorial(players - size - 1) / factorial(players)
            out[k] += share * sum(v({*s, k}) - v(set(s)) for s in combinations(others, size))
    return out


def values_of(v):
    return lambda order: np.array([[v(set(order[:k]))] for k in range(len(order) + 1)])


def test_every_order_shares_the_whole_out() -> None:
    v = game(6, 1)
    credits = shapley_lite(6, orders_of(6, "x"), values_of(v))
    assert credits.shape == (8, 6, 1)
    np.testing.assert_allclose(credits.sum(axis=1)[:, 0], v(set(range(6))) - v(set()), rtol=1e-12)


def test_orders_are_those_of_the_name_and_come_with_their_reverse() -> None:
    orders = orders_of(5, "a")
    assert orders == orders_of(5, "a") != orders_of(5, "b")
    assert [o[::-1] for o in orders[::2]] == orders[1::2]


def test_the_mean_is_the_exact_value_within_its_error() -> None:
    far = []
    for seed in range(40):
        v = game(6, seed)
        mean, variance = mean_and_variance(shapley_lite(6, orders_of(6, f"s{seed}"), values_of(v)))
        far.append((mean[:, 0] - exact(6, v)) / np.sqrt(variance[:, 0]))
    assert np.mean(np.abs(far) < 2.365) > 0.9  # t of seven degrees


def test_nobody_has_no_credit() -> None:
    assert shapley_lite(0, orders_of(0, "x"), lambda _: np.zeros((1, 3))).shape == (8, 0, 3)
