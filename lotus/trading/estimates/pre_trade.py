"""The pre-trade estimate of a plan when it is accepted: its features, a prediction, a hint and scores of its venues.

All of it comes from executions that had ended before; a plan is judged by it and never changed. Where too little is
known the prediction is neutral, and there is neither a hint nor a score. In the literature: pre-trade cost estimate.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from lotus.trading.estimates.executor_scores import TrackRecord
from lotus.trading.estimates.predictor import Features, Model, Prediction, RouteHint, predicted, route_hint
from lotus.trading.plan.knobs import ExecutionKnobs
from lotus.trading.plan.plan import BPS, Plan, Strategy
from lotus.trading.plan.validate import AccountState
from lotus.trading.plan.venue_choice import NO_HISTORY, VenueFacts, VenueScore, ranked


@dataclass(frozen=True, slots=True)
class VenueHistory:
    """What is known of a venue from executions that ended before `at_ms`: the model, and executors by strategy.

    `rest` is the model of entries at rest; `is_rest_heard`: its stored predictions were shown to know something.
    """

    at_ms: int = 0
    model: Model = field(default_factory=Model)
    executors: Mapping[str, TrackRecord] = field(default_factory=dict)
    rest: Model = field(default_factory=Model)
    is_rest_heard: bool = False


@dataclass(frozen=True, slots=True)
class PreTradeEstimate:
    """What stands in a plan's strand: a fit's time is `fitted_ms`; hint and scores are missing while nothing is known.

    `venues` are best first; `executor` is of the venue and the plan's strategy, None without a report. `rest` is
    whether it would be filled whole at rest, None where no fit says so.
    """

    features: Features
    prediction: Prediction
    fitted_ms: int
    route_hint: RouteHint | None = None
    venues: tuple[VenueScore, ...] = ()
    executor: TrackRecord | None = None
    rest: Prediction | None = None
    is_rest_heard: bool = False

    @property
    def forbids_rest(self) -> bool:
        """Whether the hint is against waiting, and is shown to know."""
        return self.is_rest_heard and self.route_hint in (RouteHint.CROSS, RouteHint.SLICE)

    @property
    def is_known(self) -> bool:
        """Whether the prediction comes from a fit."""
        return self.route_hint is not None

    @property
    def slippage_bps(self) -> float | None:
        """Median slippage in bps, None: unknown."""
        return middle(self.prediction.slippage_bps)

    @property
    def latency_ms(self) -> float | None:
        """Median latency, None: unknown."""
        return middle(self.prediction.latency_ms)


def middle(quantiles: tuple[float, ...] | None) -> float | None:
    """Return the median of predicted quantiles, None without any."""
    return None if quantiles is None else quantiles[len(quantiles) // 2]


def depth_within(plan: Plan, state: AccountState) -> Decimal:
    """Return the base units that are seen on the other side of the book within the plan's slippage of the mid."""
    if state.view is None:
        return Decimal(0)
    furthest = state.view.mid * (1 + int(plan.side) * plan.max_slippage_bps * BPS)
    reached = (size for px, size in state.levels.get(plan.side, ()) if (furthest - px) * int(plan.side) >= 0)
    return sum(reached, Decimal(0))


def features_of(plan: Plan, state: AccountState) -> Features | None:
    """Return what is known when a plan is accepted; None while depth or volatility was not seen."""
    depth, view = depth_within(plan, state), state.view
    if view is None or view.volatility_bps is None or depth <= 0:
        return None
    spread = float((view.ask - view.bid) / view.mid * 10_000)
    return Features(spread, float(plan.size / depth), float(view.volatility_bps), plan.side, Strategy(plan.strategy))


def pre_trade_estimate(
    plan: Plan, state: AccountState, history: VenueHistory, knobs: ExecutionKnobs
) -> PreTradeEstimate | None:
    """Return the pre-trade estimate of a plan without a fault; None while its features are not known."""
    features = features_of(plan, state)
    if features is None:
        return None
    prediction, executor = predicted(history.model, features), history.executors.get(plan.strategy)
    if history.model.centre is None:
        return PreTradeEstimate(features, prediction, history.at_ms, executor=executor)
    rest = None if history.rest.centre is None else predicted(history.rest, features)
    hint = route_hint(history.model, features, knobs, rest)
    venues: tuple[VenueScore, ...] = ()
    slippage, latency = middle(prediction.slippage_bps), middle(prediction.latency_ms)
    if slippage is not None and latency is not None:
        success = NO_HISTORY if executor is None else executor.success_rate
        facts = VenueFacts(state.venue, depth_within(plan, state), latency, slippage, success)
        venues = ranked(plan, [facts], knobs)
    return PreTradeEstimate(
        features=features,
        prediction=prediction,
        fitted_ms=history.at_ms,
        route_hint=hint,
        venues=venues,
        executor=executor,
        rest=rest,
        is_rest_heard=rest is not None and history.is_rest_heard,
    )
