"""The whole step of the decision-maker: what is held and believed, what inputs say, and one decision.

Views are calibrated, fused, budgeted and curated, and one problem is solved; the result says everything that led to it.
A coin without a live view may only be reduced, so is one that is vetoed; one that cannot be measured is left as it is
and takes its part of the caps. Pure: time is in the state, the order of inputs plays no part. The pieces are explained
in their own files; what is published of it is `ticket`.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import NormalDist
from typing import Final

import numpy as np

from lotus.decision.allocation.budgets import Budgets, budgets, latest_cues, stressed_coins
from lotus.decision.allocation.covariance import Covariance
from lotus.decision.allocation.problem import RELATIVE, Floats, Problem
from lotus.decision.allocation.relax import Allocation, Solve, allocate
from lotus.decision.allocation.solver import SOLVER_VERSION
from lotus.decision.alphas import AlphaInput, CueInput
from lotus.decision.book import CoinMarket, NotUsed, measured, problem_of
from lotus.decision.curators import Curation, Nudge, curate
from lotus.decision.fusion import Blend, Correlations, Fused, fuse
from lotus.decision.intelligence import dm_capacity_risk, dm_fuse_quality
from lotus.decision.knowledge.calibration import DmAlpha, ScoreCalibration
from lotus.decision.knowledge.claims import Slopes, heard
from lotus.decision.knowledge.feedback import DecisionMemory, authority_weights
from lotus.decision.knowledge.plan_terms import PlanTerm
from lotus.decision.policy.policy import Policy
from lotus.decision.urgency import Asymmetry, asymmetry_of
from lotus.errors import ConfigError

BOUND_SHARE: Final = 0.1  # of a move: how far the trader may end from its target
CUE_AGE_MS: Final = 60_000  # an older cue counts as missing
CuesByCoin = dict[str, tuple[CueInput, ...]]
_NORMAL: Final = NormalDist()


@dataclass(frozen=True, slots=True)
class AccountMandate:
    """What an account may do: coins (empty = all), executors (`venue:strategy`), its own caps in weights."""

    account_id: str
    executors: tuple[str, ...]
    gross: float
    turnover_day: float
    coins: tuple[str, ...] = ()

    def allows(self, coin: str) -> bool:
        """Return whether the account may trade a coin."""
        return not self.coins or coin in self.coins


@dataclass(frozen=True, slots=True)
class DecisionState:
    """What the decision-maker knows at `asof_ms`.

    `positions` are signed USD by coin; `drawdown_sigmas` how far equity is below its peak, in deviations of the book;
    `ratchet` whether the brake held before; `turnover_used` of the day, in weights; `halted` why nothing may be opened.
    `slopes` is how far claims of braids count. `policy` is the one in force, its knobs already multiplied
    (`Policy.with_knobs`).
    """

    branch: str
    portfolio_id: str
    asof_ms: int
    equity_usd: float
    positions: Mapping[str, float]
    markets: Mapping[str, CoinMarket]
    covariance: Covariance
    calibration: ScoreCalibration
    memory: DecisionMemory
    policy: Policy
    authority: AccountMandate
    correlations: Correlations = field(default_factory=dict)
    slopes: Slopes = field(default_factory=dict)
    drawdown_sigmas: float = 0.0
    ratchet: bool = False
    turnover_used: float = 0.0
    halted: str = ""
    priors_ver: str = ""
    terms: tuple[PlanTerm, ...] = ()

    def __post_init__(self) -> None:
        numbers = (self.equity_usd, self.drawdown_sigmas, self.turnover_used, *self.positions.values())
        if not all(math.isfinite(x) for x in numbers) or self.equity_usd <= 0.0:
            raise ConfigError(f"equity {self.equity_usd}, positions {dict(self.positions)}", "positive equity, numbers")


@dataclass(frozen=True, slots=True)
class Target:
    """One coin of the book: where it shall be, where it is, and the range in which the trader may leave it.

    Weights over equity; `mu_bps` what is expected of it over the horizon, `binding` the cap of its own that holds it
    back, if any. `trigger` is the expression under which its heaviest view proposes to enter, "" = at once. `terms` are
    those in force of the source whose view is the largest part of what is expected. `asymmetry` is that of the coin,
    None where no cue measured it.
    """

    coin: str
    weight: float
    held: float
    low: float
    high: float
    notional_usd: float
    mu_bps: float
    trigger: str
    terms: tuple[PlanTerm, ...] = ()
    asymmetry: Asymmetry | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Everything that was decided and why. `horizon_s` is the longest of the live views."""

    state: DecisionState
    horizon_s: int
    valid_until_ms: int
    confidence: float
    targets: tuple[Target, ...]
    alphas: tuple[DmAlpha, ...]
    fused: tuple[Fused, ...]
    budgets: Budgets
    curation: Curation
    allocation: Allocation | None
    executors: tuple[tuple[str, float], ...]
    fuse_quality: float | None
    capacity_risk: float
    not_used: tuple[NotUsed, ...]
    optimiser: str = SOLVER_VERSION

    @property
    def trades(self) -> bool:
        """Return whether any position shall move."""
        return any(t.weight != t.held for t in self.targets)


