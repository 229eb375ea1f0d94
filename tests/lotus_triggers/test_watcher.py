"""What a watched trigger says on traces made by hand: when it arms, fires, expires and is rejected, and with what."""

import json
from dataclasses import replace

import numpy as np
import pytest
from make import ASSET, CADENCE_MS, FIRST_MS, Trace, trace_of

from lotus.errors import ConfigError, SchemaError
from lotus.microtape.frames.spec import C_GAP, C_SPREAD, I_ASSET, I_END
from lotus.triggers.checker import read_trigger
from lotus.triggers.events import Cause, EvaluationStatus, TriggerEvent
from lotus.triggers.watcher import Watcher, WatchPlan

PLAN = WatchPlan(ASSET, 0, entry_px=100.0)
SECOND = 1000 // CADENCE_MS
RETEST = "breakout(lookback=3, bar=1s) AND retest(level=prev_high, tol=0.1%) WITHIN 2s"
# three whole seconds around 100 with a high of 101, from the beginning of a second on
QUIET: list[float | None] = [100.0, 101.0, 100.0, 99.0, 100.0] * 3
START_MS = FIRST_MS // 1000 * 1000


def watched(
    text: str, trace: Trace, plan: WatchPlan = PLAN, preconditions: tuple[str, ...] = ()
) -> tuple[TriggerEvent, ...]:
    """Return the events of a trigger on a trace."""
    return Watcher(read_trigger(text, preconditions), plan).run(trace.ints, trace.floats)


def said(events: tuple[TriggerEvent, ...]) -> list[tuple[str, str]]:
    """Return status and cause of events."""
    return [(e.status.value, e.cause.value) for e in events]


def after_quiet(*mids: float | None) -> Trace:
    """Return the quiet seconds, one frame at their high, and then these mids."""
    return trace_of([*QUIET, 101.0, *mids], START_MS)


def test_a_breakout_arms_and_its_retest_fires_with_level_and_depth() -> None:
    trace = after_quiet(101.5, 102.0, 101.05, 103.0)
    armed, fired = watched(RETEST, trace)
    assert (armed.status, armed.cause, armed.part) == (EvaluationStatus.ARMED, Cause.BEGAN, RETEST)
    assert armed.time_ms == trace.ints[16, I_END]
    assert armed.deadline_ms == armed.time_ms + 2_000
    assert armed.levels == (("retest(level=prev_high, tol=0.1%)", 101.0),)
    assert [(h.part, h.time_ms, h.mid, h.level) for h in armed.happenings] == [
        ("breakout(lookback=3, bar=1s)", armed.time_ms, 101.5, 101.0)
    ]
    assert (fired.status, fired.cause, fired.mid) == (EvaluationStatus.FIRED, Cause.HOLDS, 101.05)
    assert fired.happenings[0] == armed.happenings[0]
    depth = fired.happenings[1].depth_bps
    assert depth == pytest.approx(1e4 * 0.05 / 101)
    assert [e.seq for e in (armed, fired)] == [1, 2]


def test_the_details_of_an_event_are_plain_values() -> None:
    trace = after_quiet(101.5, 102.0, 101.05)
    trace.floats[-1, C_SPREAD] = np.nan
    for event in watched(f"{RETEST} IF spread_bps < 5", trace):
        told = event.details()
        assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["readings"] == [{"part": "spread_bps < 5", "value": None, "holds": False}]
    assert [h["level"] for h in told["happenings"]] == [101.0, 101.0]  # type: ignore[index]


def test_a_retest_before_the_breakout_does_not_count() -> None:
    assert said(watched(RETEST, after_quiet(100.0, 101.0, 101.5, 101.6))) == [("armed", "began")]


def test_the_level_stands_still_while_armed_though_the_bars_move_on() -> None:
    trace = after_quiet(*[103.0] * SECOND, *[104.0] * (SECOND - 2), 101.0)
    assert said(watched(RETEST, trace)) == [("armed", "began"), ("fired", "holds")]


def test_the_limit_counts_from_the_arming_frame_and_the_last_frame_of_it_counts() -> None:
    late = after_quiet(102.0, *[103.0] * (2 * SECOND - 1), 101.0)
    assert said(watched(RETEST, late)) == [("armed", "began"), ("fired", "holds")]
    later = after_quiet(102.0, *[103.0] * (2 * SECOND), 101.0)
    events = watched(RETEST, later)
    assert said(events) == [("armed", "began"), ("expired", "limit")]
    assert events[1].time_ms == later.ints[len(QUIET) + 1 + 2 * SECOND + 1, I_END]
    assert events[1].deadline_ms == events[0].time_ms + 2_000
    assert events[1].happenings == events[0].happenings


def test_what_expired_can_arm_again() -> None:
    again = after_quiet(*[102.0] * (4 * SECOND), 103.0, 102.0)
    assert said(watched(RETEST, again)) == [
        ("armed", "began"), ("expired", "limit"), ("armed", "began"), ("fired", "holds")
    ]  # fmt: skip


