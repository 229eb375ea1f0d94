"""Evidence by other signs: as counted one by one, exact for any tails, open for longer than a bound on T."""

import itertools
import math

import numpy as np
import pytest

from lotus.coprocessor.scoring import t_of
from lotus.coprocessor.signs import evidence, reachable
from lotus.errors import ConfigError


def counted(daily: list[float]) -> float:
    """Return minus ln of the share of all choices of signs whose total is at least as far from 0."""
    total = abs(sum(daily)) - 1e-9 * sum(map(abs, daily))
    choices = list(itertools.product((-1.0, 1.0), repeat=len(daily)))
    return -math.log(sum(abs(np.dot(signs, daily)) >= total for signs in choices) / len(choices))


@pytest.mark.parametrize("seed", range(12))
def test_it_is_what_counting_one_by_one_gives(seed: int) -> None:
    daily = np.random.default_rng(seed).standard_t(2, 1 + seed % 11).round(seed % 3).tolist()
    assert math.isclose(evidence(daily), counted([x for x in daily if x] or [0.0]), abs_tol=1e-12)
    assert evidence([-x for x in daily]) == evidence([*daily, 0.0])


def test_it_is_as_rare_as_it_says_whatever_the_tails() -> None:
    days = np.random.default_rng(3).standard_t(2, (3_000, 20))
    nats = np.array([evidence(row.tolist()) for row in days])
    for chance in (0.5, 0.2, 0.05):
        among = float(np.mean(nats >= -math.log(chance)))
        assert abs(among - chance) < 4.0 * math.sqrt(chance * (1.0 - chance) / len(nats))


def test_what_pays_every_day_is_seen_where_a_bound_on_t_ends() -> None:
    assert evidence([1.0] * 20) == pytest.approx(reachable(20))
    daily = (np.random.default_rng(1).standard_normal(20) + 2.0).tolist()
    assert t_of(daily) ** 2 / 2.0 < 10.0 < evidence(daily)
    assert reachable(0) == reachable(1) == 0.0


def test_more_days_than_can_be_counted_are_refused() -> None:
    assert evidence([1.0] * 30 + [0.0] * 30) > 20.0
    with pytest.raises(ConfigError, match="41 days; expected: at most 40"):
        evidence([1.0] * 41)