@dataclass(frozen=True, slots=True)
class _LiveViews:
    """The views that count, calibrated and fused, and why the others do not."""

    alphas: tuple[DmAlpha, ...]
    fused: tuple[Fused, ...]
    unused: tuple[NotUsed, ...]
    horizon_s: int


def decide(
    state: DecisionState, views: Iterable[AlphaInput], cues: Iterable[CueInput], wishes: Iterable[Nudge], solve: Solve
) -> Decision:
    """Return the decision at `state.asof_ms`; `solve` is `FastSolver().solve` or the specification's."""
    live = _live_views(state, views)
    held = [coin for coin, usd in state.positions.items() if usd]
    coins = sorted({*held, *(f.coin for f in live.fused)})
    cues = tuple(cues)
    recent = latest_cues(cues, state.asof_ms, CUE_AGE_MS)
    stressed = stressed_coins(cues, state.asof_ms, CUE_AGE_MS)
    limits = _limits(state, live, recent, stressed)
    curation = curate(
        coins, state.policy, halted=_halted(state), allowed={c: state.authority.allows(c) for c in coins},
        covariance_age_s=(state.asof_ms - state.covariance.asof_ms) / 1000.0, wishes=wishes,
        stressed=stressed,
    )  # fmt: skip
    book, frozen = measured(coins, state.positions, state.markets, state.covariance, state.equity_usd, live.horizon_s)
    problem = (
        problem_of(book, live.fused, limits, curation, state.policy, state.authority.gross) if book.coins else None
    )
    allocation = allocate(problem, solve, state.policy.caps.turnover_relaxed) if problem else None
    weights = allocation.weights if allocation else np.zeros(0)
    targets = _targets(state, problem, weights, live, recent) if problem else ()
    return Decision(
        state=state,
        horizon_s=live.horizon_s,
        valid_until_ms=_valid_until(state, targets, live),
        confidence=_confidence(allocation),
        targets=targets,
        alphas=live.alphas,
        fused=live.fused,
        budgets=limits,
        curation=curation,
        allocation=allocation,
        executors=authority_weights(state.memory, state.authority.executors, state.policy.executors),
        fuse_quality=dm_fuse_quality(live.fused),
        capacity_risk=dm_capacity_risk(book.capacity(weights, state.policy)) if allocation else 0.0,
        not_used=tuple(sorted((*live.unused, *frozen), key=lambda u: (u.what, u.reason))),
    )


def _live_views(state: DecisionState, views: Iterable[AlphaInput]) -> _LiveViews:
    alphas, unused = calibrated(state, views)
    fused = fuse(alphas, state.correlations, state.policy.fusion)
    horizon = max((f.horizon_s for f in fused), default=state.policy.horizons.hold_s)
    return _LiveViews(alphas, fused, tuple(unused), horizon)


def _limits(state: DecisionState, live: _LiveViews, recent: CuesByCoin, stressed: Collection[str]) -> Budgets:
    limits = budgets(
        recent, [f.coin for f in live.fused], state.policy,
        horizon_s=live.horizon_s, drawdown_sigmas=state.drawdown_sigmas, ratchet=state.ratchet,
        turnover_used=state.turnover_used, stressed=stressed,
    )  # fmt: skip
    left = max(state.authority.turnover_day - state.turnover_used, 0.0)
    return replace(limits, turnover=min(limits.turnover, left))


