"""The law of acts: everything wrong with an act is said at once, and no act within bounds is refused."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus.curation.act import CurationAct, CurationKind, parts_of
from lotus.curation.law import MOST_DAYS, CuratorPower, Subjects, check_act
from lotus.errors import ConfigError
from lotus.timebase import next_day

POWERS = {"curator:data": CuratorPower(0.15, True), "curator:regime": CuratorPower(0.075, False)}
SUBJECTS = Subjects(("momentum", "reversal"), ("BTC", "PURR/USDC", "@107"))
DAY = "2026-01-10"
NUDGE = CurationAct("", "main", DAY, "ann", "nudge", "momentum", 0.05, "it pays", "", "2026-01-12", "2026-02-11")
VETO = replace(NUDGE, kind="veto", target="momentum@BTC", value=0.0)


def faults(act: CurationAct, *earlier: CurationAct) -> str:
    with pytest.raises(ConfigError) as refusal:
        check_act(act, POWERS, SUBJECTS, earlier)
    return str(refusal.value)


def test_what_is_within_the_law_passes() -> None:
    for act in (
        NUDGE, VETO, replace(VETO, target="@@107"), replace(VETO, target="@PURR/USDC"),
        replace(VETO, target="reversal"),
        replace(NUDGE, actor="curator:data", value=-0.15), replace(NUDGE, actor="curator:regime", value=-0.075),
        replace(VETO, actor="curator:data"),
    ):  # fmt: skip
        assert check_act(act, POWERS, SUBJECTS) is act
        lift = replace(act.named(), act_id="", actor="ann", kind="lift", value=0.0, revokes=act.named().act_id)
        if act.actor != "curator:data":
            assert check_act(lift, POWERS, SUBJECTS, [act.named()]) is lift


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"value": 0.0501}, "within -0.05 and 0.05"),
        ({"value": 0.0}, "not 0"),
        ({"value": math.nan}, "a nudge of nan"),
        ({"value": math.inf}, "a nudge of inf"),
        ({"actor": "curator:regime", "value": -0.1}, "within -0.075"),
        ({"actor": "curator:regime", "kind": "veto", "value": 0.0}, "it has none"),
        ({"actor": "curator:nobody"}, "one of curator:data"),
        ({"actor": "allocator"}, "name of a person"),
        ({"actor": ""}, "name of a person"),
        ({"actor": "a:b"}, "without a colon"),
        ({"actor": "ann\u202eb"}, "name of a person"),
        ({"kind": "promote"}, "kind 'promote'"),
        ({"target": "momentum@BTC"}, "of a whole detector only"),
        ({"target": "nosuch"}, "detector 'nosuch'"),
        ({"target": "@DOGE", "kind": "veto", "value": 0.0}, "coin 'DOGE'"),
        ({"target": ""}, "no target"),
        ({"kind": "veto"}, "0 but for a nudge"),
        ({"reason": " "}, "a reason of 1 characters"),
        ({"reason": "x" * 401}, "a reason of 401"),
        ({"reason": "a\nb"}, "all printable"),
        ({"evidence_ref": "x" * 129}, "evidence_ref"),
        ({"day": "10.1.2026"}, "YYYY-MM-DD"),
        ({"from_day": "2026-1-12"}, "YYYY-MM-DD"),
        ({"until_day": "9999-12-31"}, "YYYY-MM-DD"),
        ({"from_day": "2026-01-11"}, "2026-01-12 or one of the 30 days after"),
        ({"from_day": "2026-02-12", "until_day": "2026-02-13"}, "one of the 30 days after"),
        ({"until_day": "2026-02-12"}, "1 to 30"),
        ({"until_day": "2026-01-12"}, "1 to 30"),
        ({"revokes": "a" * 32}, "only a lift does"),
    ],
)  # fmt: skip
def test_what_is_not_is_refused(change: dict[str, object], words: str) -> None:
    assert words in faults(replace(NUDGE, **change))  # type: ignore[arg-type]


def test_every_reason_is_said_at_once() -> None:
    said = faults(replace(NUDGE, actor="", value=3.0, target="nosuch", reason="", from_day=DAY, revokes="x"))
    for words in ("name of a person", "a nudge of 3", "nosuch", "a reason", "one of the 30 days", "only a lift"):
        assert words in said


def test_nobody_lifts_what_must_stand_or_does_not() -> None:
    data, own = replace(VETO, actor="curator:data").named(), VETO.named()
    lift = replace(VETO, kind="lift", revokes=own.act_id)
    assert "nobody lifts" in faults(replace(lift, revokes=data.act_id), data)
    assert "no act" in faults(lift)
    assert "is lifted already" in faults(lift, own, replace(lift, reason="before").named())
    assert "no act" in faults(replace(lift, revokes=lift.named().act_id), lift.named())
    late = replace(lift, day="2026-02-20", from_day="2026-02-22", until_day="2026-02-23")
    assert "ends on 2026-02-11 by itself" in faults(late, own)
    assert "acts of its own only" in faults(replace(lift, actor="curator:data"), own)


days = st.integers(0, 70).map(lambda k: next_day(DAY, k))


@given(
    actor=st.sampled_from(["ann", "curator:data", "curator:regime", "x:y", ""]),
    kind=st.sampled_from([*CurationKind, "other"]),
    value=st.floats(-0.3, 0.3) | st.just(0.0),
    target=st.sampled_from(["momentum", "@BTC", "momentum@@107", "x", "@", ""]) | st.text(max_size=8),
    from_day=days,
    until_day=days,
)
def test_no_act_that_passes_is_beyond_a_bound(
    actor: str, kind: str, value: float, target: str, from_day: str, until_day: str
) -> None:
    act = CurationAct("", "main", DAY, actor, kind, target, value, "why", "", from_day, until_day)
    try:
        check_act(act, POWERS, SUBJECTS)
    except ConfigError:
        return
    cap = POWERS[actor].cap if actor in POWERS else 0.05
    assert abs(value) <= cap
    assert (value == 0.0) == (kind == "veto")
    assert next_day(DAY, 2) <= from_day < until_day <= next_day(from_day, MOST_DAYS)
    detector, coin = parts_of(target)
    assert detector or coin
    assert detector in ("", *SUBJECTS.detectors)
    assert coin in ("", *SUBJECTS.assets)
