"""The policy of a window in a trial: only the draw moves the knob that is tried."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples
from states import POSITIONS, SOURCES, VIEWS, decided, desk

from lotus.decision.allocation.problem import RELATIVE
from lotus.decision.alphas import AlphaInput
from lotus.decision.book import measured, problem_of
from lotus.decision.policy.experiments import (
    tried_knobs,
)
from lotus.decision.policy.in_force import policy_in_force
from lotus.decision.policy.policy import shipped_policy
from lotus.knobs.experiment import FAIR, KnobExperiment
from lotus.manifest import WeaveDefaults
from lotus.priors.types import ActiveBraid, Knob, Patch, Rule, priors_0, priors_version

WEAVE = WeaveDefaults()
POLICY = shipped_policy()
TRIED = tried_knobs(POLICY, WEAVE.phi_step)
PENALTY, FLOOR = "policy:turnover_penalty", "policy:orthogonality_floor"


def test_in_a_trial_only_the_draw_moves_the_knob_that_is_tried() -> None:
    braids = tuple(
        ActiveBraid(
            key, "micro", POLICY.owner_of(key.removeprefix("policy:")), 60, Rule(),
            Patch(knobs=(Knob(key, 1.04),)), scope="dm",
        )
        for key in TRIED
    )  # fmt: skip
    version, bins = priors_version("main", 0, braids), [0] * 12
    for arm, penalty in ((0, 1.0), (1, 1.06)):
        found = policy_in_force(POLICY, version, bins, 5, WEAVE, KnobExperiment(PENALTY, arm, FAIR, 1.06))
        assert found.soft.turnover_penalty == pytest.approx(penalty)
        assert found.fusion.orthogonality_floor == pytest.approx(0.6 * 1.04), "the other braid acts"
    assert policy_in_force(POLICY, priors_0("main"), bins, 5, WEAVE, KnobExperiment(PENALTY, 0, FAIR, 1.06)) is POLICY


@settings(max_examples=examples(40), deadline=None)
@given(POSITIONS, VIEWS, st.sampled_from(TRIED))
def test_a_moved_knob_breaks_no_cap_and_touches_no_promise(
    positions: dict[str, float], views: list[AlphaInput], key: str
) -> None:
    correlations = {(a, b): 0.62 for a in SOURCES for b in SOURCES if a < b}
    state = desk(positions=positions, correlations=correlations)
    moved = replace(state, policy=state.policy.with_knobs({key: WEAVE.phi_step}))
    start, told = decided(state, views), decided(moved, views)
    assert told.alphas == start.alphas, "what each view promises is the same"
    assert (told.horizon_s, [t.coin for t in told.targets]) == (start.horizon_s, [t.coin for t in start.targets])
    if key == PENALTY:
        assert told.fused == start.fused
        assert [t.mu_bps for t in told.targets] == [t.mu_bps for t in start.targets], "costs move no expectation"
    if told.allocation is None:
        return
    book, _ = measured(
        list(told.allocation.coins), positions, moved.markets, moved.covariance, moved.equity_usd, told.horizon_s
    )
    problem = problem_of(book, told.fused, told.budgets, told.curation, moved.policy, moved.authority.gross)
    loosened = {r.cap for r in told.allocation.relaxations}
    excess = problem.excess(told.allocation.weights)
    assert all(value <= RELATIVE for name, value in excess.items() if name not in loosened)
