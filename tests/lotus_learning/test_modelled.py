"""A modelled payoff that knows what was published is found in the very rule that would be learned from it."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.learning.modelled import LIMIT, knowing, knows
from lotus.learning.rows import rows_by_detector
from lotus.priors.vocabulary import BIN_COLUMNS


@pytest.fixture(scope="module")
def honest(worlds):
    """Return forty days without a lesson and with payoffs modelled for every window."""
    return rows_by_detector(worlds.world("conf", seed=71, days=40, per_block=80), 90)["d0"]


def corners(rows):
    return [rows.bins[:, k] >= 2 for k in range(len(BIN_COLUMNS)) if 0.05 < (rows.bins[:, k] >= 2).mean() < 0.95]


def test_z_is_standard_where_draws_were_independent(honest):
    rng, found = np.random.default_rng(3), []
    for _ in range(200):
        drawn = replace(honest, published=rng.random(len(honest)) < honest.p)
        found += [knowing(drawn, covered) for covered in corners(drawn)[:2]]
    assert abs(np.mean(found)) < 0.15
    assert 0.9 < np.std(found) < 1.1


def test_what_was_written_after_the_draw_is_found_in_its_rule_and_in_no_other_place(honest):
    covered = corners(honest)[0]
    wrong = replace(honest, payoff_p=honest.payoff_p + 6.0 * (covered & ~honest.published))
    assert knowing(wrong, covered) > 2.0 * LIMIT
    assert "z " in knows(wrong, covered)
    assert "model them the same way for every window" in knows(wrong, covered)
    alike = replace(honest, payoff_p=honest.payoff_p + 6.0 * covered)
    assert knows(alike, covered) == ""


def test_the_mean_of_modelled_payoffs_and_a_constant_error_do_not_matter(honest):
    covered = corners(honest)[0]
    far = replace(honest, payoff_p=honest.payoff_p + 1000.0)
    assert knowing(far, covered) == pytest.approx(knowing(honest, covered), abs=1e-6)


def test_nothing_modelled_or_nothing_outside_says_nothing(honest):
    covered = corners(honest)[0]
    assert knowing(replace(honest, payoff_p=np.full(len(honest), np.nan)), covered) == 0.0
    assert knowing(honest, np.ones(len(honest), dtype=bool)) == 0.0
    assert knowing(honest, np.zeros(len(honest), dtype=bool)) == 0.0
