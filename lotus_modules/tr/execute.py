"""The trader's hot message: a decision becomes plans, accepted or refused with every reason, in one transaction.

An accepted plan is a row that the trading desk takes up; a refused one is reported at once. A probe is one plan of its
window; targets of the book are compared with what its open plans will hold, and lower or hold on those. Nothing is sent
to a venue here. In the literature: pre-trade checks before order entry.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Protocol

from lotus.decision.knowledge.regime import regime_in
from lotus.decision.ticket import check_ticket
from lotus.errors import SchemaError
from lotus.hashing import natural_id
from lotus.modules.envelope import RefusedError
from lotus.modules.intents import Intent, Module, Reason
from lotus.modules.trade_messages import report_message
from lotus.trading.accounts.book import BookEntry, BookTarget, BookTerms, OpenPlan, PositionChange, book_plan, change_of
from lotus.trading.estimates.pre_trade import VenueHistory, pre_trade_estimate
from lotus.trading.execution.orders import Side
from lotus.trading.execution.rounding import MIN_NOTIONAL_USD
from lotus.trading.execution.void import void_of_refusals
from lotus.trading.plan.knob_choice import KnobChoice
from lotus.trading.plan.plan import Authority, Plan, ProbeTerms, probe_plan
from lotus.trading.plan.refusals import Refusal, RefusalReason
from lotus.trading.plan.validate import AccountState, refusals
from lotus_herald.consume import Delivery, Handlers
from lotus_herald.release import release_of
from lotus_modules.knobs import KnobChooser
from lotus_modules.tr.judging import as_body, as_reference, judged, objections
from lotus_modules.tr.predicting import nothing_known
from lotus_store.ledger.bodies import to_plain
from lotus_store.ledger.trading.plans import PlanRow, book_plans, lower_ceiling, move_exit_on, put_plan

ZERO = Decimal(0)
LEAST_HOLD_MS = 60_000
STEP_SHARE = Decimal("0.002")  # of equity: a smaller step of the book is not worth an order


KnownOf = Callable[[str, str, int], VenueHistory]


class VenueSnapshot(Protocol):
    """What the trader knows of its venue at the moment: where a plan would be executed, and on which terms."""

    def account_state(self, coin: str, account: str) -> AccountState:
        """Return where and when a plan of a coin would be executed in an account."""
        ...

    def terms(self, side: Side) -> ProbeTerms:
        """Return the terms of a probe of a side."""
        ...

    def book_terms(self, authority: Authority, hold_ms: int) -> BookTerms:
        """Return the terms of plans of the book under an authority."""
        ...


@dataclass(frozen=True, slots=True)
class Acceptor:
    """The trader's reception of one daemon; `known_of` tells what is known of a branch's venue at an event time."""

    market: VenueSnapshot
    chooser: KnobChooser = field(default_factory=KnobChooser)
    known_of: KnownOf = nothing_known

    def handlers(self) -> Handlers:
        """Return what it listens to."""
        return {Intent.DM_DECISION: self.take_decision}

    def take_decision(self, delivery: Delivery) -> str:
        """Handle DM_DECISION: every target becomes a plan, or moves the plans that are open.

        Raises `RefusedError` for a target of no known form, and for a ticket of the book that is none.
        """
        told = delivery.envelope.payload
        if told["kind"] == "book":
            outcomes = _Book(self, delivery).take()
        else:
            outcomes = [self._take(delivery, target) for target in told["targets"]]
        return "applied" if any(outcomes) or not outcomes else "refused"

    def _take(self, delivery: Delivery, target: Mapping[str, Any]) -> bool:
        envelope = delivery.envelope
        try:
            side, coin = Side(int(target["side"])), str(target["asset"])
            hold_until, event_id = int(target["exit_at_ms"]), str(target["event_id"])
        except (KeyError, TypeError, ValueError) as problem:
            raise RefusedError(Reason.BAD_PAYLOAD, f"no target: {problem!r}", "asset, side, exit, event") from problem
        terms = replace(self.market.terms(side), release=envelope.release)
        at = self.market.account_state(coin, terms.authority.account)
        plan, found = _planned(at, terms, coin, side, event_id, hold_until)
        if plan is not None:
            plan = replace(plan, decision_id=envelope.payload["decision_id"], lifecycle_id=envelope.lifecycle_id,
                           valid_until_ms=int(envelope.payload["valid_until_ms"]))  # fmt: skip
            found = refusals(plan, replace(at, release=release_of(Module.DM)))
        context = str(target.get("context", ""))
        knobs = self.chooser.choice(delivery.connection, envelope.branch, context, at.now_ms, plan)
        return self.put(delivery, coin, plan, found, at, target, knobs)

    def put(
        self, delivery: Delivery, coin: str, plan: Plan | None, found: Sequence[Refusal], at: AccountState,
        reference: Mapping[str, Any], knobs: KnobChoice,
    ) -> bool:  # fmt: skip
        """Write a plan, accepted or refused; a refusal is reported at once. Return whether it is accepted."""
        envelope, said, told = delivery.envelope, None, None
        if plan is not None and not found:
            known = self.known_of(envelope.branch, at.venue, at.now_ms)
            told = pre_trade_estimate(plan, at, known, knobs.knobs)
            said = judged(plan, at, told)
            found = objections(plan, said)
        name = natural_id("no plan", envelope.payload["decision_id"], coin) if plan is None else plan.plan_id
        row = PlanRow(
            name, envelope.branch, envelope.payload["decision_id"], envelope.lifecycle_id, envelope.payload["kind"],
            coin, at.venue, "refused" if found else "accepted", at.now_ms,
            to_plain(plan) if plan is not None else {},
            dict(reference) | {"knobs": to_plain(knobs)} | as_reference(told), {}, session=at.session,
            parent_id=envelope.event_id,
        )  # fmt: skip
        body = None if said is None else as_body(said, told)
        regime = regime_in(str(reference.get("context", "")))
        put_plan(delivery.connection, row, body, None if told is None else told.route_hint, regime)
        if found:
            delivery.answer(refusal_report(row, found, at.now_ms))
        return not found


class _Book:
    """One decision of the book while it becomes plans: lower ones first, so that what they free may be used."""

    def __init__(self, acceptor: Acceptor, delivery: Delivery) -> None:
        self.acceptor, self.delivery = acceptor, delivery
        self.market = market = acceptor.market
        told = delivery.envelope.payload
        try:
            self.ticket = check_ticket(dict(told["ticket"]))
        except SchemaError as problem:
            raise RefusedError(Reason.BAD_PAYLOAD, str(problem), "a ticket of the book") from problem
        self.equity = Decimal(str(self.ticket["equity_usd"]))
        budget, names = self.ticket["authority"]["budget"], self.ticket["authority"]["executors"]
        usd = Decimal(str(budget["gross"])) * self.equity
        self.authority = Authority(
            self.ticket["authority"]["account_id"], usd, tuple(name["executor"] for name in names)
        )
        hold_ms = max(LEAST_HOLD_MS, 1000 * int(self.ticket["horizon_s"]))
        self.terms = replace(market.book_terms(self.authority, hold_ms), release=delivery.envelope.release)
        self.contexts = {str(t.get("coin")): str(t.get("context", "")) for t in told["targets"]}
        self.open: dict[str, list[OpenPlan]] = {}

    def take(self) -> list[bool]:
        """Carry the targets over; return for each plan that was wanted whether it was accepted."""
        targets = self.ticket["targets"]
        places = {t["coin"]: self.market.account_state(t["coin"], self.authority.account) for t in targets}
        if not places:
            return []
        place = next(iter(places.values()))
        self.open = book_plans(self.delivery.connection, place.venue, place.session, self.authority.account)
        changes = {t["coin"]: self._change(t, places[t["coin"]]) for t in targets}
        expected = {t["coin"]: t["mu_bps"] for t in targets}
        for coin, change in changes.items():
            self._steer(coin, change, expected[coin], places[coin].now_ms)
        used = self._used(places)
        outcomes: list[bool] = []
        for target in targets:
            coin = target["coin"]
            change, at = changes[coin], places[coin]
            if change is None or change.opened:
                accepted, usd = self._open(target, change, replace(at, used_budget_usd=used))
                outcomes.append(accepted)
                used += usd
        return outcomes

    def _change(self, target: Mapping[str, Any], at: AccountState) -> PositionChange | None:
        """Return what follows for a coin, None where nothing can be measured."""
        coin, px = target["coin"], mark_of(at)
        if px is None or coin not in at.universe:
            return None
        weights = (target["weight"], target["min"], target["max"], _added(target["weight"], target["held"]))
        sizes = [Decimal(str(w)) * self.equity / px for w in weights]
        least = max(MIN_NOTIONAL_USD, STEP_SHARE * self.equity)
        return change_of(BookTarget(coin, *sizes), self.open.get(coin, ()), at.universe[coin], px, least)

    def _steer(self, coin: str, change: PositionChange | None, mu_bps: float, now_ms: int) -> None:
        """Lower what is open, and hold it on when half of its time is over and something is still expected of it."""
        if change is None:
            return
        connection, until_ms = self.delivery.connection, now_ms + self.terms.hold_ms
        lowered = dict(change.ceilings)
        for plan in self.open.get(coin, ()):
            if plan.plan_id in lowered:
                lower_ceiling(connection, plan.plan_id, lowered[plan.plan_id])
            is_wanted = plan.plan_id in change.held_on and mu_bps * int(plan.side) > 0.0
            if is_wanted and plan.exit_at_ms - now_ms < self.terms.hold_ms // 2:
                move_exit_on(connection, plan.plan_id, until_ms)
        self.open[coin] = [
            replace(p, will_hold=min(p.will_hold, lowered.get(p.plan_id, p.will_hold))) for p in self.open.get(coin, ())
        ]

    def _used(self, places: Mapping[str, AccountState]) -> Decimal:
        """Return the value of what open plans will hold, at marks; without a mark nothing can be held against them."""
        usd = ZERO
        for coin, plans in self.open.items():
            at = places.get(coin) or self.market.account_state(coin, self.authority.account)
            usd += sum((p.will_hold for p in plans), ZERO) * (mark_of(at) or ZERO)
        return usd

    def _open(self, target: Mapping[str, Any], change: PositionChange | None, at: AccountState) -> tuple[bool, Decimal]:
        """Accept or refuse the plan that opens more of a coin; return whether, and the USD that it will hold."""
        coin, payload, px = target["coin"], self.delivery.envelope.payload, mark_of(at)
        signals = [a["event_id"] for a in self.ticket["top_alphas"] if a["coin"] == coin]
        plan, found, name = None, _unplanned(at, coin), payload["decision_id"]
        if change is not None and px is not None:
            entry = BookEntry(
                decision_id=name,
                lifecycle_id=self.delivery.envelope.lifecycle_id,
                signal_id=signals[0] if signals else name,
                valid_until_ms=int(payload["valid_until_ms"]),
                trigger=target["trigger"],
                confidence=self.ticket["confidence"],
            )
            plan = book_plan(entry, at.universe[coin], change.opened, px, at.now_ms, self.terms)
            held = sum((int(p.side) * p.will_hold for p in self.open.get(coin, ())), ZERO)
            own = replace(at, executor=f"{at.venue}:{plan.strategy}", position=held, release=release_of(Module.DM))
            found = refusals(plan, own)
        reference = {member: target[member] for member in ("coin", "weight", "held", "min", "max", "mu_bps")}
        reference |= {"signals": signals, "mark": None if px is None else str(px)}
        branch, context = self.delivery.envelope.branch, self.contexts.get(coin, "")
        knobs = self.acceptor.chooser.choice(self.delivery.connection, branch, context, at.now_ms, plan)
        reference |= {"context": context, "horizon_s": self.ticket["horizon_s"]}
        if plan is not None:
            reference |= {"max_slippage_bps": float(plan.max_slippage_bps), "max_latency_ms": plan.max_latency_ms}
        accepted = self.acceptor.put(self.delivery, coin, plan, found, at, reference, knobs)
        return accepted, abs(change.opened) * px if accepted and change is not None and px is not None else ZERO


def _added(weight: float, held: float) -> float:
    """Return how much more of its direction a target asks for than was held."""
    return max(0.0, abs(weight) - abs(held)) if weight * held > 0.0 else abs(weight)


def mark_of(at: AccountState) -> Decimal | None:
    """Return the mark of an account state's coin, None before it was seen."""
    return at.view.mark if at.view is not None and at.view.mark > ZERO else None


