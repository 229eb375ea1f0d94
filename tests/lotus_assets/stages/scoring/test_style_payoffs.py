"""Every published window of the day has its payoffs at rest, and the trader's trials are drawn from them."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.knobs.compositions import rows_by_step
from lotus.knobs.style_draw import STEPS, drawn_style
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.modules import tr_knobs


@pytest.mark.process("whole days through their stages")
@pytest.mark.warm("first_day")
def test_what_crosses_is_the_outcome_and_bounds_are_in_order(scored: StageContext, days: list[str]) -> None:
    outcomes = scored.lake.read("signal_eval", scored.branch, days[0])
    styles = scored.lake.read("style_payoffs", scored.branch, days[0])
    executed = dict(zip(outcomes["event_id"].tolist(), outcomes["payoff_y"].tolist(), strict=True))
    crossed = np.array([executed[event] for event in styles["event_id"].tolist()])
    is_paid = np.isfinite(styles["cross"])
    assert is_paid.mean() > 0.9
    assert np.array_equal(styles["cross"][is_paid], crossed[is_paid])
    assert set(styles["event_id"].tolist()) == set(outcomes["event_id"][outcomes["fill_source"] != ""].tolist())
    for style in ("join", "improve"):
        low, high = styles[f"{style}_rested_low"][is_paid], styles[f"{style}_rested_high"][is_paid]
        assert (low <= high).all()
        assert high.max() > 0.0


@pytest.mark.process("whole days through their stages")
@pytest.mark.warm("first_day")
def test_trials_hold_the_draws_of_the_windows_and_none_where_nothing_is_tried(
    scored: StageContext, days: list[str]
) -> None:
    styles = scored.lake.read("style_payoffs", scored.branch, days[0])
    trials = scored.lake.read("tr_trials", scored.branch, days[0])
    shares, seed = scored.settings.trading.entry_shares, scored.manifest.score.seed
    assert shares == (0.2, 0.05)
    own = [row for row in tr_knobs.observed(scored, days[0]) if row.owner in dict(STEPS)]
    assert len(own) == len(trials["event_id"]) > 0
    draws = {name: drawn_style(name, shares, seed) for name in styles["event_id"].tolist()}
    for row in own:
        draw = draws[row.name]
        assert draw is not None
        assert row.arm == (draw.style is dict(STEPS)[row.owner])
        assert row.propensity == pytest.approx(0.2 / 0.95 if row.owner == STEPS[0][0] else 0.2)
    trading = replace(scored.settings.trading, explore_entry=(0.0, 0.0))
    off = replace(scored, settings=replace(scored.settings, trading=trading))
    assert tr_knobs.observed(off, days[0]) == []


@pytest.mark.process("whole days through their stages")
@pytest.mark.warm("first_day")
def test_compositions_read_the_detector_of_every_window_that_was_tried(scored: StageContext, days: list[str]) -> None:
    trading = replace(scored.settings.trading, compose_styles=True)
    on = replace(scored, settings=replace(scored.settings, trading=trading))
    trials = scored.lake.read("tr_trials", scored.branch, days[0])
    other, digests = tr_knobs.other_module(on, days[0]), tr_knobs.other_inputs(on, days[0])
    assert other is not None
    assert set(trials["event_id"].tolist()) <= other.detectors.keys()
    rows = rows_by_step(trials, days[0], other.detectors)
    assert sum(len(one) for one in rows.values()) == len(trials["event_id"]) > 0
    assert {name.partition("@")[2] for name in rows} <= set(other.detectors.values())
    assert digests.keys() == {"compositions", "windows tried"}, "the first day has no registry of sig before it"
    assert tr_knobs.other_module(scored, days[0]) is None
    assert tr_knobs.other_inputs(scored, days[0]) == {}
