"""One decision of the book for one scored window: what is known and held goes in, one row and one message come out.

Everything is written in one transaction under names that follow from branch, book and window, so that a window is
decided once whatever is killed or started again; only one that told nobody anything does not wait for the disk. One
that tries a knob of the policy leaves a row of that beside it. Without knowledge or an account nothing is decided, and
the outcome names the reason. What is decided is `lotus.decision`; when, `lotus_desk.rebalancer`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, NamedTuple

from lotus.decision.allocation.relax import Solve
from lotus.decision.alphas import AlphaInput, CueInput
from lotus.decision.book import CoinMarket
from lotus.decision.curators import Nudge
from lotus.decision.decide import AccountMandate, Decision, DecisionState, decide
from lotus.decision.knowledge import claims, plan_terms
from lotus.decision.policy.experiments import PolicyExperiment, experiment_row
from lotus.decision.policy.policy import Policy
from lotus.decision.standing import Standing, seen
from lotus.decision.ticket import ticket_of
from lotus.hashing import natural_id
from lotus.modules.intents import Module
from lotus.modules.messages.payload import Document
from lotus.modules.messages.trading import DmDecision, decision_message
from lotus.timebase import day_of
from lotus_herald.keys import Keys
from lotus_herald.outbox import send
from lotus_modules.knobs import PolicyChoice, PolicyChooser
from lotus_store.databases import Connection
from lotus_store.ledger.beliefs.policy_trials import put_policy_trial
from lotus_store.ledger.beliefs.priors import in_force_asked
from lotus_store.ledger.trading.decisions import put_decision
from lotus_store.ledger.trading.inputs import book_inputs, forget_inputs, put_standing
from lotus_store.ledger.trading.knowledge import Knowledge, executors_asked
from lotus_store.ledger.trading.wishes import live_wishes_asked

LEAST_MOVE_USD: Final = 10.0  # a smaller move cannot be an order
REMIND_MS: Final = 30_000  # while something is held, a decision is sent at least so often: plans are held on by it


class WindowOutcome(StrEnum):
    """What became of a window."""

    SENT = "sent"
    QUIET = "quiet"  # decided, and nothing had to be sent
    DECIDED_BEFORE = "decided_before"
    NO_KNOWLEDGE = "no_knowledge"
    NO_ACCOUNT = "no_account"


@dataclass(frozen=True, slots=True)
class PortfolioSnapshot:
    """What is seen of the book's account and markets at `now_ms`: equity, signed sizes held, marks, markets by coin.

    `halted` is why nothing may be opened ("" = it may). `will_hold` are the signed sizes once all plans have done what
    is under way (None: those held): a position that is being left is none that a decision could keep without a cost.
    """

    now_ms: int
    equity_usd: float
    sizes: Mapping[str, float]
    marks: Mapping[str, float]
    markets: Mapping[str, CoinMarket]
    halted: str = ""
    will_hold: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """The answer for a window: `decision` and `ticket` where one was made."""

    outcome: WindowOutcome
    decision: Decision | None = None
    ticket: Document = field(default_factory=dict)


class DecisionInputs(NamedTuple):
    """What a window is decided on beside the state: views, budget cues, wishes of people."""

    views: Sequence[AlphaInput]
    cues: Sequence[CueInput]
    wishes: Sequence[Nudge]


@dataclass(frozen=True, slots=True)
class Allocator:
    """The decision-maker of one book; `chooser` returns the policy in force, its knobs multiplied."""

    branch: str
    portfolio_id: str
    authority: AccountMandate
    solve: Solve
    chooser: PolicyChooser
    keys: Keys

    def window(
        self,
        connection: Connection,
        window_end_ms: int,
        portfolio: PortfolioSnapshot | None,
        knowledge: Knowledge | None,
    ) -> Decided:
        """Decide for a window, once; `connection` is dm's, in autocommit mode."""
        if knowledge is None:
            return Decided(WindowOutcome.NO_KNOWLEDGE)
        if portfolio is None:
            return Decided(WindowOutcome.NO_ACCOUNT)
        with connection.pipeline(), connection.transaction():
            executors = executors_asked(connection, self.branch, day_of(portfolio.now_ms))
            wishes_asked = live_wishes_asked(connection, self.branch, day_of(portfolio.now_ms))
            version = in_force_asked(connection, self.branch, portfolio.now_ms, Module.DM.value)
            given = book_inputs(connection, self.branch, self.portfolio_id, portfolio.now_ms)
            if given.last_ms >= window_end_ms:
                return Decided(WindowOutcome.DECIDED_BEFORE)
            now = seen(given.standing, portfolio.now_ms, portfolio.equity_usd, portfolio.sizes, portfolio.marks)
            current = replace(knowledge, memory=replace(knowledge.memory, executors=executors()))
            name = natural_id("book decision", self.branch, self.portfolio_id, window_end_ms)
            choice = self.chooser.choice(version(), [*given.contexts.values()], portfolio.now_ms, name)
            state = self._state(portfolio, current, now, choice.policy, choice.priors_ver)
            inputs = DecisionInputs(given.views, given.cues, [wish.nudge for wish in wishes_asked()])
            decision = decide(state, *inputs, self.solve)
            tried = self._tried(name, window_end_ms, choice, decision, inputs)
            speaks = worth_telling(decision, now)
            now = replace(now, ratchet=decision.budgets.ratchet, told_ms=portfolio.now_ms if speaks else now.told_ms)
            forget_inputs(connection, self.branch, portfolio.now_ms)
            is_lazy = not speaks and tried is None
            if not put_standing(connection, self.branch, self.portfolio_id, window_end_ms, now, is_lazy=is_lazy):
                return Decided(WindowOutcome.DECIDED_BEFORE)
            if tried is not None:
                put_policy_trial(connection, self.branch, tried)
            if not speaks:
                return Decided(WindowOutcome.QUIET, decision)
            return Decided(WindowOutcome.SENT, decision, self._send(connection, name, decision, given.contexts))

    def _tried(
        self, name: str, window_end_ms: int, choice: PolicyChoice, decision: Decision, inputs: "DecisionInputs"
    ) -> PolicyExperiment | None:
        """Return the window's part in the experiment on a knob; None outside of it, and where nothing is decided on.

        A knob that was moved is solved a second time from the same state where it starts; that decision is not told.
        """
        if choice.trial is None or not decision.targets:
            return None
        start = decision
        if choice.trial.arm:
            start = decide(replace(decision.state, policy=choice.start), *inputs, self.solve)
        return experiment_row(name, window_end_ms, choice.trial, choice.context, decision, start)

    def _state(
        self, portfolio: PortfolioSnapshot, knowledge: Knowledge, standing: Standing, policy: Policy, priors_ver: str
    ) -> DecisionState:
        equity, sizes = portfolio.equity_usd, portfolio.sizes if portfolio.will_hold is None else portfolio.will_hold
        return DecisionState(
            branch=self.branch,
            portfolio_id=self.portfolio_id,
            asof_ms=portfolio.now_ms,
            equity_usd=equity,
            positions={c: size * portfolio.marks[c] for c, size in sizes.items() if size and c in portfolio.marks},
            markets=portfolio.markets,
            covariance=knowledge.covariance,
            calibration=knowledge.calibration,
            memory=knowledge.memory,
            policy=policy,
            authority=self.authority,
            correlations=knowledge.correlations,
            slopes=claims.in_force(knowledge.claims),
            drawdown_sigmas=standing.drawdown_sigmas(equity, policy.risk),
            ratchet=standing.ratchet,
            turnover_used=standing.turnover,
            halted=portfolio.halted,
            priors_ver=priors_ver,
            terms=plan_terms.in_force(knowledge.terms),
        )

    def _send(self, connection: Connection, name: str, decision: Decision, contexts: Mapping[str, str]) -> Document:
        """Write the decision and its message, under the name of its window.

        Beside the ticket go its targets, each with the context in which its plan is executed.
        """
        ticket, asof_ms = ticket_of(decision), decision.state.asof_ms
        payload = DmDecision(
            branch=self.branch,
            decision_id=name,
            kind="book",
            time_ms=asof_ms,
            valid_until_ms=decision.valid_until_ms,
            targets=[target | {"context": contexts.get(target["coin"], "")} for target in ticket["targets"]],
            ticket=ticket,
        )
        put_decision(connection, payload, name, timeframe=f"{decision.horizon_s}s")
        send(connection, Module.DM, decision_message(payload, name), self.keys)
        return ticket


def worth_telling(decision: Decision, standing: Standing) -> bool:
    """Return whether a decision has to be sent: something shall move, or what is held and wanted is to be held on."""
    equity = decision.state.equity_usd
    moves = any(
        abs(t.weight - t.held) * equity >= LEAST_MOVE_USD or (t.weight == 0.0 and t.held != 0.0)
        for t in decision.targets
    )
    holds = any(t.held * t.mu_bps > 0.0 for t in decision.targets)
    return moves or (holds and decision.state.asof_ms - standing.told_ms >= REMIND_MS)
