"""A series' own slow life is foretold where it is there; nothing is taken from others, nor from a move for 14 days."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus.monitoring.own_life import FEWEST_PAIRS, YOUNG, left_over


def wandering(share: float, count: int = 180, rows: int = 40, seed: int = 1) -> np.ndarray:
    """Rows of an AR(1) that keeps `share` of itself, seen with a little noise."""
    rng = np.random.default_rng(seed)
    shocks, out = rng.normal(size=(rows, count)), np.zeros((rows, count))
    for k in range(1, count):
        out[:, k] = share * out[:, k - 1] + np.sqrt(1.0 - share**2) * shocks[:, k]
    return out + 0.3 * rng.normal(size=out.shape)


def of_pandas(values: np.ndarray) -> np.ndarray:
    """The first step of one row without gaps, written again with pandas."""
    import pandas as pd

    limit = 4.0 * np.median(np.abs(values[:-1]))
    held = np.clip(values, -limit, limit)
    mean = pd.Series(np.concatenate([[0.0], held])).ewm(alpha=0.35, adjust=False).mean().to_numpy()[:-1]
    old = slice(max(0, len(values) - 1 - 14 - 90), len(values) - 1 - 14)
    b = np.clip((mean[old] * held[old]).sum() / (mean[old] ** 2).sum(), 0.0, 1.0)
    return values - b * mean


def test_against_pandas() -> None:
    values = wandering(0.9, rows=3)
    steps = [of_pandas(row) for row in values]
    again = [np.abs(one) - np.median(np.abs(one)[:-1]) for one in steps]
    shown = [np.abs(one) - (two - of_pandas(two)) for one, two in zip(steps, again, strict=True)]
    np.testing.assert_allclose(left_over(values), np.maximum(shown, 0.0), atol=1e-12)


def test_what_wanders_is_lessened_and_what_does_not_stays() -> None:
    slow, still = wandering(0.95), np.random.default_rng(2).normal(size=(40, 180))
    assert np.mean(left_over(slow)) < 0.75 * np.mean(np.abs(slow))
    assert np.corrcoef(left_over(slow)[:, 1:].ravel(), left_over(slow)[:, :-1].ravel())[0, 1] < 0.15
    assert np.mean(left_over(still)) == pytest.approx(np.mean(np.abs(still)), rel=0.05)


@pytest.mark.parametrize("share", [0.0, 0.9])
def test_a_move_stands_out_for_fourteen_days(share: float) -> None:
    for since in range(1, YOUNG + 1):
        values = wandering(share)
        before = left_over(values)
        values[:, -since:] += 10.0
        found = left_over(values)
        assert np.mean(found[:, -1] > np.quantile(before[:, :-since], 0.95, axis=1)) > (0.95 if share == 0.0 else 0.5)


def test_gaps_stay_and_young_series_are_left_alone() -> None:
    values = wandering(0.9, rows=4)
    values[1, ::3] = np.nan
    values[2] = np.nan
    found = left_over(values)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(values))
    young = values[:1, : YOUNG + FEWEST_PAIRS]
    np.testing.assert_array_equal(left_over(young), np.abs(young))


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=150))
def test_it_is_never_negative_and_only_looks_back(values: list[float | None]) -> None:
    row = np.array([[np.nan if v is None else v for v in values]])
    found = left_over(row)
    assert not (found < 0.0).any()
    np.testing.assert_array_equal(np.isnan(found), np.isnan(row))
    np.testing.assert_array_equal(left_over(np.concatenate([row, row])), np.concatenate([found, found]))
