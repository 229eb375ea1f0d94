"""States of a hidden Markov model: found where they are, numbered by volatility, and the same every time."""

import numpy as np

from lotus.coprocessor.segments.proposal import propose


def stretch(many: int, seed: int) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """Rows of states that last 50 rows, and the states."""
    rng = np.random.default_rng(seed)
    states = np.repeat(rng.integers(0, many, 60), 50)
    centres = 3.0 * np.stack([np.arange(many), (np.arange(many) * 2) % many], axis=1)
    rows = centres[states] + 0.4 * rng.standard_normal((len(states), 2))
    return (rows - rows.mean(axis=0)) / rows.std(axis=0), states


def test_as_many_states_as_there_are_are_chosen_and_numbered_by_the_first_column() -> None:
    for many in (3, 4, 5):
        rows, states = stretch(many, many)
        found = propose(rows, [1_000, 2_000])
        assert found.many == many
        assert np.mean(found.states == states) > 0.99


def test_nothing_is_drawn() -> None:
    rows, _ = stretch(4, 1)
    one, again = propose(rows, [len(rows)]), propose(rows, [len(rows)])
    assert one.bic == again.bic
    assert np.array_equal(one.states, again.states)
