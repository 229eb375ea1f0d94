"""The trader's hot message: a decision becomes plans, accepted or refused with every reason, in one transaction.

An accepted plan is a row that the trading desk takes up; a refused one is reported at once. A probe is one plan of its
window; targets of the book are compared with what its open plans will hold, and lower or hold on those. Nothing is sent
to a venue here. In the literature: pre-trade checks before order entry.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Protocol

from msgspec import UNSET, structs, to_builtins

from lotus.decision.knowledge.regime import regime_in
from lotus.decision.ticket import check_ticket
from lotus.detectors.entry_style import wait_ms
from lotus.errors import SchemaError
from lotus.hashing import natural_id
from lotus.modules.envelope import Message, RefusedError
from lotus.modules.intents import Module, Reason
from lotus.modules.messages.payload import Document, part_of
from lotus.modules.messages.trading import DmDecision, ExecReport, PlanReference, WindowTarget, report_message
from lotus.trading.accounts.book import BookEntry, BookTarget, BookTerms, OpenPlan, PositionChange, book_plan, change_of
from lotus.trading.estimates.pre_trade import VenueHistory, pre_trade_estimate
from lotus.trading.execution.orders import Side
from lotus.trading.execution.rounding import MIN_NOTIONAL_USD
from lotus.trading.execution.void import void_of_refusals
from lotus.trading.plan.plan import Authority, Plan, ProbeTerms, probe_plan
from lotus.trading.plan.refusals import Refusal, RefusalReason
from lotus.trading.plan.validate import AccountState, refusals
from lotus_herald.consume import Delivery
from lotus_herald.release import release_of
from lotus_modules.knobs import KnobChooser, StyleChooser
from lotus_modules.tr.judging import as_body, judged, objections, with_estimate
from lotus_modules.tr.ordered import is_styled, leading_detector, styled, styles_in, terms_in
from lotus_modules.tr.predicting import nothing_known
from lotus_modules.tr.venues import VenueChoice, VenueChooser
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
    styler: StyleChooser = field(default_factory=StyleChooser)
    venues: VenueChooser = field(default_factory=VenueChooser)

    def take_decision(self, delivery: Delivery[DmDecision]) -> str:
        """Handle DM_DECISION: every target becomes a plan, or moves the plans that are open.

        Raises `RefusedError` for a target of no known form, and for a ticket of the book that is none.
        """
        if delivery.payload.kind == "book":
            outcomes = _Book(self, delivery).take()
        else:
            outcomes = [self._take(delivery, target) for target in delivery.payload.windows()]
        return "applied" if any(outcomes) or not outcomes else "refused"

    def _take(self, delivery: Delivery[DmDecision], target: WindowTarget) -> bool:
        envelope, decision = delivery.envelope, delivery.payload
        terms, asked = self.market.terms(Side(target.side)), to_builtins(target)
        rest_ms = wait_ms(1000 * asked["horizon_s"]) if "horizon_s" in asked else 0
        styles, draw = self.styler.of_probe(target, terms.styles)
        terms = replace(terms, release=envelope.release, styles=styles, rest_ms=rest_ms)
        states = self.states(target.asset, terms.authority.account)
        account, choice = states[0], None
        plan, reasons = _planned(account, terms, target)
        if plan is not None and len(states) > 1:
            choice = self.choose(delivery, plan, states, target.context or "")
            account = choice.account
            plan = replace(plan, authority=replace(plan.authority, account=account.account))
        if plan is not None:
            plan = replace(
                plan,
                decision_id=decision.decision_id,
                lifecycle_id=envelope.lifecycle_id,
                valid_until_ms=decision.valid_until_ms,
            )
            reasons = refusals(plan, replace(account, release=release_of(Module.DM)))
        reference = part_of(asked, PlanReference, "a target")
        if draw is not None:
            reference = structs.replace(reference, style_draw=to_plain(draw))
        return self.put(delivery, Wanted(target.asset, plan, reasons, account, reference, choice))

    def states(self, coin: str, account: str) -> list[AccountState]:
        """Return where a plan of a coin may be executed: an account at each venue that answers, the first one first."""
        return [self.market.account_state(coin, name) for name in self.venues.answering(account)]

    def choose(
        self, delivery: Delivery[DmDecision], plan: Plan, states: Sequence[AccountState], context: str
    ) -> VenueChoice:
        """Return which of several venues a plan goes to."""
        branch = delivery.envelope.branch
        knobs = self.chooser.choice(delivery.connection, branch, context, states[0].now_ms, plan)
        return self.venues.choice(delivery.connection, branch, plan, states, knobs.knobs)

    def put(self, delivery: Delivery[DmDecision], wanted: "Wanted") -> bool:
        """Write a plan, accepted or refused; a refusal is reported at once. Return whether it is accepted."""
        envelope, decision, plan, account = delivery.envelope, delivery.payload, wanted.plan, wanted.account
        context = wanted.reference.context or ""
        knobs = self.chooser.choice(
            delivery.connection, envelope.branch, context, account.now_ms, plan, wanted.detector_id
        )
        reasons, verdict, estimate = wanted.reasons, None, None
        if plan is not None and not reasons:
            history = self.known_of(envelope.branch, account.venue, account.now_ms)
            estimate = pre_trade_estimate(plan, account, history, knobs.knobs)
        plan = None if plan is None else styled(plan, knobs.knobs.style, estimate, wanted.is_styled)
        if plan is not None and not reasons:
            if estimate is not None and wanted.choice is not None:
                estimate = replace(estimate, venues=wanted.choice.scores)
            verdict = judged(plan, account, estimate)
            reasons = objections(plan, verdict)
        row = PlanRow(
            plan_id=natural_id("no plan", decision.decision_id, wanted.coin) if plan is None else plan.plan_id,
            branch=envelope.branch,
            decision_id=decision.decision_id,
            lifecycle_id=envelope.lifecycle_id,
            kind=decision.kind,
            coin=wanted.coin,
            venue=account.venue,
            stage="refused" if reasons else "accepted",
            created_ms=account.now_ms,
            plan=to_plain(plan) if plan is not None else {},
            reference=with_estimate(structs.replace(_chosen(wanted), knobs=to_plain(knobs)), estimate),
            execution={},
            session=account.session,
            parent_id=envelope.event_id,
        )
        body = None if verdict is None else as_body(verdict, estimate)
        route_hint = None if estimate is None else estimate.route_hint
        put_plan(delivery.connection, row, body, route_hint, regime_in(context))
        if reasons:
            delivery.answer(refusal_report(row, reasons, account.now_ms))
        return not reasons


@dataclass(frozen=True, slots=True)
class Wanted:
    """A plan that a decision asks for (None: there cannot even be one), the reasons against it, and its origin.

    `choice` is that of its venue, None where there is one only. `is_styled`: the decision says how it is entered, or
    that it is urgent, so the trader's own style is not asked. `detector_id`: whose view leads a target of the book, ""
    where no detector's does.
    """

    coin: str
    plan: Plan | None
    reasons: Sequence[Refusal]
    account: AccountState
    reference: PlanReference
    choice: VenueChoice | None = None
    is_styled: bool = False
    detector_id: str = ""


def _chosen(wanted: Wanted) -> PlanReference:
    """Return the reference of a plan with what was known of the venues, where there were several."""
    choice = wanted.choice
    if choice is None:
        return wanted.reference
    return structs.replace(wanted.reference, venue_choice=to_plain(choice.scores), venue_draw=to_plain(choice.draw))


class _Book:
    """One decision of the book while it becomes plans: lower ones first, so that what they free may be used."""

    def __init__(self, acceptor: Acceptor, delivery: Delivery[DmDecision]) -> None:
        self.acceptor, self.delivery = acceptor, delivery
        self.market = market = acceptor.market
        try:
            self.ticket = check_ticket(delivery.payload.ticket)
        except SchemaError as problem:
            raise RefusedError(Reason.BAD_PAYLOAD, str(problem), "a ticket of the book") from problem
        self.equity = Decimal(str(self.ticket["equity_usd"]))
        budget, names = self.ticket["authority"]["budget"], self.ticket["authority"]["executors"]
        usd = Decimal(str(budget["gross"])) * self.equity
        self.authority = Authority(
            self.ticket["authority"]["account_id"], usd, tuple(name["executor"] for name in names)
        )
        hold_ms = max(LEAST_HOLD_MS, 1000 * int(self.ticket["horizon_s"]))
        rest_ms = wait_ms(1000 * int(self.ticket["horizon_s"]))
        terms = market.book_terms(self.authority, hold_ms)
        self.terms = replace(terms, release=delivery.envelope.release, rest_ms=rest_ms)
        self.contexts = delivery.payload.contexts()
        self.open: dict[str, list[OpenPlan]] = {}

    def take(self) -> list[bool]:
        """Carry the targets over; return for each plan that was wanted whether it was accepted."""
        targets = self.ticket["targets"]
        name = self.authority.account
        states = {t["coin"]: self.acceptor.states(t["coin"], name) for t in targets}
        if not states:
            return []
        places = {coin: found[0] for coin, found in states.items()}
        everywhere = [self.market.account_state(next(iter(states)), each) for each in self.acceptor.venues.every(name)]
        accounts = [(place.venue, place.account) for place in everywhere]
        self.open = book_plans(self.delivery.connection, accounts, everywhere[0].session)
        changes = {t["coin"]: self._change(t, places[t["coin"]]) for t in targets}
        expected = {t["coin"]: t["mu_bps"] for t in targets}
        for coin, change in changes.items():
            self._steer(coin, change, expected[coin], places[coin].now_ms)
        used = self._used(places)
        outcomes: list[bool] = []
        for target in targets:
            coin = target["coin"]
            change = changes[coin]
            if change is None or change.opened:
                usable = [replace(state, used_budget_usd=used) for state in states[coin]]
                accepted, usd = self._open(target, change, usable)
                outcomes.append(accepted)
                used += usd
        return outcomes

    def _change(self, target: Document, account: AccountState) -> PositionChange | None:
        """Return what follows for a coin, None where nothing can be measured."""
        coin, px = target["coin"], mark_of(account)
        if px is None or coin not in account.universe:
            return None
        weights = (target["weight"], target["min"], target["max"], _added(target["weight"], target["held"]))
        sizes = [Decimal(str(w)) * self.equity / px for w in weights]
        least = max(MIN_NOTIONAL_USD, STEP_SHARE * self.equity)
        return change_of(BookTarget(coin, *sizes), self.open.get(coin, ()), account.universe[coin], px, least)

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
            account = places.get(coin) or self.market.account_state(coin, self.authority.account)
            usd += sum((p.will_hold for p in plans), ZERO) * (mark_of(account) or ZERO)
        return usd

    def _open(
        self, target: Document, change: PositionChange | None, states: Sequence[AccountState]
    ) -> tuple[bool, Decimal]:
        """Accept or refuse the plan that opens more of a coin; return whether, and the USD that it will hold."""
        account, choice = states[0], None
        coin, px = target["coin"], mark_of(account)
        plan: Plan | None = None
        reasons: Sequence[Refusal] = _unplanned(account, coin)
        if change is not None and px is not None:
            plan = self._planned(target, change.opened, px, account)
            if len(states) > 1:
                choice = self.acceptor.choose(self.delivery, plan, states, self.contexts.get(coin, ""))
                account = choice.account
                plan = replace(plan, authority=replace(plan.authority, account=account.account))
            reasons = self._against(plan, account)
        reference = PlanReference(
            coin=coin,
            weight=target["weight"],
            held=target["held"],
            min=target["min"],
            max=target["max"],
            mu_bps=target["mu_bps"],
            signals=self._signals(coin),
            mark=None if px is None else str(px),
            context=self.contexts.get(coin, ""),
            horizon_s=self.ticket["horizon_s"],
            max_slippage_bps=UNSET if plan is None else float(plan.max_slippage_bps),
            max_latency_ms=UNSET if plan is None else plan.max_latency_ms,
            urgency=target.get("asymmetry", {}).get("urgency", UNSET),
        )
        leader = leading_detector(self.ticket["top_alphas"], target)
        wanted = Wanted(coin, plan, reasons, account, reference, choice, is_styled(target), leader)
        accepted = self.acceptor.put(self.delivery, wanted)
        return accepted, abs(change.opened) * px if accepted and change is not None and px is not None else ZERO

    def _planned(self, target: Document, opened: Decimal, px: Decimal, account: AccountState) -> Plan:
        """Return the plan that opens more of a coin."""
        coin, decision = target["coin"], self.delivery.payload
        signals = self._signals(coin)
        entry = BookEntry(
            decision_id=decision.decision_id,
            lifecycle_id=self.delivery.envelope.lifecycle_id,
            signal_id=signals[0] if signals else decision.decision_id,
            valid_until_ms=decision.valid_until_ms,
            trigger=target["trigger"],
            confidence=self.ticket["confidence"],
            terms=terms_in(target),
        )
        terms = replace(self.terms, styles=styles_in(target, self.terms.styles))
        return book_plan(entry, account.universe[coin], opened, px, account.now_ms, terms)

    def _against(self, plan: Plan, account: AccountState) -> Sequence[Refusal]:
        """Return every reason against a plan that opens more of a coin in an account."""
        held = sum((int(p.side) * p.will_hold for p in self.open.get(plan.coin, ())), ZERO)
        executor = f"{account.venue}:{plan.strategy}"
        own = replace(account, executor=executor, position=held, release=release_of(Module.DM))
        return refusals(plan, own)

    def _signals(self, coin: str) -> list[str]:
        return [alpha["event_id"] for alpha in self.ticket["top_alphas"] if alpha["coin"] == coin]


def _added(weight: float, held: float) -> float:
    """Return how much more of its direction a target asks for than was held."""
    return max(0.0, abs(weight) - abs(held)) if weight * held > 0.0 else abs(weight)


def mark_of(account: AccountState) -> Decimal | None:
    """Return the mark of an account state's coin, None before it was seen."""
    return account.view.mark if account.view is not None and account.view.mark > ZERO else None


