"""What the four curators say, who abstains, and that only risk can veto."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trading_plans import plan

from lotus.curation.registry import all_curators
from lotus.trading.plan.curators import CURATORS, RISK, CuratorFacts, Judgement, combined, verdict

D = Decimal
GOOD = CuratorFacts(D(100_000), D(10_000), fill_prob=0.95, slippage_bps=5.0, venue_score=0.8)


def test_weights_and_thresholds_are_those_of_the_design() -> None:
    table = {c.name: (c.weight, c.threshold) for c in CURATORS}
    assert table == {"execution": (0.3, 0.7), "venue": (0.25, 0.6), "risk": (0.2, 0.8), "position": (0.25, 0.75)}
    assert sum(c.weight for c in CURATORS) == pytest.approx(1.0)


def test_a_good_plan_is_approved_with_the_scores_by_hand() -> None:
    found = verdict(plan(), GOOD)
    assert found.approved
    assert found.objections == ()
    scores = {j.curator.name: j.score for j in found.judgements}
    assert scores == pytest.approx({"execution": 0.9, "venue": 0.8, "risk": 0.99, "position": 0.98})
    assert found.score == pytest.approx(0.3 * 0.9 + 0.25 * 0.8 + 0.2 * 0.99 + 0.25 * 0.98)
    assert found.threshold == pytest.approx(0.7075)


def test_who_knows_nothing_abstains_and_does_not_stand_in_the_way() -> None:
    found = verdict(plan(), CuratorFacts(D(100_000), D(10_000)))
    assert [j.score is None for j in found.judgements] == [True, True, False, False]
    assert found.approved


def test_risk_vetoes_and_the_others_are_outweighed_or_not() -> None:
    risky = verdict(plan(), CuratorFacts(D(100_000), D(400), fill_prob=1.0, slippage_bps=0.0, venue_score=1.0))
    assert [o.split(":")[0] for o in risky.objections] == ["risk", "position"]
    assert not risky.approved
    slow = verdict(plan(), CuratorFacts(D(100_000), D(10_000), fill_prob=0.9, slippage_bps=3.0, venue_score=0.5))
    assert [o.split(":")[0] for o in slow.objections] == ["venue"]
    assert slow.approved
    dear = verdict(plan(), CuratorFacts(D(100_000), D(10_000), fill_prob=0.9, slippage_bps=49.0, venue_score=0.6))
    assert not dear.approved
    assert not verdict(plan(stop_px=None), GOOD).approved


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), min_size=4, max_size=4))
def test_a_verdict_lies_between_the_judgements(scores: list[float | None]) -> None:
    judged = [Judgement(c, s, "") for c, s in zip(CURATORS, scores, strict=True)]
    found = combined(judged)
    spoke = [s for s in scores if s is not None]
    assert min(spoke, default=0.0) - 1e-12 <= found.score <= max(spoke, default=0.0) + 1e-12
    if all(s is None or s >= j.curator.threshold for s, j in zip(scores, judged, strict=True)):
        assert found.approved
    if any(j.objects for j in judged if j.curator is RISK):
        assert not found.approved


@given(
    known=st.tuples(*[st.one_of(st.none(), st.floats(0.0, 1.0))] * 2, st.one_of(st.none(), st.floats(-5.0, 200.0))),
    equity=st.integers(0, 100_000), held=st.integers(0, 10_000_000),
)  # fmt: skip
def test_the_curators_of_the_trader_judge_within_their_roles(
    known: tuple[float | None, float | None, float | None], equity: int, held: int
) -> None:
    fill, venue, slippage = known
    asked, facts = plan(), CuratorFacts(D(100_000), D(equity), D(held), fill, slippage, venue)
    found = verdict(asked, facts)
    assert asked == plan()
    assert verdict(asked, facts) == found
    roles = {c.name: c for c in all_curators() if c.module == "tr"}
    assert [(j.curator.name, j.curator.weight) for j in found.judgements] == [(r.name, r.cap) for r in roles.values()]
    assert all(j.score is None or 0.0 <= j.score <= 1.0 for j in found.judgements)
    assert all(j.objects == (j.score is not None and j.score < j.curator.threshold) for j in found.judgements)
    vetoed = any(j.objects and roles[j.curator.name].vetoes for j in found.judgements)
    assert found.approved == (not vetoed and found.score >= found.threshold)