def test_a_happening_is_kept_as_it_was_the_first_time() -> None:
    trace = after_quiet(101.5, 101.2, 100.95, 101.5, 103.0, 101.0)
    text = RETEST.replace("tol=0.1%", "tol=0.01%")
    armed, fired = watched(text, trace)
    assert armed.time_ms < trace.ints[19, I_END]  # the mid passed the high once more before the retest
    assert fired.happenings[0] == armed.happenings[0]


def test_a_level_is_unknown_after_a_bar_without_any_mid() -> None:
    dark = [None] * SECOND
    assert len(watched("breakout(3, bar=1s)", trace_of([*QUIET, *QUIET, 101.0, 105.0], START_MS))) == 1
    assert watched("breakout(3, bar=1s)", trace_of([*QUIET, *dark, *QUIET[:10], 101.0, 105.0], START_MS)) == ()
    known = [*QUIET, 101.0, *dark[1:]]
    assert watched("breakout(3, bar=1s)", trace_of([*known, *dark, *QUIET, 105.0], START_MS)) == ()


def test_nothing_crosses_a_gap() -> None:
    trace = trace_of([99.0, 99.0, 101.0, 101.0])
    keep = [0, 2, 3]
    for text in ("cross(entry)", "touch(entry)"):
        assert len(watched(text, trace)) == 1
        assert watched(text, Trace(trace.ints[keep], trace.floats[keep])) == ()


def test_a_gap_rejects_what_was_armed_and_forgets_the_bars() -> None:
    trace = after_quiet(102.0, 102.5, 101.0, 102.0)
    keep = np.delete(np.arange(len(trace)), 18)
    holed = Trace(trace.ints[keep], trace.floats[keep])
    events = watched(RETEST, holed)
    assert said(events) == [("armed", "began"), ("rejected", "gap")]
    assert events[1].time_ms == trace.ints[19, I_END]
    flagged = Trace(trace.ints, trace.floats.copy())
    flagged.floats[18, C_GAP] = 1.0
    assert said(watched(RETEST, flagged)) == [("armed", "began"), ("rejected", "gap")]


def test_a_precondition_that_does_not_hold_rejects_and_its_readings_are_told() -> None:
    trace = after_quiet(102.0, 102.5, 101.0)
    trace.floats[:, C_SPREAD] = 4.0
    gates = ("spread_bps < 5", "adv_usd > 1e9")
    poor = watched(RETEST, trace, replace(PLAN, facts={"adv_usd": 5e8}), gates)
    assert said(poor) == [("armed", "began"), ("rejected", "precondition")]
    assert [(r.part, r.value, r.holds) for r in poor[1].readings] == [
        ("spread_bps < 5", 4.0, True), ("adv_usd > 1000000000", 5e8, False)
    ]  # fmt: skip
    assert said(watched(RETEST, trace, PLAN, gates))[1] == ("rejected", "precondition")  # a fact nobody knows
    assert said(watched(RETEST, trace, replace(PLAN, facts={"adv_usd": 5e9}), gates))[1] == ("fired", "holds")


def test_the_validity_ends_the_watch_whatever_is_armed() -> None:
    trace = after_quiet(102.0, 102.5, 102.5, 101.0)
    until = int(trace.ints[18, I_END])
    watcher = Watcher(read_trigger(RETEST), replace(PLAN, valid_until_ms=until))
    events = watcher.run(trace.ints, trace.floats)
    assert said(events) == [("armed", "began"), ("expired", "valid_until")]
    assert (events[1].time_ms, events[1].deadline_ms, events[1].part) == (trace.ints[19, I_END], until, RETEST)
    assert watcher.over
    assert watcher.step(trace.ints[-1], trace.floats[-1]) == ()


def test_once_ends_with_the_first_firing_and_else_it_must_stop_holding_first() -> None:
    trace = trace_of([100.0, 103.0, 103.0, 100.0, 103.0, None, 103.0])
    assert len(watched("mid > 102", trace)) == 1
    times = [e.time_ms for e in watched("mid > 102", trace, replace(PLAN, once=False))]
    assert times == [trace.ints[k, I_END] for k in (1, 4, 6)]


def test_a_within_whose_surroundings_do_not_hold_is_told() -> None:
    text = f"({RETEST}) AND mid > 200"
    assert said(watched(text, after_quiet(102.0, 102.5, 101.0, 101.0))) == [("armed", "began"), ("rejected", "rest")]


def test_a_within_inside_another_arms_it() -> None:
    text = f"({RETEST}) AND cross(level=100) WITHIN 5s"
    trace = after_quiet(102.0, 102.5, 101.0, 100.5, 99.5)
    events = watched(text, trace, replace(PLAN, start_ms=int(trace.ints[15, I_END])))
    assert [(e.status.value, e.part == text) for e in events] == [("armed", False), ("armed", True), ("fired", True)]


