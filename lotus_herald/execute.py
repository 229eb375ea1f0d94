"""The trader's hot message: a decision becomes plans, accepted or refused with every reason, in one transaction.

An accepted plan is a row that the trading desk takes up; a refused one is reported at once. Nothing is sent to a venue
here. In the literature: pre-trade checks before order entry.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Protocol

from lotus.modules.envelope import RefusedError
from lotus.modules.intents import Intent, Module, Reason
from lotus.modules.trade_messages import report_message
from lotus.trading.orders import Side
from lotus.trading.plan import Plan, ProbeTerms, probe_plan
from lotus.trading.refusals import Refusal, RefusalReason
from lotus.trading.validate import Situation, refusals
from lotus_herald.consume import Delivery, Handlers
from lotus_herald.release import release_of
from lotus_store.ledger.bodies import to_plain
from lotus_store.ledger.plans import PlanRow, put_plan


class Floor(Protocol):
    """What the trader knows of its venue at the moment: where a plan would be executed, and on which terms."""

    def situation(self, coin: str, account: str) -> Situation:
        """Return where and when a plan of a coin would be executed in an account."""
        ...

    def terms(self, side: Side) -> ProbeTerms:
        """Return the terms of a probe of a side."""
        ...


@dataclass(frozen=True, slots=True)
class Acceptor:
    """The trader's reception of one daemon; `session` as in `PlanRow`."""

    floor: Floor
    session: str = ""

    def handlers(self) -> Handlers:
        """Return what it listens to."""
        return {Intent.DM_DECISION: self.take_decision}

    def take_decision(self, delivery: Delivery) -> str:
        """Handle DM_DECISION: every target becomes a plan. Raises `RefusedError` for a target of no known form."""
        told = delivery.envelope.payload
        outcomes = [self._take(delivery, target) for target in told["targets"]]
        return "applied" if any(outcomes) or not outcomes else "refused"

    def _take(self, delivery: Delivery, target: Mapping[str, Any]) -> bool:
        envelope = delivery.envelope
        try:
            side, coin = Side(int(target["side"])), str(target["asset"])
            hold_until, event_id = int(target["exit_at_ms"]), str(target["event_id"])
        except (KeyError, TypeError, ValueError) as problem:
            raise RefusedError(Reason.BAD_PAYLOAD, f"no target: {problem!r}", "asset, side, exit, event") from problem
        terms = replace(self.floor.terms(side), release=envelope.release)
        at = self.floor.situation(coin, terms.authority.account)
        plan, found = _planned(at, terms, coin, side, event_id, hold_until)
        if plan is not None:
            plan = replace(plan, decision_id=envelope.payload["decision_id"], lifecycle_id=envelope.lifecycle_id,
                           valid_until_ms=int(envelope.payload["valid_until_ms"]))  # fmt: skip
            found = refusals(plan, replace(at, release=release_of(Module.DM)))
        row = PlanRow(
            plan.plan_id if plan is not None else envelope.payload["decision_id"], envelope.branch,
            envelope.payload["decision_id"], envelope.lifecycle_id, "probe", coin, at.venue,
            "refused" if found else "accepted", at.now_ms, to_plain(plan) if plan is not None else {}, dict(target), {},
            self.session,
        )  # fmt: skip
        put_plan(delivery.connection, row)
        if found:
            delivery.answer(refusal_report(row, found, at.now_ms, parent_id=envelope.event_id))
        return not found


def _planned(
    at: Situation, terms: ProbeTerms, coin: str, side: Side, event_id: str, hold_until_ms: int
) -> tuple[Plan | None, tuple[Refusal, ...]]:
    """Return the probe's plan, or why there cannot even be one."""
    asset, view = at.universe.get(coin), at.view
    if asset is None:
        return None, (Refusal(RefusalReason.NOT_TRADEABLE, f"{coin} at {at.venue}", "a coin that is traded there"),)
    if view is None or view.mark <= Decimal(0):
        return None, (Refusal(RefusalReason.STALE_DATA, f"no market of {coin}", "best prices and mark"),)
    hold_ms = hold_until_ms - at.now_ms
    return probe_plan(event_id, event_id, asset, side, view.mark, at.now_ms, hold_ms, terms), ()


def refusal_report(row: PlanRow, found: tuple[Refusal, ...], now_ms: int, *, parent_id: str) -> Any:
    """Return the message that a plan was refused, with every reason."""
    payload = {
        "branch": row.branch, "decision_id": row.decision_id, "plan_id": row.plan_id, "kind": row.kind,
        "outcome": "refused", "asset": row.coin, "venue": row.venue, "time_ms": now_ms, "payoff_bps": 0.0,
        "pnl_usd": 0.0, "refusals": [str(refusal) for refusal in found], "reference": dict(row.reference),
        "report": {},
    }  # fmt: skip
    return report_message(payload, lifecycle_id=row.lifecycle_id, parent_id=parent_id)