def _unplanned(account: AccountState, coin: str) -> tuple[Refusal, ...]:
    """Return why there cannot even be a plan."""
    if coin not in account.universe:
        return (Refusal(RefusalReason.NOT_TRADEABLE, f"{coin} at {account.venue}", "a coin that is traded there"),)
    if mark_of(account) is None:
        return (Refusal(RefusalReason.STALE_DATA, f"no market of {coin}", "best prices and mark"),)
    return ()


def _planned(account: AccountState, terms: ProbeTerms, target: WindowTarget) -> tuple[Plan | None, Sequence[Refusal]]:
    """Return the probe's plan, or why there cannot even be one."""
    asset, px = account.universe.get(target.asset), mark_of(account)
    if asset is None or px is None:
        return None, _unplanned(account, target.asset)
    side, now_ms = Side(target.side), account.now_ms
    return probe_plan(target.event_id, asset, side, px, now_ms, target.exit_at_ms - now_ms, terms), ()


def refusal_report(row: PlanRow, reasons: Sequence[Refusal], now_ms: int) -> Message:
    """Return the message that a plan was refused, with every reason."""
    report = ExecReport(
        branch=row.branch,
        decision_id=row.decision_id,
        plan_id=row.plan_id,
        kind="book" if row.kind == "book" else "probe",
        outcome="refused",
        asset=row.coin,
        venue=row.venue,
        time_ms=now_ms,
        payoff_bps=0.0,
        pnl_usd=0.0,
        refusals=[str(reason) for reason in reasons],
        reference=row.reference,
        report={},
        void=void_of_refusals(reasons),
    )
    return report_message(report, row.lifecycle_id, row.parent_id)