def _unplanned(at: AccountState, coin: str) -> tuple[Refusal, ...]:
    """Return why there cannot even be a plan."""
    if coin not in at.universe:
        return (Refusal(RefusalReason.NOT_TRADEABLE, f"{coin} at {at.venue}", "a coin that is traded there"),)
    if mark_of(at) is None:
        return (Refusal(RefusalReason.STALE_DATA, f"no market of {coin}", "best prices and mark"),)
    return ()


def _planned(
    at: AccountState, terms: ProbeTerms, coin: str, side: Side, event_id: str, hold_until_ms: int
) -> tuple[Plan | None, tuple[Refusal, ...]]:
    """Return the probe's plan, or why there cannot even be one."""
    asset, px, found = at.universe.get(coin), mark_of(at), _unplanned(at, coin)
    if asset is None or px is None:
        return None, found
    hold_ms = hold_until_ms - at.now_ms
    return probe_plan(event_id, asset, side, px, at.now_ms, hold_ms, terms), ()


def refusal_report(row: PlanRow, found: Sequence[Refusal], now_ms: int) -> Any:
    """Return the message that a plan was refused, with every reason."""
    payload = {
        "branch": row.branch, "decision_id": row.decision_id, "plan_id": row.plan_id, "kind": row.kind,
        "outcome": "refused", "asset": row.coin, "venue": row.venue, "time_ms": now_ms, "payoff_bps": 0.0,
        "pnl_usd": 0.0, "refusals": [str(refusal) for refusal in found], "reference": dict(row.reference),
        "report": {}, "void": void_of_refusals(found),
    }  # fmt: skip
    return report_message(payload, lifecycle_id=row.lifecycle_id, parent_id=row.parent_id)
