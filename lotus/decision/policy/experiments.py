"""Experiments on the policy's knobs: what a window's decision shows of the knob it tried, and what the market paid.

A window in an experiment is decided with one knob at the value of the policy's file (arm 0) or a step above (arm 1). Of
arm 1 the decision that the knob at its start would have made is known too, so that both arms have the same covariate m,
the value of that other decision: f = (A - p)(Y - m) is 0 in arm 0, the market's common noise is out, and E[f] =
p(1-p)(V1 - V0) holds whatever m is, for p is known. A row is what was known when the window was decided; its value
comes from mids at that time and a horizon later. `lotus.knobs.experiment` says which knob is tried when. Nothing is
decided or read here. In the literature: randomised controlled experiment, control variates.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from lotus.decision.allocation.problem import BPS, Floats
from lotus.decision.book import CoinMarket
from lotus.decision.decide import Decision
from lotus.decision.knowledge.nightly import Mids
from lotus.decision.policy.policy import KNOBS, PREFIX, Policy
from lotus.knobs.experiment import KnobExperiment
from lotus.knobs.rows import Observation

SOURCE: Final = "tape_sim"  # entered and left against the tape: grade B at best


@dataclass(frozen=True, slots=True)
class ExperimentLeg:
    """One coin of a decision in an experiment, in weights: held before, as decided, with the tried knob at its start.

    `cost_bps` is what changing the weight by one costs: taker fee and half the spread at the decision.
    """

    coin: str
    held: float
    weight: float
    start: float
    cost_bps: float


@dataclass(frozen=True, slots=True)
class PolicyExperiment:
    """One window of a book in the experiment on a knob of the policy, as it was known when the window was decided.

    `name` is the decision's, `time_ms` its event time, `horizon_s` that of the decision with the knob at its start,
    `context` the market's bins as text. `legs` are the coins that could be measured, the same in both arms.
    """

    name: str
    portfolio_id: str
    window_end_ms: int
    time_ms: int
    horizon_s: int
    owner: str
    context: str
    priors_ver: str
    trial: KnobExperiment
    legs: tuple[ExperimentLeg, ...]

    @property
    def matures_ms(self) -> int:
        """Event time at which its value is known."""
        return self.time_ms + 1000 * self.horizon_s


def tried_knobs(policy: Policy, step: float) -> tuple[str, ...]:
    """Return the keys of the knobs that a step above their start does not take out of their range, by rising name.

    >>> from lotus.decision.policy.policy import shipped_policy
    >>> tried_knobs(shipped_policy(), 1.06), tried_knobs(shipped_policy(), 1.5)
    (('policy:orthogonality_floor', 'policy:turnover_penalty'), ('policy:turnover_penalty',))
    """
    starts = {name: float(getattr(getattr(policy, KNOBS[name]), name)) for name, _ in policy.knobs}
    return tuple(PREFIX + name for name, bounds in policy.knobs if bounds.low <= starts[name] * step <= bounds.high)


def experiment_row(
    name: str, window_end_ms: int, trial: KnobExperiment, context: str, decision: Decision, start: Decision
) -> PolicyExperiment:
    """Return the row of a window: `decision` is what was decided, `start` the same with the tried knob at its start."""
    state = decision.state
    weights = {target.coin: target.weight for target in start.targets}
    legs = tuple(
        ExperimentLeg(t.coin, t.held, t.weight, weights[t.coin], cost_bps(state.policy, state.markets[t.coin]))
        for t in decision.targets
    )
    owner = state.policy.owner_of(trial.key.removeprefix(PREFIX))
    return PolicyExperiment(
        name=name,
        portfolio_id=state.portfolio_id,
        window_end_ms=window_end_ms,
        time_ms=state.asof_ms,
        horizon_s=start.horizon_s,
        owner=owner,
        context=context,
        priors_ver=state.priors_ver,
        trial=trial,
        legs=legs,
    )


def cost_bps(policy: Policy, market: CoinMarket) -> float:
    """Return what trading a coin costs one way, in bps of what is traded: taker fee and half the spread."""
    return policy.soft.fee_bps + market.spread_bps / 2.0


def value_bps(weights: Floats, held: Floats, returns_bps: Floats, costs_bps: Floats) -> float:
    """Return V(w) = sum_c [w_c r_c - k_c |w_c - w0_c| - k_c |w_c|] in bps of equity, all f8 [n] over coins.

    `weights` w and `held` w0 are over equity, `returns_bps` r over the decision's horizon, `costs_bps` k of one way.
    The book goes from w0 to w at once and is left at the horizon's end, both at the tape's mids and these costs.

    >>> value_bps(np.array([0.2]), np.array([0.1]), np.array([30.0]), np.array([5.0]))
    4.5
    """
    traded = np.abs(weights - held) + np.abs(weights)
    return float(weights @ returns_bps - costs_bps @ traded)


def observation_of(row: PolicyExperiment, mids: Mids, max_age_ms: int) -> Observation:
    """Return the outcome of a row; `mids` are, by coin, rising ends i8 [n] and finite mids f8 [n] of its frames.

    The outcome is NaN when a coin of the decision has no frame that closed within `max_age_ms` before either end, in
    either arm alike, so that what is measured does not depend on the side that was drawn.
    """
    moved = _returns_bps(row, mids, max_age_ms)
    held, decided, start, costs = _columns(row.legs)
    return Observation(
        name=row.name,
        owner=row.owner,
        coin=row.portfolio_id,
        horizon_s=row.horizon_s,
        time_ms=row.matures_ms,
        context=row.context,
        arm=row.trial.arm,
        propensity=row.trial.propensity,
        outcome_bps=value_bps(decided, held, moved, costs),
        source=SOURCE,
        expected_bps=value_bps(start, held, moved, costs),
    )


def mid_at(mids: Mids, coin: str, time_ms: int, max_age_ms: int) -> float:
    """Return the mid of the last frame that closed at or before a time, NaN when that is older than `max_age_ms`.

    >>> frames = {"BTC": (np.array([200, 400]), np.array([10.0, 11.0]))}
    >>> mid_at(frames, "BTC", 399, 1000), mid_at(frames, "BTC", 5_000, 1000), mid_at(frames, "ETH", 400, 1000)
    (10.0, nan, nan)
    """
    ends, values = mids.get(coin, (np.zeros(0, dtype=np.int64), np.zeros(0)))
    last = int(np.searchsorted(ends, time_ms, side="right")) - 1
    return float(values[last]) if last >= 0 and time_ms - int(ends[last]) <= max_age_ms else math.nan


def _returns_bps(row: PolicyExperiment, mids: Mids, max_age_ms: int) -> Floats:
    ends = (row.time_ms, row.matures_ms)
    before, after = (np.array([mid_at(mids, leg.coin, at_ms, max_age_ms) for leg in row.legs]) for at_ms in ends)
    moved: Floats = BPS * (after - before) / before
    return moved


def _columns(legs: tuple[ExperimentLeg, ...]) -> tuple[Floats, Floats, Floats, Floats]:
    """Return held, decided and start weights and costs, f8 [n] each."""
    columns = np.array([(leg.held, leg.weight, leg.start, leg.cost_bps) for leg in legs], dtype=np.float64)
    held, decided, start, costs = columns.reshape(-1, 4).T.copy()
    return held, decided, start, costs
