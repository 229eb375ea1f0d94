"""The gate of candidates: its bounds, the days that count, and the study that says what it keeps."""

import math

import numpy as np
import pytest

from benchmarks.breeding.gate_years import NULLS, lines, null_days, shown_on
from lotus.coprocessor.gate import (
    LEAST_DAYS,
    MOST_DAYS,
    SETTLE_AT,
    GateState,
    enter,
    first_forward_day,
    observe,
)
from lotus.errors import ConfigError


def lived(gains: list[float], spoken: int = 20, variance: float = 1.0) -> list[GateState]:
    """Return the gate after each day of equal weight."""
    states = [GateState(variance)]
    for gain in gains:
        states.append(observe(states[-1], gain, 1.0, spoken))
    return states[1:]


def test_it_opens_for_days_that_pay_and_only_with_enough_of_them() -> None:
    days = lived([3.0] * 30)
    opened = next(k for k, gate in enumerate(days, 1) if gate.state == "shown")
    assert opened == math.ceil(math.log(5 * SETTLE_AT) / (0.4 * 3.0 - 0.5 * (0.4 * 3.0) ** 2))  # at the best rate
    assert all(gate.state == "shadow" for gate in lived([1.0] * 30, variance=1e-9)[: LEAST_DAYS - 1])
    assert all(gate.state == "shadow" for gate in lived([3.0] * 30, spoken=1))
    assert lived([3.0] * 30 + [-3.0] * 30)[-1].state == "shown"  # the highest decides: it was reached
    assert lived([0.1] * MOST_DAYS)[-1].state == "not_shown"


def test_a_silent_day_counts_as_a_day_and_moves_nothing() -> None:
    gate = observe(observe(GateState(2.0), 1.0, 3.0, 5), 0.0, 0.0, 0)
    assert (gate.days, gate.spoken) == (2, 5)
    assert gate.sums == observe(GateState(2.0), 1.0, 3.0, 5).sums


def test_its_variance_is_that_of_the_span_and_needs_one() -> None:
    assert enter([1.0, -2.0], [4.0, 1.0]) == GateState(1.0)
    with pytest.raises(ConfigError, match="never spoke in its span"):
        enter([0.0], [0.0])


@pytest.mark.parametrize(
    ("night", "until", "first"),
    [("2026-03-01", None, "2026-03-03"), ("2026-03-01", "2025-01-01", "2026-03-03"), ("2026-03-01", "2026-12-31",
     "2027-01-02"), ("2026-03-01", "", None)],
)  # fmt: skip
def test_forward_days_begin_after_all_that_anybody_saw(night: str, until: str | None, first: str | None) -> None:
    assert first_forward_day(night, until) == first


def test_the_study_shows_what_the_gate_shows() -> None:
    rng = np.random.default_rng(5)
    days = rng.standard_normal((40, 20 + MOST_DAYS)) + np.repeat([0.0, 1.0], 20)[:, None]
    for row, on in zip(days, shown_on(days), strict=True):
        variance = float(np.mean(row[:20] ** 2))
        states = [gate.state for gate in lived([float(x) for x in row[20:]], variance=variance)]
        assert (states.index("shown") + 1 if "shown" in states else 0) == on


def test_every_world_of_the_study_has_its_line_and_adds_nothing() -> None:
    text = "\n".join(lines(years=3, hostile=2, lives=50, seed=2))
    assert all(f"{kind}: " in text for kind in NULLS)
    assert "edge 1: shown after" in text
    for kind in NULLS:
        days = null_days(kind, np.random.default_rng(1), 400, 400)
        assert abs(float(np.mean(days)) / float(np.std(days))) < 0.02
