"""The registry lists every curator once with what it may do; each keeps the laws of the suite on any facts."""

import math
from dataclasses import replace

import pytest
from check_curator import COINS, COLUMNS, DAY, NAMES, check_curator, honest_facts
from hypothesis import given
from hypothesis import strategies as st

from lotus.curation.facts import NightFacts
from lotus.curation.feed_health import DECIMALS, LAG, MID, FeedDay
from lotus.curation.law import REFIT
from lotus.curation.likeness import Likeness
from lotus.curation.registry import SIG, CuratorRole, all_curators, powers
from lotus.decision.curators import Nudge, curate
from lotus.decision.policy.policy import shipped_policy
from lotus.trading.plan.curators import CURATORS

shares = st.floats(0.0, 1.0)
optional = st.none() | shares


@st.composite
def any_facts(draw: st.DrawFn) -> NightFacts:
    """A night on which anything may have happened."""
    facts = honest_facts()
    detectors = [
        replace(
            d,
            reads=frozenset(draw(st.sets(st.sampled_from(COLUMNS)))),
            stage=draw(st.sampled_from(["experimental", "active", "deprecated"])),
            sq_score=draw(optional),
            matured_days=draw(st.integers(0, 20)),
            fragilities=draw(st.lists(shares, max_size=4)),
            missing=draw(st.lists(st.sampled_from(["its lineage", "x" * 500]), max_size=2)),
        )
        for d in facts.detectors
    ]
    nulls = {(c, n): draw(shares) for c in COINS for n in COLUMNS if draw(st.booleans())}
    values = {(c, s): draw(st.floats(0.0, 1e6)) for c in COINS for s in (MID, LAG, DECIMALS) if draw(st.booleans())}
    corr = st.floats(-1.0, 1.0)
    alike = [
        Likeness(a, b, r, abs(r) * draw(shares), 9)
        for a, b in (("basis", "drift"), ("basis", "range"), ("drift", "range"))
        if draw(st.booleans()) and math.isfinite(r := draw(corr))
    ]
    return replace(
        facts,
        detectors=detectors,
        feed=FeedDay(DAY, nulls, values),
        feed_before=facts.feed_before[: draw(st.integers(0, 28))],
        likenesses=alike,
        broken_hbar=draw(optional),
        broken_entrain=draw(optional),
        alarmed=draw(st.dictionaries(st.sampled_from(COLUMNS), st.sampled_from([DAY, "2026-01-16", "2026-01-10"]))),
        forbidden=draw(st.lists(st.sampled_from(["basis", "@BTC", "drift@ETH", "300s", "7s", "@", "nosuch", "0s"]))),
    )


@pytest.mark.parametrize("role", SIG, ids=lambda role: role.name)
def test_nobody_acts_without_a_cause(role: CuratorRole) -> None:
    assert role.judge is not None
    assert not role.judge(honest_facts(), 0.15)
    check_curator(role, honest_facts())
    unknown = replace(
        honest_facts(), detectors=[], feed=FeedDay(DAY, {}, {}), feed_before=[], likenesses=[], broken_hbar=None,
        broken_entrain=None,
    )  # fmt: skip
    assert not role.judge(unknown, 0.15)


@pytest.mark.parametrize("role", SIG, ids=lambda role: role.name)
@given(facts=any_facts())
def test_every_curator_keeps_the_laws(role: CuratorRole, facts: NightFacts) -> None:
    check_curator(role, facts)


def test_all_fifteen_are_listed_with_what_they_may_do() -> None:
    found = all_curators()
    assert len(found) == len({(c.module, c.name) for c in found}) == 15
    assert {c.name for c in found if c.module == "sig" and not c.vetoes} == {"regime", "mutation"}
    assert {c.name for c in found if c.module == "dm"} == {"risk", "compliance", "overlay"}
    assert [(c.name, c.vetoes, c.cap) for c in found if c.module == "tr"] == [
        (c.name, c.vetoes, c.weight) for c in CURATORS
    ]
    assert all(0.0 <= c.cap <= 0.15 and c.kpi for c in found if c.module != "tr")
    assert set(powers()) == {REFIT, *(f"curator:{c.name}" for c in SIG)}
    assert NAMES


@given(logs=st.lists(st.floats(-5.0, 5.0), max_size=6), age=st.floats(0.0, 1e7), halted=st.sampled_from(["", "kill"]))
def test_the_curators_of_the_decision_maker_stay_within_their_roles(logs: list[float], age: float, halted: str) -> None:
    roles = {c.name: c for c in all_curators() if c.module == "dm"}
    wishes = [Nudge(f"p{k}", "BTC", log, "why") for k, log in enumerate(logs)]
    found = curate(
        COINS, shipped_policy(), halted=halted, allowed=dict.fromkeys(COINS, True), covariance_age_s=age, wishes=wishes
    )
    assert all(veto.curator == "compliance" and roles[veto.curator].vetoes for veto in found.vetoes)
    assert all(cut.curator == "risk" and 0.0 <= cut.factor <= 1.0 for cut in found.cuts)
    assert all(abs(log) <= roles["overlay"].cap + 1e-12 for _, log in found.nudges)
