"""What a change was worth by the log: unbiased on made draws, honest about days, refused with the number otherwise."""

import math

import numpy as np
import pytest

from lotus.counterfactual.off_policy import level_of_number, worth, worth_of_day
from lotus.counterfactual.simulated import SimulatedDay, cost_model_disagrees, simulated, simulated_day


def made_day(seed: int, n: int = 4_000, gain: float = 0.0, share: float = 1.2):
    """A day of windows whose payoffs share a shock; what the change is worth in truth, and what the log says."""
    rng = np.random.default_rng(seed)
    pi = rng.uniform(0.05, 0.3, n)
    other = np.clip(pi * share, 0.02, 0.98)
    paid = gain + rng.normal(0.0, 3.0, n) + rng.normal(0.0, 0.5)
    paper = paid + rng.normal(0.0, 1.0, n) + 2.0  # the model is wrong by 2 bps
    published = rng.random(n) < pi
    executed = np.where(published, paid, np.nan)
    truth = float(((other - pi) * gain).sum())
    return truth, worth_of_day(f"d{seed}", pi, other, published, paper, executed)


def test_the_log_finds_what_a_change_is_worth_though_the_model_is_wrong() -> None:
    days = [made_day(seed, gain=1.5) for seed in range(40)]
    found = worth([day for _, day in days], 1)
    assert not found.refused
    assert found.is_shown
    assert found.plain.low < sum(t for t, _ in days) < found.plain.high
    assert found.honest.low < found.plain.low
    assert found.honest.high > found.plain.high
    assert found.moved == found.windows == 160_000
    assert found.ess > 1_000


def test_the_level_of_all_questions_together_is_five_percent() -> None:
    assert sum(1.0 - level_of_number(k) for k in range(1, 200_000)) == pytest.approx(0.05, abs=1e-5)
    assert level_of_number(1) == pytest.approx(1.0 - 0.3 / math.pi**2)


def test_what_the_log_cannot_carry_is_refused_with_the_number() -> None:
    few = worth([made_day(seed, n=60)[1] for seed in range(6)], 1)
    assert few.refused.startswith("an effective sample of ")
    assert math.isnan(few.plain.total)
    assert not few.is_shown
    short = worth([made_day(seed)[1] for seed in range(4)], 1)
    assert short.refused.startswith("4 days")
    pi = np.full(5_000, 0.02)
    published = np.arange(5_000) % 50 == 0
    far = worth_of_day("d", pi, np.full(5_000, 0.6), published, np.zeros(5_000), np.where(published, 0.0, np.nan))
    assert worth([far] * 6, 1).refused.startswith("the 99 % point of pi'/p is 30.")


def test_mass_without_a_chance_stands_apart() -> None:
    pi, other = np.array([0.0, 0.0, 0.2]), np.array([0.5, 0.5, 0.2])
    day = worth_of_day("d", pi, other, np.zeros(3, bool), np.array([4.0, np.nan, 1.0]), np.full(3, np.nan))
    assert (day.value_bps, day.unsupported, day.unsupported_mass, day.unsupported_bps) == (0.0, 2, 1.0, 2.0)
    nothing = worth([worth_of_day("d", pi, pi, np.zeros(3, bool), np.ones(3), np.full(3, np.nan))] * 5, 3)
    assert not nothing.refused
    assert nothing.plain.total == 0.0
    assert not nothing.is_shown


def test_both_ways_are_compared() -> None:
    before = {"pi": np.array([0.1, 0.5]), "published": np.array([False, True]), "payoff": np.array([2.0, -1.0])}
    after = before | {"pi": np.array([0.3, 0.5]), "published": np.array([True, True])}
    day = simulated_day("d", before, after)
    assert day == SimulatedDay("d", pytest.approx(0.4), pytest.approx(2.0), 2, 1)
    log = worth([made_day(seed, gain=1.5)[1] for seed in range(10)], 1)
    near = simulated([SimulatedDay("d", log.plain.total / 10, 0.0, 0, 0)] * 10)
    far = simulated([SimulatedDay("d", log.plain.high, 0.0, 0, 0)] * 10)
    assert not cost_model_disagrees(log, near)
    assert cost_model_disagrees(log, far)
    assert not cost_model_disagrees(None, far)
