"""Trials of styles: what they estimate is the difference of neighbouring styles, whatever the market paid."""

import numpy as np
import pytest

from lotus.knobs.rows import rows_of
from lotus.knobs.style_draw import STEPS, drawn_style
from lotus.knobs.style_trials import Executed, style_observations
from lotus.priors.context import NO_CONTEXT
from lotus.timebase import day_start_ms

DAY = "2026-01-05"
SHARES, N = (0.2, 0.05), 8_000


def world(join_bps: float, improve_bps: float) -> dict[str, np.ndarray]:
    """Windows whose payoffs are mostly noise that all styles share."""
    rng = np.random.default_rng(3)
    cross = -9.0 + 25.0 * rng.standard_t(3, N)
    end = day_start_ms(DAY) + 5_000 * np.arange(1, N + 1)
    return {
        "event_id": np.array([f"e{i}" for i in range(N)], dtype=object),
        "asset": np.full(N, "BTC", dtype=object),
        "window_end_ms": end,
        "maturity_ms": end + 300_000,
        "horizon_s": np.full(N, 300, dtype=np.int32),
        "cross": cross,
        "join_low": cross + join_bps + rng.normal(0.0, 3.0, N),
        "improve_low": cross + improve_bps + rng.normal(0.0, 3.0, N),
    }


def effects(table: dict[str, np.ndarray]) -> dict[str, tuple[float, float]]:
    """Return owner -> (mean effect, its standard error) from scores and overlap weights."""
    contexts = dict.fromkeys(table["event_id"].tolist(), NO_CONTEXT)
    rows = rows_of(style_observations(table, contexts, SHARES, 7), DAY, {})
    out = {}
    for owner in sorted(set(rows["detector_id"].tolist())):
        own = rows["detector_id"] == owner
        f, h = rows["f"][own].astype(float), rows["h"][own].astype(float)
        effect = f.sum() / h.sum()
        out[owner] = effect, float(np.sqrt(np.sum((f - effect * h) ** 2)) / h.sum())
    return out


def test_each_step_is_estimated_at_the_noise_of_a_difference() -> None:
    found = effects(world(join_bps=3.0, improve_bps=1.0))
    first, second = (found[owner] for owner, _ in STEPS)
    assert first[0] == pytest.approx(3.0, abs=5 * first[1])
    assert second[0] == pytest.approx(-2.0, abs=5 * second[1])
    assert first[1] < 0.3  # payoffs themselves have a deviation of 40 bps


def test_no_effect_is_estimated_as_none() -> None:
    for effect, error in effects(world(0.0, 0.0)).values():
        assert abs(effect) < 4 * error


def test_rows_are_the_draws_and_a_window_without_some_payoff_is_in_no_trial() -> None:
    table = world(3.0, 1.0)
    table["improve_low"][:4_000] = np.nan
    contexts = dict.fromkeys(table["event_id"].tolist(), NO_CONTEXT)
    trials = style_observations(table, contexts, SHARES, 7)
    assert {int(row.name[1:]) >= 4_000 for row in trials} == {True}
    for row in trials:
        draw = drawn_style(row.name, SHARES, 7)
        assert draw is not None
        upper = dict(STEPS)[row.owner]
        assert row.arm == (draw.style is upper)
        place = int(row.name[1:])
        column = {"cross": "cross", "join": "join_low", "improve": "improve_low"}[draw.style.value]
        assert row.outcome_bps == table[column][place]
    assert style_observations(table, contexts, (0.0, 0.0), 7) == []


def test_what_was_executed_counts_where_nearly_all_was_and_else_the_tape() -> None:
    table = world(3.0, 1.0)
    contexts = dict.fromkeys(table["event_id"].tolist(), NO_CONTEXT)
    names = table["event_id"].tolist()
    for missing, source in ((200, "paper_live"), (2_000, "tape_sim")):
        executed = Executed(dict.fromkeys(names[missing:], -5.0), "paper_live")
        trials = style_observations(table, contexts, SHARES, 7, executed)
        assert {row.source for row in trials} == {source}
        seen = {int(row.name[1:]) for row in trials}
        assert (min(seen) >= missing) == (source == "paper_live")
        if source == "paper_live":
            assert {row.outcome_bps for row in trials} == {-5.0}
