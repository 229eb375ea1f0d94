"""The weekly refit of the weights of asymmetry: what is planted is found, noise is refused, and what is joined."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from benchmarks.governance.one_sided_worlds import OneSided, rows_of
from lotus.detectors.asymmetry_fit import (
    EVERY_MS,
    SHIPPED,
    asymmetry_rows,
    refit_weights,
    winner,
)
from lotus.errors import SchemaError

PLANTED = rows_of(OneSided("planted", push=0.4), 1)
NOTHING = rows_of(OneSided("nothing"), 1)


def test_what_is_planted_is_found_and_taken_up() -> None:
    won = winner(refit_weights(PLANTED, SHIPPED))
    assert won is not None
    assert won.kind == "fitted"
    w = dict(zip(("oi", "f", "b", "d", "w"), won.weights, strict=True))
    assert min(w["oi"], w["d"]) > 0.9 > 0.3 > max(w["f"], w["b"])
    assert all(0.0 <= x <= 1.0 for x in won.weights)
    assert {one.kind for one in refit_weights(PLANTED, won.weights)} == {"shipped"} | (
        {"fitted"} if refit_weights(PLANTED, won.weights)[0].kind == "fitted" else set()
    )
    assert winner(refit_weights(PLANTED, won.weights)) is None, "what is in force is not beaten by itself"


def test_weights_that_foretell_nothing_give_way_to_the_shipped_ones() -> None:
    wrong = (0.0, 1.0, 1.0, 0.0, 0.0)
    won = winner(refit_weights(PLANTED, wrong))
    assert won is not None
    shipped = next(one for one in refit_weights(PLANTED, wrong) if one.kind == "shipped")
    assert shipped.verdict.is_better


def test_noise_is_refused() -> None:
    assert winner(refit_weights(NOTHING, SHIPPED)) is None


def test_the_fit_is_the_minimum_of_the_penalised_loss() -> None:
    from lotus.experts.weekly.refit import RIDGE, ridge_logistic

    y = PLANTED.one_sided()[:4000]
    one = np.ones((4000, 1))
    x = np.concatenate([PLANTED.z[:4000], one, -one], axis=1)

    def loss(w: np.ndarray) -> float:
        return float(np.logaddexp(0.0, np.where(y, -1.0, 1.0) * (x @ w)).sum() + 0.5 * RIDGE * (w @ w))

    found = ridge_logistic(x, y)
    best = minimize(loss, np.full(7, 0.1), bounds=[(0.0, None)] * 7, tol=1e-10)
    assert loss(found) <= best.fun + 1e-4


def test_too_few_days_and_hours_that_are_all_alike_are_refused() -> None:
    few = PLANTED.day < 5
    short = replace(PLANTED, **{n: getattr(PLANTED, n)[few] for n in ("z", "larger", "smaller", "day", "asset")})
    with pytest.raises(SchemaError, match="days"):
        refit_weights(short, SHIPPED)
    with pytest.raises(SchemaError, match="one-sided hours"):
        refit_weights(replace(PLANTED, smaller=PLANTED.larger), SHIPPED)
    none = np.zeros(0)
    empty = asymmetry_rows(
        none.astype(int), none.astype(int), np.zeros((0, 5)), none.astype(int), none.astype(int), none, none
    )
    assert len(empty) == 0
    with pytest.raises(SchemaError):
        refit_weights(empty, SHIPPED)


def test_cues_and_outcomes_meet_by_asset_and_window_whatever_the_direction_of_the_detector() -> None:
    end = np.array([EVERY_MS, EVERY_MS, 2 * EVERY_MS, 2 * EVERY_MS + 5000], np.int64)
    asset = np.array([0, 1, 0, 0], np.int64)
    z = np.arange(20.0).reshape(4, 5)
    rows = asymmetry_rows(
        asset, end, z,
        np.array([0, 0, 1, 0], np.int64), np.array([EVERY_MS, EVERY_MS, EVERY_MS, 9 * EVERY_MS], np.int64),
        np.array([np.nan, 1.0, 6.0, 1.0]), np.array([np.nan, -4.0, -2.0, -1.0]),
    )  # fmt: skip
    np.testing.assert_array_equal(rows.z, z[:2])
    np.testing.assert_array_equal(rows.larger, [4.0, 6.0])
    np.testing.assert_array_equal(rows.smaller, [1.0, 2.0])
    np.testing.assert_array_equal(rows.one_sided(), [True, True])
