"""Trials of knobs as they came out, read from the plans of the tr database. What they teach is `lotus.knobs`."""

from typing import Any

from lotus.knobs.rows import Observation
from lotus.timebase import DAY_MS, day_start_ms
from lotus.trading.plan.knob_choice import KnobChoice
from lotus.trading.plan.knobs import KNOBS
from lotus_store.ledger.bodies import from_body
from lotus_store.postgres.queries import Connection, query

LONGEST_PLAN_MS = 8 * DAY_MS
NO_HORIZON_S = 1  # what leaving a position cost has no horizon
_OWNERS = {spec.key: spec.owner for spec in KNOBS}


def trials_of(connection: Connection, branch: str, day: str) -> list[Observation]:
    """Return the plans in trials that finished on a day of event time; a plan that was never left cost nothing."""
    start = day_start_ms(day)
    place = {"branch": branch, "from_ms": start, "until_ms": start + DAY_MS, "since_ms": start - LONGEST_PLAN_MS}
    return [_observation(*row) for row in connection.execute(query("tr", "knob_trials"), place)]


def _observation(
    plan_id: str, coin: str, venue: str, knobs: Any, slippage_bps: float | None, finished_ms: int
) -> Observation:
    choice = from_body(knobs, KnobChoice)
    assert choice.trial is not None
    return Observation(
        name=plan_id,
        owner=_OWNERS[choice.trial.key],
        coin=coin,
        horizon_s=NO_HORIZON_S,
        time_ms=finished_ms,
        context=choice.context,
        arm=choice.trial.arm,
        propensity=choice.trial.propensity,
        outcome_bps=-float(slippage_bps or 0.0),
        source="paper_live" if venue == "paper" else "venue",
    )