def calibrated(state: DecisionState, views: Iterable[AlphaInput]) -> tuple[tuple[DmAlpha, ...], list[NotUsed]]:
    """Return the live views as calibrated alphas in natural order, and why the others are none; events count once."""
    alphas: dict[tuple[str, str], DmAlpha] = {}
    unused: list[NotUsed] = []
    for view in sorted(views, key=lambda v: (v.coin, v.horizon_s, v.source, v.event_id, v.score, v.sign)):
        reason = _not_live(state, view)
        if (view.source, view.event_id) in alphas or reason:
            unused.append(NotUsed(view.event_id, reason or "told twice"))
            continue
        reliability = state.memory.reliability(view.source, view.horizon_s, state.policy)
        alpha = state.calibration.alpha(view, reliability, state.asof_ms)
        if alpha is None:
            unused.append(NotUsed(view.event_id, f"{view.source} has no past at {view.horizon_s} s"))
        else:
            alphas[(view.source, view.event_id)] = heard(alpha, view, state.slopes, state.asof_ms)
    return tuple(alphas.values()), unused


def _not_live(state: DecisionState, view: AlphaInput) -> str:
    if not view.window_end_ms <= state.asof_ms < view.valid_until_ms:
        return "not live any more" if view.window_end_ms <= state.asof_ms else "of the future"
    return "" if view.coin in state.markets else f"no market in {view.coin}"


def _halted(state: DecisionState) -> str:
    if state.halted:
        return state.halted
    return "" if state.authority.executors else "no executor has authority"


def _valid_until(state: DecisionState, targets: Sequence[Target], live: _LiveViews) -> int:
    """Return the end of the first view that a move rests on; the horizon's end when no move rests on any."""
    ends = {(a.source, a.event_id): a.valid_until_ms for a in live.alphas}
    moving = {t.coin for t in targets if t.weight != t.held}
    used = [
        ends[(p.source, p.event_id)] for f in live.fused if f.coin in moving for p in f.parts if p.weight * p.mu_bps
    ]
    return min(used, default=state.asof_ms + 1000 * live.horizon_s)


def _confidence(allocation: Allocation | None) -> float:
    """Return the probability that the book gains over its horizon, were expectations true: Phi(mu'w / risk)."""
    if allocation is None or allocation.risk_bps <= 0.0:
        return 0.5
    return _NORMAL.cdf(allocation.expected_bps / allocation.risk_bps)


def _targets(
    state: DecisionState, problem: Problem, weights: Floats, live: _LiveViews, recent: CuesByCoin
) -> tuple[Target, ...]:
    triggers = {(a.source, a.event_id): a.triggers for a in live.alphas}
    made: list[Target] = []
    for k, coin in enumerate(problem.coins):
        weight, held = float(weights[k]), float(problem.w0[k])
        first = _leading(coin, weight, live)
        proposed = triggers[(first.source, first.event_id)] if first is not None else ()
        slack = BOUND_SHARE * abs(weight - held) if abs(weight - held) > RELATIVE else 0.0
        made.append(
            Target(
                coin=coin,
                weight=weight,
                held=held,
                low=max(weight - slack, min(float(problem.lower[k]), weight)),
                high=min(weight + slack, max(float(problem.upper[k]), weight)),
                notional_usd=weight * state.equity_usd,
                mu_bps=float(problem.mu[k]),
                trigger=next(iter(proposed), ""),
                terms=_terms_of(state, first),
                asymmetry=asymmetry_of(recent.get(coin, ())),
            )
        )
    return tuple(made)


def _leading(coin: str, weight: float, live: _LiveViews) -> Blend | None:
    """Return the largest part of a coin's view, None where the target goes against it: its terms would not fit."""
    parts = [part for fused in live.fused if fused.coin == coin for part in fused.parts]
    first = max(parts, key=lambda p: (abs(p.weight * p.mu_bps), p.source, p.event_id), default=None)
    return None if first is None or weight * first.mu_bps <= 0.0 else first


def _terms_of(state: DecisionState, first: Blend | None) -> tuple[PlanTerm, ...]:
    """Return the terms in force of the part that leads a coin's view."""
    if first is None:
        return ()
    return tuple(t for t in state.terms if (t.source, t.horizon_s) == (first.source, first.horizon_s))
