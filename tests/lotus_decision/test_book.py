"""Caps of the book are never broken."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples
from states import CUES, POSITIONS, VIEWS, decided, desk

from lotus.decision.allocation.problem import RELATIVE
from lotus.decision.alphas import AlphaInput, CueInput
from lotus.decision.book import measured, problem_of


@settings(max_examples=examples(80), deadline=None)
@given(POSITIONS, VIEWS, CUES, st.floats(0, 5), st.floats(0, 4))
def test_caps_are_never_broken(
    positions: dict[str, float], views: list[AlphaInput], cues: list[CueInput], drawdown: float, used: float
) -> None:
    state = desk(positions=positions, drawdown_sigmas=drawdown, turnover_used=used)
    found = decided(state, views, cues)
    if found.allocation is None:
        return
    assert found.allocation.status in ("optimal", "relaxed")
    book, _ = measured(
        list(found.allocation.coins), positions, state.markets, state.covariance, state.equity_usd, found.horizon_s
    )
    problem = problem_of(book, found.fused, found.budgets, found.curation, state.policy, state.authority.gross)
    loosened = {r.cap for r in found.allocation.relaxations}
    excess = problem.excess(found.allocation.weights)
    assert all(value <= RELATIVE for name, value in excess.items() if name not in loosened)
    w, sigma = found.allocation.weights, book.sigma
    total = float(np.sqrt(w @ sigma @ w))
    if total > 0.0:
        contributions = np.abs(w * (sigma @ w)) / total
        assert contributions.max() <= 0.20 * found.budgets.risk_bps * (1 + 1e-5)
    assert all(t.low <= t.weight <= t.high for t in found.targets)
