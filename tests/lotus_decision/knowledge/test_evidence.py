"""Outcomes from the lake's columns: direction, score, what counts, and how much where horizons overlap."""

import numpy as np
import pytest
from past_outcomes import FIRST_DAY, known, past

from lotus.decision.knowledge.calibration import calibrate
from lotus.decision.knowledge.evidence import (
    EVENT_COLUMNS,
    KEY,
    REGIME_NAMES,
    evaluated_columns,
    has_direction,
    only,
    outcome_sums,
    outcome_sums_spec,
    outcomes_of,
    score_bin,
    uniqueness,
)
from lotus.decision.policy.policy import shipped_policy
from lotus.detectors.scoring.signal_spec import SIGNAL_EVENTS
from lotus.outcomes.signal_eval import signal_eval_spec
from lotus.timebase import day_start_ms, next_day

START = day_start_ms("2025-09-04")
HORIZONS = (30, 300, 3600)


def rows(n: int, gap_s: int = 5, horizon_s: int = 300) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Windows of one detector and coin, `gap_s` apart, and what became of them."""
    events = {
        "detector_id": np.array(["flow"] * n, dtype=object),
        "asset": np.array(["BTC"] * n, dtype=object),
        "spec_version": np.ones(n, dtype=np.int64),
        "horizon_s": np.full(n, horizon_s),
        "window_end_ms": START + 1000 * gap_s * np.arange(n),
        "s": np.full(n, -0.5),
        "ln_sigma_tilde": np.full(n, np.log(0.6)),
        "eligible": np.ones(n, dtype=np.bool_),
        "b_vol": np.full(n, 4, dtype=np.uint8),
    }
    evaluated = {
        **{name: events[name][::-1] for name in KEY},
        "horizon_s": np.full(n, horizon_s),
        "status": np.array(["ok"] * n, dtype=object),
        "fwd_ret_bps_30": np.full(n, -1.0),
        "fwd_ret_bps_300": np.arange(n)[::-1].astype(np.float64),
        "fwd_ret_bps_3600": np.full(n, np.nan),
    }
    return events, evaluated


def test_a_move_counts_in_the_direction_of_the_signal() -> None:
    found = outcomes_of(*rows(3), HORIZONS)
    assert found.realised_bps.tolist() == [-0.0, -1.0, -2.0]
    assert found.moves_bps[1] == pytest.approx([1.0, -1.0, np.nan], nan_ok=True)
    assert (found.sources, found.source.tolist(), found.horizon_s.tolist()) == (("det:flow@1",), [0] * 3, [300] * 3)
    assert {REGIME_NAMES[k] for k in found.regime.tolist()} == {"wild"}
    assert found.score == pytest.approx([0.3] * 3)


def test_windows_that_say_nothing_do_not_count() -> None:
    events, evaluated = rows(5)
    events["s"][0], events["eligible"][1] = 0.0, False
    evaluated["status"][2], evaluated["fwd_ret_bps_300"][1] = "gap", np.nan
    assert outcomes_of(events, evaluated, HORIZONS).end_ms.tolist() == [int(events["window_end_ms"][4])]


def test_overlapping_windows_count_by_the_part_that_is_their_own() -> None:
    events, _ = rows(4, gap_s=60)
    assert uniqueness(events) == pytest.approx([1.0, 0.2, 0.2, 0.2])
    events["s"][1] = 0.0
    assert uniqueness(only(events, has_direction(events))) == pytest.approx([1.0, 0.4, 0.2])
    events["asset"][2] = "ETH"
    assert uniqueness(only(events, has_direction(events))) == pytest.approx([1.0, 1.0, 0.6])


def test_support_is_the_sum_of_weights() -> None:
    """A day of windows of five seconds at an hour's horizon is 24 outcomes worth, not 17,280."""
    whole = past("det:flow@1", 10, 100, lambda x: 10.0)
    thin = [row._replace(weight=0.1) for row in whole]
    day, rule = next_day(FIRST_DAY, 20), shipped_policy().calibration
    support = [calibrate(known(paid), day, rule).cells[0].support for paid in (whole, thin)]
    assert support == pytest.approx([1000.0, 100.0])
    events, _ = rows(17_280, horizon_s=3600)
    assert uniqueness(events).sum() == pytest.approx(25.0, abs=0.1)


def test_the_columns_are_those_of_the_lake() -> None:
    events, evaluated = rows(1)
    assert set(events) == set(EVENT_COLUMNS) <= set(SIGNAL_EVENTS.names)
    assert set(evaluated) == set(evaluated_columns(HORIZONS)) <= set(signal_eval_spec(HORIZONS).names)
    found = outcome_sums(outcomes_of(events, evaluated, HORIZONS))
    assert set(found) == set(outcome_sums_spec(HORIZONS).names)


def test_a_day_without_outcomes_has_sums_without_rows() -> None:
    events, evaluated = rows(3)
    events["eligible"][:] = False
    assert {len(v) for v in outcome_sums(outcomes_of(events, evaluated, HORIZONS)).values()} == {0}


def test_bins_are_32_an_octave_and_exact_at_their_edges() -> None:
    edges = 2.0 ** np.arange(-30, 1)[:, None] * (0.5 + np.arange(32) / 64)
    assert np.diff(score_bin(edges.ravel())).tolist() == [1] * (edges.size - 1)
    assert (score_bin(np.nextafter(edges.ravel()[1:], 0.0)) == score_bin(edges.ravel()[:-1])).all()
    assert score_bin(np.array([0.0]))[0] < score_bin(np.array([5e-324]))[0]