def test_frames_before_the_start_fill_bars_and_fire_nothing() -> None:
    trace = after_quiet(102.0, 102.5, 101.0)
    start = int(trace.ints[16, I_END])  # the breakout was before it
    assert watched(RETEST, trace, replace(PLAN, start_ms=start)) == ()
    assert said(watched("mid > 90", trace, replace(PLAN, start_ms=start))) == [("fired", "holds")]
    (event,) = watched("mid > 90", trace, replace(PLAN, start_ms=start))
    assert event.time_ms == trace.ints[17, I_END]


def test_touch_and_cross_see_a_level_that_lies_between_two_mids() -> None:
    jump, exact, near = trace_of([99.0, None, 101.0]), trace_of([99.0, 100.0, 99.0]), trace_of([99.0, 99.99])
    assert len(watched("touch(entry, tol=0bps)", jump)) == 1
    assert len(watched("touch(entry, tol=0bps)", exact)) == 1
    assert len(watched("touch(entry, tol=0bps)", near)) == 0
    assert len(watched("touch(entry, tol=1.1bps)", near)) == 1
    assert len(watched("cross(entry, side=up)", jump)) == 1
    assert len(watched("cross(entry, side=down)", jump)) == 0
    assert len(watched("cross(entry)", exact)) == 0
    assert len(watched("cross(entry)", trace_of([99.0, 100.0, 101.0]))) == 1


def test_retest_minds_the_side_it_comes_from() -> None:
    text = "touch(level=99) AND retest(level=100, tol=10bps, side={}) WITHIN 5s"
    up, down = trace_of([98.0, 99.0, 98.0, 100.0]), trace_of([98.0, 99.0, 101.0, 100.0])
    for side, trace, fires in (
        ("below", up, 1),
        ("above", up, 0),
        ("above", down, 1),
        ("below", down, 0),
        ("either", down, 1),
    ):
        assert len(watched(text.format(side), trace)) == 1 + fires, side
    through = trace_of([98.0, 99.0, 98.0, 101.0, 102.0])
    assert len(watched(text.format("below"), through)) == 1  # past the level without having stood at it


def test_the_band_in_sigma_and_in_bps_and_both_sides() -> None:
    closes = [100.0, 101.0, 100.0, 102.0]
    bars = [x for c in closes for x in [c] * SECOND]
    sigma = float(np.std([1.0, -1.0, 2.0], ddof=1))
    for over, fires in ((0.99, 0), (1.01, 1)):
        high, low = (
            trace_of([*bars, 102.0, 102.0 + over * 2 * sigma], START_MS),
            trace_of([*bars, 102.0, 100.0 - over * 2 * sigma], START_MS),
        )
        assert len(watched("breakout(4, 2sigma, bar=1s)", high)) == fires
        assert len(watched("breakout(4, 2sigma, down, 1s)", low)) == fires
        wide = trace_of([*bars, 102.0, 102.0 * (1 + over * 20e-4)], START_MS)
        assert len(watched("breakout(4, 0.2%, bar=1s)", wide)) == fires


def test_a_mid_already_beyond_when_the_bars_are_known_is_no_breakout() -> None:
    assert watched("breakout(3, bar=1s)", trace_of([*QUIET, 105.0, 106.0], START_MS)) == ()
    assert len(watched("breakout(3, bar=1s)", trace_of([*QUIET, None, 101.0, None, 106.0], START_MS))) == 1


def test_the_volume_weighted_price_counts_the_open_bar_and_no_volume_without_a_mid() -> None:
    trace = trace_of([*[100.0] * (3 * SECOND), 99.0, 200.0, None, 99.0, 99.0, 150.0], START_MS, 1_000.0)
    first, second, third = watched("cross(vwap, lookback=3, bar=1s)", trace, replace(PLAN, once=False))
    coins = 150 + 1_000 / 99
    assert first.happenings[0].level == pytest.approx(17_000 / (coins + 5))
    assert second.happenings[0].level == pytest.approx(18_000 / (coins + 5 + 1_000 / 99))
    rolled = 100 + (3_000 / 99 + 5) + 1_000 / 150  # two quiet bars, the one of the crossings, and one frame
    assert third.happenings[0].level == pytest.approx(15_000 / rolled)


def test_other_assets_are_passed_over_and_frames_out_of_order_refused() -> None:
    trace = after_quiet(102.0, 102.5, 101.0)
    other = trace.ints.copy()
    other[:, I_ASSET] = 1
    assert Watcher(read_trigger(RETEST), PLAN).run(other, trace.floats) == ()
    watcher = Watcher(read_trigger(RETEST), PLAN)
    watcher.step(trace.ints[3], trace.floats[3])
    for row in (3, 2):
        with pytest.raises(SchemaError, match="frames in order"):
            watcher.step(trace.ints[row], trace.floats[row])


def test_what_a_watch_needs_and_does_not_get_is_refused() -> None:
    with pytest.raises(ConfigError, match="entry price None"):
        Watcher(read_trigger("touch(entry)"), WatchPlan(ASSET, 0))
    with pytest.raises(ConfigError, match="a multiple of the frame of 300 ms"):
        Watcher(read_trigger("breakout(bar=1s)"), replace(PLAN, cadence_ms=300))
    Watcher(read_trigger("touch(vwap)"), WatchPlan(ASSET, 0))
