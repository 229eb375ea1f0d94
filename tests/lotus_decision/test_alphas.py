"""Ingestion: valid payloads become inputs, every fault is named, and several faults are all told."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from payloads import NOW_MS, cues, det_alpha, hint, sigbus

from lotus.decision.alphas import AlphaContext, AlphaInput, CueInput, InputFault, InputFilter, InputRefusal, ingest
from lotus.decision.policy.policy import HorizonRule
from lotus.modules.signals import check_signal

INPUT_FILTER = InputFilter("main", frozenset({"BTC", "ETH"}), HorizonRule(5, 86_400, 3600))
AT_ONCE = AlphaContext("thread", NOW_MS + 200)


def faults(payload: dict[str, Any], delivery: AlphaContext = AT_ONCE) -> list[tuple[InputFault, str]]:
    """The faults of a payload and their members."""
    found = ingest(payload, delivery, INPUT_FILTER)
    assert isinstance(found, InputRefusal), found
    return [(r.fault, r.member) for r in found.reasons]


def test_the_payloads_of_these_tests_are_valid() -> None:
    check_signal(det_alpha())
    check_signal(cues())


def test_a_directional_signal_becomes_an_input() -> None:
    assert ingest(det_alpha(), AlphaContext("thread", NOW_MS + 200, "EU"), INPUT_FILTER) == AlphaInput(
        source="det:imbalance@2", coin="BTC", horizon_s=300, sign=-1, score=0.3, event_id="ab" * 16,
        lifecycle_id="thread", window_end_ms=NOW_MS, valid_until_ms=NOW_MS + 300_000, regime="EU",
        triggers=("touch(level=prev_high)",),
    )  # fmt: skip


def test_claims_of_fired_braids_are_heard_and_checked() -> None:
    claims = [{"braid_id": "a", "claim_bps": 2.5, "level": 0}, {"braid_id": "b", "claim_bps": -1.0, "level": 2}]
    found = ingest(det_alpha(claims=claims), AT_ONCE, INPUT_FILTER)
    assert isinstance(found, AlphaInput)
    assert (found.claim_bps, found.claim_level) == (1.5, 2)
    assert faults(det_alpha(claims=[{"braid_id": "a"}])) == [(InputFault.BAD_VALUE, "claims")]
    assert faults(det_alpha(claims=[])) == [(InputFault.BAD_SCHEMA, "data")]


def test_a_hint_of_a_person_comes_through_the_same_filter() -> None:
    found = ingest(hint(), AT_ONCE, INPUT_FILTER)
    assert isinstance(found, AlphaInput)
    assert (found.source, found.kind, found.score, found.sign) == ("human:ada", "human", 0.4, 1)


def test_cues_have_no_direction_and_keep_only_what_was_measured() -> None:
    found = ingest(cues(), AT_ONCE, INPUT_FILTER)
    assert isinstance(found, CueInput)
    assert (found.kairos, found.entrain, found.asymmetry) == (0.7, None, 0.6)
    assert dict(found.components)["Z_OI"] == 2.5
    assert {"Z_C", "Z_U"}.isdisjoint(dict(found.components))
    assert not hasattr(found, "sign")


@pytest.mark.parametrize(
    ("payload", "fault", "member"),
    [
        (det_alpha(schema_ver="det-alpha-9"), InputFault.UNKNOWN_SCHEMA, "schema_ver"),
        (det_alpha(branch="backfill-3"), InputFault.WRONG_BRANCH, "branch"),
        (det_alpha(asset="DOGE"), InputFault.UNKNOWN_COIN, "asset"),
        (det_alpha(horizon_s=2), InputFault.BAD_HORIZON, "horizon_s"),
        (det_alpha(asof_ts="2025-09-04T15:34:25.000Z"), InputFault.FROM_FUTURE, "asof_ts"),
        (det_alpha(asof_ts="2025-09-04T15:23:25.000Z"), InputFault.EXPIRED, "horizon_s"),
        (det_alpha(asof_ts="yesterday"), InputFault.BAD_VALUE, "asof_ts"),
        (det_alpha(strength=float("nan")), InputFault.BAD_VALUE, "strength"),
        (det_alpha(curated_sigma=1.5), InputFault.BAD_VALUE, "curated_sigma"),
        (det_alpha(direction=0), InputFault.NO_DIRECTION, "direction"),
        (det_alpha(direction=True), InputFault.BAD_VALUE, "direction"),
        (det_alpha(suggested_triggers="touch"), InputFault.BAD_VALUE, "suggested_triggers"),
        (det_alpha(direction=1), InputFault.BAD_SCHEMA, "data"),
        (det_alpha(side="long"), InputFault.BAD_SCHEMA, "data"),
        (cues(ms_kairos=2.0), InputFault.BAD_VALUE, "ms_kairos"),
        (cues(ms_asym_components={"Z_OI": -1.0}), InputFault.BAD_VALUE, "ms_asym_components.Z_OI"),
        (cues(direction=1), InputFault.BAD_SCHEMA, "data"),
        (hint(kind="oracle"), InputFault.BAD_VALUE, "kind"),
        (hint(conviction=-0.1), InputFault.BAD_VALUE, "conviction"),
        ({}, InputFault.UNKNOWN_SCHEMA, "schema_ver"),
    ],
)
def test_a_fault_is_named(payload: dict[str, Any], fault: InputFault, member: str) -> None:
    assert (fault, member) in faults(payload)


def test_a_message_outside_every_thread_is_refused() -> None:
    assert faults(det_alpha(), AlphaContext("", NOW_MS)) == [(InputFault.NO_LIFECYCLE, "lifecycle_id")]


@pytest.mark.parametrize("made", [det_alpha, cues, hint])
@given(st.data())
def test_all_faults_are_told_at_once(made: Any, data: st.DataObject) -> None:
    payload = made()
    not_read = {"schema_ver", "provenance", "card_ref", "pi", "det_sigma", "band_s", "signal", "priors_ver", "context"}
    needed = sorted(set(payload) - not_read)
    gone = data.draw(st.lists(st.sampled_from(needed), min_size=1, unique=True))
    for name in gone:
        del payload[name]
    told = faults(payload)
    assert {member for fault, member in told if fault is InputFault.MISSING} == set(gone)


def test_the_whole_record_is_the_same_input_when_it_was_published() -> None:
    check_signal(sigbus())
    short, whole = (
        ingest(det_alpha(suggested_triggers=[]), AT_ONCE, INPUT_FILTER),
        ingest(sigbus(), AT_ONCE, INPUT_FILTER),
    )
    assert isinstance(short, AlphaInput)
    assert isinstance(whole, AlphaInput)
    assert whole == replace(short, score=whole.score)
    assert whole.score == pytest.approx(short.score)
    assert faults(sigbus(published=False)) == [(InputFault.NOT_PUBLISHED, "publication.published")]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from([det_alpha, cues, hint]), st.data())
def test_whatever_a_member_holds_nothing_breaks(made: Any, data: st.DataObject) -> None:
    payload = made()
    for name in data.draw(st.lists(st.sampled_from(sorted(payload)), unique=True)):
        payload[name] = data.draw(JSON)
    assert isinstance(ingest(payload, AT_ONCE, INPUT_FILTER), AlphaInput | CueInput | InputRefusal)
