"""What ends a candidate in force: a dead edge, a loss of all it gave, a term without days; and how often a live one."""

from dataclasses import dataclass

import numpy as np
import pytest

from lotus.coprocessor.settlement import LEAST_SHARED, CandidateStep, alike, edge_of, ended
from lotus.timebase import next_day

FIRST = "2026-01-01"


@dataclass(frozen=True)
class Day:
    """A forward day."""

    day: str
    gain_bps: float
    weight: float = 4.0


def days(gains: "np.ndarray | list[float]") -> list[Day]:
    """Return forward days from the first on."""
    return [Day(next_day(FIRST, k), float(gain)) for k, gain in enumerate(gains)]


def step(gains: "np.ndarray | list[float]", settled: int, since: int | None = None) -> CandidateStep | None:
    """Return what is due after all of these days, the variance rate being 1 per unit of weight."""
    every = days(gains)
    begun = every[settled - 1 if since is None else since].day
    return ended("one", every, 0.25, every[settled - 1].day, begun, every[-1].day)


def test_one_that_is_alive_goes_on_and_is_renewed() -> None:
    rng = np.random.default_rng(1)
    gains = rng.standard_normal(200) + 1.0
    assert step(gains[:80], 40) is None
    renewed = step(gains[:131], 40)
    assert renewed is not None
    assert (renewed.step, renewed.value) == ("renewed", 91.0)
    assert step(gains[:140], 40, 130) is None


def test_one_that_died_leaves_soon_and_few_that_live_do() -> None:
    rng = np.random.default_rng(2)
    lives = [rng.standard_normal(130) + 1.0 for _ in range(60)]
    early = sum((found := step(life, 40)) is not None and found.check == "claim" for life in lives)
    assert early <= 6, "one in twenty, by chance"
    ends = []
    for life in lives[:20]:
        dead = np.concatenate([life[:40], life[40:] - 1.0])
        ends.append(next((n - 40 for n in range(41, 130) if step(dead[:n], 40) is not None), 90))
    assert np.median(ends) <= 40


def test_a_rare_loss_of_all_that_was_given_ends_it_on_the_day() -> None:
    carry = [0.5] * 60
    assert step(carry, 40) is None
    gone = step([*carry, -31.0], 40)
    assert gone is not None
    assert (gone.step, gone.check) == ("archived", "total")


def test_a_term_in_which_hardly_a_day_matured_is_not_renewed() -> None:
    late = [*days([1.0] * 40), Day(next_day(FIRST, 140), 1.0)]
    found = ended("one", late, 0.25, late[39].day, late[39].day, late[-1].day)
    assert found is not None
    assert (found.step, found.check, found.value) == ("archived", "term", 1.0)


def test_profiles_are_compared_on_the_days_that_both_have() -> None:
    rng = np.random.default_rng(3)
    gains = rng.standard_normal(30)
    own, names = days(gains), [one.day for one in days(gains)]
    assert alike(own, names[5:25], (2.0 * gains[5:25]).tolist()) == pytest.approx(1.0)
    assert alike(own, names[: LEAST_SHARED - 1], gains[: LEAST_SHARED - 1].tolist()) == 0.0
    assert edge_of(own[:0]) == 0.0
    assert edge_of(days([8.0, 0.0])) == 1.0
