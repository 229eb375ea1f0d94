"""What experts cost: nodes that many rest on are shared, and everything that is used is paid once."""

from itertools import permutations

import numpy as np

from lotus.governance.expert_cost import alone, shares


def test_shares_are_those_of_every_order_and_add_up_to_what_is_used() -> None:
    """The exact Shapley value of 'each node is paid by who comes first', over all orders of four experts."""
    rng = np.random.default_rng(4)
    users, ns = rng.random((9, 4)) < 0.5, rng.uniform(1.0, 9.0, 9)
    paid = np.zeros(4)
    for order in permutations(range(4)):
        computed = np.zeros(9, np.bool_)
        for expert in order:
            paid[expert] += ns[users[:, expert] & ~computed].sum()
            computed |= users[:, expert]
    cost, marginal = shares(users, ns)
    np.testing.assert_allclose(cost, paid / 24)
    assert np.isclose(cost.sum(), ns[users.any(axis=1)].sum())
    np.testing.assert_allclose(marginal, [ns[users[:, e] & (users.sum(axis=1) == 1)].sum() for e in range(4)])
    assert (marginal <= cost + 1e-12).all()


def test_one_alone_has_everybody_else_idle() -> None:
    assert alone(["a", "b", "c"], "b") == ["a", "c"]
