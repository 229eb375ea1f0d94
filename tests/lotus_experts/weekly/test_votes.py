"""The number of votes that confirm: found where more votes are more often right, left alone where they are not."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.experts.fusion import ExpertSet, default_experts
from lotus.experts.weekly.refit import MIN_ROWS, RefitRows
from lotus.experts.weekly.votes import refit_votes

EXPERTS = default_experts()
N, DAYS = 21_000, 7


def made(seed: int, gain: float, n: int = N) -> RefitRows:
    """Windows in which each of four experts fires in a third; two and more together are right `gain` more often."""
    rng = np.random.default_rng(seed)
    fires = rng.random((n, 4)) < 1 / 3
    z = np.zeros((n, len(EXPERTS.names)))
    z[:, 0] = rng.choice([-1.0, 1.0], n)
    z[rng.random(n) < 0.1, 0] = np.nan
    right = rng.random(n) < 0.5 + gain * (fires.sum(axis=1) >= 2)
    at = np.arange(n)
    return RefitRows(
        z, (z[:, 0] > 0) == right, at // (n // DAYS), at // (n // (10 * DAYS)), fires @ (1 << np.arange(4))
    )


def voting() -> ExpertSet:
    """The shipped experts; the first four have a vote each."""
    voices = {name: replace(v, vote=float(k < 4)) for k, (name, v) in enumerate(EXPERTS.fusion.voices.items())}
    return replace(EXPERTS, fusion=replace(EXPERTS.fusion, voices=voices))


def test_the_number_from_which_votes_tell_more_is_found_between_two_sums() -> None:
    found = refit_votes(made(1, 0.2), voting())
    assert found is not None
    assert found.needed == 1.5
    assert found.verdict.is_better
    assert found.verdict.rows == pytest.approx(N * 0.9 / DAYS * 2, rel=0.05)


def test_votes_that_tell_nothing_leave_the_number_alone() -> None:
    better = [refit_votes(made(seed, 0.0), voting()) for seed in range(30)]
    assert sum(x is not None and x.verdict.is_better for x in better) <= 3  # one in forty at 95 %, one-sided


def test_a_change_of_the_last_days_is_not_what_was_fitted() -> None:
    rows = made(2, 0.2)
    turned = replace(rows, up=rows.up ^ rows.parts()[2])
    before, after = refit_votes(rows, voting()), refit_votes(turned, voting())
    assert before is not None
    assert after is not None
    assert before.needed == after.needed
    assert not after.verdict.is_better


def test_a_number_leaves_windows_on_both_sides() -> None:
    rows = made(3, 0.2)
    one = np.flatnonzero(rows.fired)[: MIN_ROWS - 1]
    rare = np.zeros_like(rows.fired)
    rare[one] = 1
    assert refit_votes(replace(rows, fired=rare), voting()) is None
    assert refit_votes(made(3, 0.2, 700), voting()) is None
