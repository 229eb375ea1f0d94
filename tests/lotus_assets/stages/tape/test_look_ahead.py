"""The look-ahead check finds a function that peeks, passes one that does not, and repeats its points."""

import numpy as np
from numpy.typing import NDArray

from lotus_assets.stages.tape.look_ahead import BUDGET, cut_points, look_ahead_check

TAPE = np.random.default_rng(3).normal(size=500)


def causal(tape: NDArray[np.float64]) -> dict[str, NDArray[np.generic]]:
    return {"total": np.cumsum(tape)}


def peeking(tape: NDArray[np.float64]) -> dict[str, NDArray[np.generic]]:
    return {"total": np.cumsum(tape) / max(1.0, float(np.abs(tape).max()))}


def test_a_causal_function_passes() -> None:
    outcome = look_ahead_check("t", "2025-01-01", 7, 500, causal(TAPE), lambda n: causal(TAPE[:n]))
    assert outcome.passed
    assert outcome.numbers["points"] == 3


def test_a_peeking_function_fails_and_names_the_column() -> None:
    ordered = np.sort(TAPE)
    outcome = look_ahead_check("t", "2025-01-01", 7, 500, peeking(ordered), lambda n: peeking(ordered[:n]))
    assert not outcome.passed
    assert "total" in outcome.text


def test_nan_and_signed_zero_are_compared_as_bits() -> None:
    whole = {"x": np.array([np.nan, 0.0])}
    assert look_ahead_check("t", "d", 7, 2, whole, lambda n: {"x": whole["x"][:n]}).passed
    assert not look_ahead_check("t", "d", 7, 2, whole, lambda n: {"x": np.array([np.nan, -0.0])}).passed


def test_points_are_repeated_bounded_and_change_with_the_day() -> None:
    first = cut_points(7, "frames", "2025-01-01", 10**8)
    assert first == cut_points(7, "frames", "2025-01-01", 10**8)
    assert first != cut_points(7, "frames", "2025-01-02", 10**8)
    assert 1 <= min(first) <= max(first) <= BUDGET
    assert cut_points(7, "frames", "2025-01-01", 0) == []
