"""Plans that came to their end, from the tr database: the pre-trade estimate of each, and what became of it.

Only entries that were due count: one that expired or was called off is no evidence about fills. What is learned from
them is `lotus.trading.estimates.predictor`'s and `lotus.trading.estimates.executor_scores`'.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lotus.detectors.entry_style import EntryStyle
from lotus.knobs.style_draw import StyleDraw
from lotus.trading.estimates.executor_scores import DUE, SUCCESS
from lotus.trading.estimates.hint_gain import TriedStyle
from lotus.trading.estimates.predictor import (
    Features,
    ForecastCalibration,
    ForecastOutcome,
    PastExecution,
    Prediction,
    at_rest,
    stored_quality,
)
from lotus.trading.estimates.venue_records import VenueExecution
from lotus_store.ledger.bodies import from_body
from lotus_store.postgres.queries import Connection, query

ALWAYS_MS = 2**62


@dataclass(frozen=True, slots=True)
class FinishedPlan:
    """A plan that ended at `known_ms` and was accepted at `sent_ms`; `score` is what `executor_scores` reads of it.

    `execution` is None where features were not recorded, `prediction` where nothing was estimated; `fitted_ms` is the
    time of the fit behind the estimate, `rest` what it said of an entry at rest. `tried` is a probe with a drawn style.
    """

    plan_id: str
    venue: str
    sent_ms: int
    known_ms: int
    score: Mapping[str, Any]
    execution: PastExecution | None
    prediction: Prediction | None
    fitted_ms: int
    rest: Prediction | None = None
    tried: TriedStyle | None = None


def finished_plans(
    connection: Connection, branch: str, venue: str | None = None, before_ms: int = ALWAYS_MS, most: int | None = None
) -> list[FinishedPlan]:
    """Return the plans of a branch (and venue) that ended before `before_ms`, oldest end first; the newest `most`."""
    place = {"branch": branch, "venue": venue, "due": list(DUE), "before_ms": before_ms, "most": most}
    rows = [_finished(*row) for row in connection.execute(query("tr", "finished_plans"), place)]
    return rows[::-1]


def rest_quality(rows: Sequence[FinishedPlan]) -> ForecastCalibration | None:
    """Return how good stored predictions of entries at rest were, on the plans of one venue that were to rest."""
    tried = [(row, at_rest([row.execution])) for row in rows if row.execution is not None]
    outcomes = [ForecastOutcome(own[0], row.rest, row.fitted_ms) for row, own in tried if own and row.rest is not None]
    return stored_quality(outcomes, [own[0] for _, own in tried if own])


def venue_executions(
    connection: Connection, branch: str, from_ms: int = 0, before_ms: int = ALWAYS_MS, most: int | None = None
) -> list[VenueExecution]:
    """Return what became of a branch's plans at their venues that ended within a time; the newest `most`, newest first.

    Only entries that were due count, as in `finished_plans`.
    """
    place = {"branch": branch, "due": list(DUE), "from_ms": from_ms, "before_ms": before_ms, "most": most}
    return [_at_venue(*row) for row in connection.execute(query("tr", "venue_executions"), place)]


def _at_venue(
    venue: str,
    coin: str,
    plan: Mapping[str, Any],
    fills: Sequence[Mapping[str, Any]],
    metrics: Mapping[str, Any],
) -> VenueExecution:
    opening = "buy" if int(plan["side"]) > 0 else "sell"
    latency = metrics["latency_ms"]
    return VenueExecution(
        venue=venue,
        coin=coin,
        planned=float(plan["size"]),
        filled=sum(float(fill["size"]) for fill in fills if fill["side"] == opening),
        traded_usd=sum(float(fill["size"]) * float(fill["px"]) for fill in fills),
        fees_usd=sum(float(usd) for usd in metrics["fees"].values()),
        slippage_bps=_number(metrics["slippage_arrival_bps"]),
        latency_ms=None if latency is None else float(latency),
        succeeded=metrics["status"] in SUCCESS and not metrics["alarms"],
        net_usd=float(metrics["pnl"]["net_usd"]),
    )


def _finished(
    plan_id: str,
    venue: str,
    plan: Mapping[str, Any],
    sent_ms: int,
    estimate: Mapping[str, Any] | None,
    metrics: Mapping[str, Any],
    fills: Sequence[Mapping[str, Any]],
    draw: Mapping[str, Any] | None,
) -> FinishedPlan:
    estimate = estimate or {}
    known_ms, features = int(metrics["finished_ts"]), estimate.get("features")
    named = {"execution_id": plan_id, "revision": 0, "venue": venue, "strategy": plan["strategy"]}
    score = named | {name: metrics[name] for name in ("status", "adherence", "alarms")}
    execution = None
    if features is not None:
        execution = PastExecution(
            features=from_body(features, Features),
            sent_ms=sent_ms,
            known_ms=known_ms,
            filled=metrics["status"] in SUCCESS,
            slippage_bps=_number(metrics["slippage_arrival_bps"]),
            latency_ms=metrics["latency_ms"],
            rested=_rested(plan, fills),
        )
    predicted, rest = (
        None if body is None else from_body(body, Prediction) for body in map(estimate.get, ("prediction", "rest"))
    )
    return FinishedPlan(
        plan_id=plan_id,
        venue=venue,
        sent_ms=sent_ms,
        known_ms=known_ms,
        score=score,
        execution=execution,
        prediction=predicted,
        fitted_ms=int(estimate.get("fitted_ms", 0)),
        rest=rest,
        tried=_tried(estimate, metrics, draw, sent_ms),
    )


def _rested(plan: Mapping[str, Any], fills: Sequence[Mapping[str, Any]]) -> bool | None:
    """Return whether an entry that was to rest was filled whole at rest; None for one that was not to."""
    if plan.get("styles", {}).get("entry", EntryStyle.CROSS) == EntryStyle.CROSS:
        return None
    opening = "buy" if int(plan["side"]) > 0 else "sell"
    rested = sum(Decimal(fill["size"]) for fill in fills if fill["side"] == opening and not fill["is_taker"])
    return rested >= Decimal(plan["size"])


def _tried(
    estimate: Mapping[str, Any], metrics: Mapping[str, Any], draw: Mapping[str, Any] | None, sent_ms: int
) -> TriedStyle | None:
    """Return a probe whose style was drawn between crossing and joining, with the hint that it had."""
    drawn = None if draw is None else from_body(draw, StyleDraw)
    propensity = None if drawn is None else drawn.against(EntryStyle.CROSS, EntryStyle.JOIN)
    if drawn is None or propensity is None:
        return None
    hint, net_bps = str(estimate.get("route_hint") or ""), _number(metrics["pnl"]["net_bps"]) or 0.0
    return TriedStyle(hint, drawn.style is EntryStyle.JOIN, propensity, net_bps, sent_ms)


def _number(value: float | str | None) -> float | None:
    """Return a number of a body: what JSON loses, such as a negative zero, stands there as text."""
    return None if value is None else float(value)
