"""A change on the tape: expectations and draws by hand, and when log and tape part."""

import math

import numpy as np
import pytest

from lotus.counterfactual.off_policy import OffPolicyWorth
from lotus.counterfactual.simulated import cost_model_disagrees, simulated, simulated_day
from lotus.curation.value import DaySum, over_days


def side(pi: list[float], payoff: list[float], published: list[bool]) -> dict[str, np.ndarray]:
    """Return the columns of a day."""
    return {"pi": np.array(pi), "payoff": np.array(payoff), "published": np.array(published)}


def test_a_day_is_the_difference_of_expectations_and_of_draws() -> None:
    before = side([0.5, 0.2], [10.0, -4.0], [True, False])
    after = side([0.9, 0.0], [10.0, -4.0], [True, False])
    day = simulated_day("2026-01-05", before, after)
    assert day.value_bps == pytest.approx(9.0 - (5.0 - 0.8))
    assert (day.drawn_bps, day.published, day.published_before) == (0.0, 1, 1)


def test_no_change_is_nothing_and_a_window_without_payoff_counts_nothing() -> None:
    same = side([0.5, 0.9], [2.0, math.nan], [True, True])
    day = simulated_day("2026-01-05", same, same)
    assert (day.value_bps, day.drawn_bps) == (0.0, 0.0)
    empty = side([], [], [])
    assert simulated_day("2026-01-06", empty, empty).published == 0


def test_days_are_added_with_the_interval_over_them() -> None:
    days = [
        simulated_day(f"2026-01-0{k}", side([0.5], [2.0], [False]), side([0.5 + 0.1 * k], [2.0], [k > 1]))
        for k in (1, 2, 3)
    ]
    worth = simulated(days)
    assert worth.value == over_days([d.value_bps for d in days])
    assert worth.value.total == pytest.approx(0.2 + 0.4 + 0.6)
    assert (worth.published, worth.published_before, worth.drawn_bps) == (2, 0, 4.0)


def test_the_cost_model_is_doubted_only_where_both_speak() -> None:
    def log(low: float | None, high: float | None, refused: str = "") -> OffPolicyWorth:
        plain = DaySum(0.0, low, high, 5)
        return OffPolicyWorth(refused, plain, plain, 0.05, 1, 5.0, 1.0, 10, 5, 0, 0.0, 0.0, 0)

    tape = simulated([simulated_day("2026-01-05", side([0.0], [3.0], [False]), side([1.0], [3.0], [True]))])
    assert cost_model_disagrees(log(-1.0, 1.0), tape)
    assert not cost_model_disagrees(log(-1.0, 3.0), tape)
    assert not cost_model_disagrees(log(-1.0, 1.0, "too few"), tape)
    assert not cost_model_disagrees(log(None, None), tape)
    assert not cost_model_disagrees(None, tape)
    assert not cost_model_disagrees(log(-1.0, 1.0), None)
