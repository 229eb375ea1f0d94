"""The watchdog's rules: when it acts, how far, when it throws the switch, and that it leaves a healthy desk alone."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_desk.safety.kill_switch import FLATTENED, HALTED, LIFTED
from lotus_desk.watch.rules import SafetyAction, Seen, WatchPolicy, judge

POLICY = WatchPolicy(dead_s=10.0, flatten_after_s=20.0)
WELL = Seen(0.2, is_empty=False)


@pytest.mark.parametrize(
    ("seen", "act", "throw"),
    [
        (WELL, SafetyAction.NOTHING, LIFTED),
        (replace(WELL, pulse_age_s=9.9), SafetyAction.NOTHING, LIFTED),
        (replace(WELL, pulse_age_s=11.0), SafetyAction.STOP_OPENING, HALTED),
        (replace(WELL, pulse_age_s=31.0), SafetyAction.FLATTEN, FLATTENED),
        (replace(WELL, pulse_age_s=11.0, is_empty=True), SafetyAction.NOTHING, LIFTED),
        (replace(WELL, pulse_age_s=11.0, is_empty=None), SafetyAction.LOOK, LIFTED),
        (replace(WELL, switch=HALTED), SafetyAction.LOOK, LIFTED),
        (replace(WELL, switch=HALTED, thrown_s=2.0), SafetyAction.STOP_OPENING, LIFTED),
        (replace(WELL, switch=HALTED, pulse_age_s=1.0), SafetyAction.STOP_OPENING, LIFTED),
        (replace(WELL, switch=FLATTENED, pulse_age_s=1.0), SafetyAction.FLATTEN, LIFTED),
        (replace(WELL, switch=FLATTENED, thrown_s=2.0), SafetyAction.FLATTEN, LIFTED),
        (replace(WELL, switch=FLATTENED, thrown_s=2.0, is_empty=True), SafetyAction.LOOK, LIFTED),
        (replace(WELL, switch=FLATTENED, pulse_age_s=11.0), SafetyAction.FLATTEN, HALTED),
    ],
)
def test_what_is_done_about_what_is_seen(seen: Seen, act: SafetyAction, throw: str) -> None:
    verdict = judge(seen, POLICY)
    assert (verdict.act, verdict.throw) == (act, throw)


def test_a_hung_process_is_ended_only_where_something_is_done_in_its_place() -> None:
    gone = replace(WELL, pulse_age_s=11.0)
    assert judge(gone, POLICY).fence
    assert not judge(replace(gone, is_empty=True), POLICY).fence
    assert not judge(gone, replace(POLICY, fences=False)).fence
    assert not judge(replace(WELL, switch=FLATTENED, pulse_age_s=1.0), POLICY).fence, "a slow desk is not a dead one"


def test_without_a_policy_to_flatten_stops_stay_for_ever() -> None:
    assert judge(replace(WELL, pulse_age_s=10**6), WatchPolicy()).act is SafetyAction.STOP_OPENING


@pytest.mark.parametrize(
    ("policy", "seen", "kind", "throw"),
    [
        (WatchPolicy(), replace(WELL, lag_s=3.0), "loop_lag", LIFTED),
        (WatchPolicy(), replace(WELL, data_age_s=61.0), "stale_data", LIFTED),
        (
            WatchPolicy(max_drawdown_usd=Decimal(100)),
            replace(WELL, equity_usd=Decimal(899), highest_usd=Decimal(1000)),
            "drawdown",
            HALTED,
        ),
        (WatchPolicy(max_open_usd=Decimal(100)), replace(WELL, open_usd=Decimal(101)), "caps_exceeded", HALTED),
    ],
)
def test_limits_are_told_and_those_of_money_halt(policy: WatchPolicy, seen: Seen, kind: str, throw: str) -> None:
    verdict = judge(seen, policy)
    assert [finding.kind for finding in verdict.findings] == [kind]
    assert verdict.throw == throw


@given(
    st.floats(0, 1e4),
    st.sampled_from([LIFTED, HALTED, FLATTENED]),
    st.floats(0, 100),
    st.sampled_from([None, True, False]),
)
def test_it_never_does_less_when_the_desk_is_silent_for_longer(
    age_s: float, switch: str, thrown_s: float, is_empty: bool | None
) -> None:
    seen = Seen(age_s, switch=switch, thrown_s=thrown_s, is_empty=is_empty)
    later = replace(seen, pulse_age_s=age_s + 5.0, thrown_s=thrown_s + 5.0)
    assert judge(later, POLICY).act >= judge(seen, POLICY).act
    if judge(seen, POLICY).act >= SafetyAction.STOP_OPENING and switch == LIFTED:
        assert seen.pulse_age_s > POLICY.dead_s
        assert is_empty is False
