"""The look-ahead check finds a function that peeks, passes one that does not, and repeats its points."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lotus_assets.stages.tape.look_ahead import BUDGET, cut_points, look_ahead_check

Make = Callable[[NDArray[np.float64]], dict[str, NDArray[np.generic]]]
TAPE = np.random.default_rng(3).normal(size=500)


def causal(tape: NDArray[np.float64]) -> dict[str, NDArray[np.generic]]:
    return {"total": np.cumsum(tape)}


def peeking(tape: NDArray[np.float64]) -> dict[str, NDArray[np.generic]]:
    return {"total": np.cumsum(tape) / max(1.0, float(np.abs(tape).max()))}


def beyond(make: Make, tape: NDArray[np.float64]) -> Callable[[int], dict[str, NDArray[np.generic]]]:
    """Return what gives the rows of the first n of a tape that it has not given yet."""
    given = 0

    def rows(n: int) -> dict[str, NDArray[np.generic]]:
        nonlocal given
        first, given = given, n
        return {name: values[first:] for name, values in make(tape[:n]).items()}

    return rows


def test_a_causal_function_passes() -> None:
    outcome = look_ahead_check("t", "2025-01-01", 7, 500, causal(TAPE), beyond(causal, TAPE))
    assert outcome.passed
    assert outcome.numbers["points"] == 3
    assert outcome.numbers["rows_compared"] == sum(cut_points(7, "t", "2025-01-01", 500))


def test_a_peeking_function_fails_and_names_the_column() -> None:
    ordered = np.sort(TAPE)
    outcome = look_ahead_check("t", "2025-01-01", 7, 500, peeking(ordered), beyond(peeking, ordered))
    assert not outcome.passed
    assert "total" in outcome.text


def test_nan_and_signed_zero_are_compared_as_bits() -> None:
    tape = np.array([np.nan, 0.0])
    assert look_ahead_check("t", "d", 7, 2, {"x": tape}, beyond(lambda x: {"x": x}, tape)).passed
    assert not look_ahead_check("t", "d", 7, 2, {"x": tape}, beyond(lambda x: {"x": -x}, tape)).passed


def test_a_fault_that_begins_after_the_first_cut_is_found() -> None:
    first, *_, last = cut_points(7, "t", "2025-01-01", 500)

    def late(tape: NDArray[np.float64]) -> dict[str, NDArray[np.generic]]:
        return {"total": np.cumsum(tape) + (np.arange(len(tape)) == last - 1) * (len(tape) < 500)}

    outcome = look_ahead_check("t", "2025-01-01", 7, 500, late(TAPE), beyond(late, TAPE))
    assert not outcome.passed
    assert outcome.numbers["cut"] == last > first


def test_points_are_repeated_bounded_and_change_with_the_day() -> None:
    first = cut_points(7, "frames", "2025-01-01", 10**8)
    assert first == cut_points(7, "frames", "2025-01-01", 10**8)
    assert first != cut_points(7, "frames", "2025-01-02", 10**8)
    assert 1 <= min(first) <= max(first) <= BUDGET
    assert cut_points(7, "frames", "2025-01-01", 0) == []
