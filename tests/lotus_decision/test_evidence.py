"""Outcomes from the lake's columns: direction, score, what counts, and how much where horizons overlap."""

from dataclasses import replace

import numpy as np
import pytest
from past_outcomes import FIRST_DAY, past

from lotus.decision.calibration import calibrate
from lotus.decision.evidence import outcomes_of, uniqueness
from lotus.decision.policy import shipped_policy
from lotus.detectors.signal_spec import SIGNAL_EVENTS
from lotus.outcomes.signal_eval import signal_eval_spec
from lotus.timebase import day_start_ms, next_day

START = day_start_ms("2025-09-04")
HORIZONS = (30, 300, 3600)


def rows(n: int, gap_s: int = 5, horizon_s: int = 300) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Windows of one detector and coin, `gap_s` apart, and what became of them."""
    names = np.array([f"{k:032x}" for k in range(n)])
    events = {
        "event_id": names,
        "detector_id": np.array(["flow"] * n),
        "asset": np.array(["BTC"] * n),
        "spec_version": np.ones(n, dtype=np.int64),
        "horizon_s": np.full(n, horizon_s),
        "window_end_ms": START + 1000 * gap_s * np.arange(n),
        "s": np.full(n, -0.5),
        "ln_sigma_tilde": np.full(n, np.log(0.6)),
        "eligible": np.ones(n, dtype=np.bool_),
    }
    evaluated = {
        "event_id": names[::-1],
        "horizon_s": np.full(n, horizon_s),
        "status": np.array(["ok"] * n),
        "fwd_ret_bps_30": np.full(n, -1.0),
        "fwd_ret_bps_300": np.arange(n)[::-1].astype(np.float64),
        "fwd_ret_bps_3600": np.full(n, np.nan),
    }
    return events, evaluated


def test_a_move_counts_in_the_direction_of_the_signal() -> None:
    found = outcomes_of(*rows(3), HORIZONS)
    assert [o.realised_bps for o in found] == [-0.0, -1.0, -2.0]
    assert found[1].markouts == ((30, 1.0),)
    assert (found[1].source, found[1].horizon_s, found[1].regime) == ("det:flow@1", 300, "all")
    assert found[1].score == pytest.approx(0.3)
    assert (found[0].issued_day, found[0].matured_day) == ("2025-09-04", "2025-09-04")


def test_an_outcome_matures_with_its_horizon() -> None:
    events, evaluated = rows(2, gap_s=86_400 - 100)
    assert [o.matured_day for o in outcomes_of(events, evaluated, HORIZONS)] == ["2025-09-04", "2025-09-05"]


def test_windows_that_say_nothing_do_not_count() -> None:
    events, evaluated = rows(5)
    events["s"][0], events["eligible"][1] = 0.0, False
    evaluated["status"][2], evaluated["fwd_ret_bps_300"][1] = "gap", np.nan
    assert [int(o.event_id, 16) for o in outcomes_of(events, evaluated, HORIZONS)] == [4]


def test_overlapping_windows_count_by_the_part_that_is_their_own() -> None:
    events, _ = rows(4, gap_s=60)
    assert uniqueness(events) == pytest.approx([1.0, 0.2, 0.2, 0.2])
    events["s"][1] = 0.0
    assert uniqueness(events) == pytest.approx([1.0, 0.0, 0.4, 0.2])
    events["asset"][2] = "ETH"
    assert uniqueness(events) == pytest.approx([1.0, 0.0, 1.0, 0.6])


def test_support_is_the_sum_of_weights() -> None:
    """A day of windows of five seconds at an hour's horizon is 24 outcomes worth, not 17,280."""
    whole = past("det:flow@1", 10, 100, lambda x: 10.0)
    thin = [replace(o, weight=0.1) for o in whole]
    day, rule = next_day(FIRST_DAY, 20), shipped_policy().calibration
    support = {o.weight: calibrate(rows, day, rule).cells[0].support for rows in (whole, thin) for o in rows[:1]}
    assert support == {1.0: pytest.approx(1000.0), 0.1: pytest.approx(100.0)}
    events, _ = rows(17_280, horizon_s=3600)
    assert uniqueness(events).sum() == pytest.approx(25.0, abs=0.1)


def test_the_columns_are_those_of_the_lake() -> None:
    events, evaluated = rows(1)
    assert set(events) <= set(SIGNAL_EVENTS.names)
    assert set(evaluated) <= set(signal_eval_spec(HORIZONS).names)
