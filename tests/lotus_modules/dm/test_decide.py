"""The book in real databases: inputs kept, a window decided once, targets as plans, reports as executors' scores."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hot_bed import settle

from lotus.decision.allocation.covariance import Covariance
from lotus.decision.allocation.solver import FastSolver
from lotus.decision.alphas import InputFilter
from lotus.decision.book import CoinMarket
from lotus.decision.decide import AccountMandate
from lotus.decision.knowledge.calibration import Cell, ScoreCalibration
from lotus.decision.knowledge.feedback import DecisionMemory
from lotus.decision.policy.policy import shipped_policy
from lotus.hashing import natural_id
from lotus.manifest import Asset
from lotus.modules.envelope import Message
from lotus.modules.intents import Intent, Module
from lotus.modules.messages.signals import meta_message, proposed_message
from lotus.modules.messages.trading import DmDecision, ExecReport, PlanReference, decision_message, report_message
from lotus.priors.knobs import owner_in
from lotus.priors.types import ActiveBraid, Knob, Literal, Patch, Rule, priors_0, priors_version
from lotus.timebase import day_of
from lotus.trading.accounts.book import BookTerms
from lotus.trading.execution.conditions import MarketView
from lotus.trading.execution.executor import begin
from lotus.trading.execution.orders import Side
from lotus.trading.plan.knobs import STYLE_KEY
from lotus.trading.plan.plan import Authority, ProbeTerms
from lotus.trading.plan.validate import AccountState
from lotus_desk.execution.books import PlanDelta, TradeBooks
from lotus_desk.execution.stored import choice_in, plan_of
from lotus_herald.herald import Herald
from lotus_herald.keys import Keys
from lotus_herald.links import Links
from lotus_herald.mirror import StrandMirror
from lotus_herald.outbox import send
from lotus_herald.release import release_of
from lotus_modules.dm.allocate import Allocator, PortfolioSnapshot, WindowOutcome
from lotus_modules.dm.decide import Decider
from lotus_modules.handlers import hot_handlers
from lotus_modules.knobs import KnobChooser, PolicyChooser
from lotus_modules.tr.execute import Acceptor
from lotus_modules.tr.ordered import leading_detector
from lotus_store.databases import Databases
from lotus_store.facts.execution import execution_lines, plan_story
from lotus_store.ledger import atlas
from lotus_store.ledger.beliefs.priors import put_in_force, put_version
from lotus_store.ledger.beliefs.trials import trials_of
from lotus_store.ledger.messages import boxes
from lotus_store.ledger.trading import inputs
from lotus_store.ledger.trading.knowledge import Knowledge, executors_by
from lotus_store.ledger.trading.plans import book_plans, open_plans

END_MS = 1_735_689_600_000
ASOF = "2025-01-01T00:00:00.000Z"
COINS = (Asset("BTC", 5), Asset("ETH", 4))
PX = {"BTC": Decimal(100_000), "ETH": Decimal(4_000)}
POLICY = shipped_policy()
SOLVER = FastSolver()
WINDOW = {"start_ms": END_MS - 5000, "end_ms": END_MS}
PROVENANCE = {
    "window": WINDOW, "close_recv_ns": str(END_MS * 1_000_000), "close_seq": 17, "recipe_hash": "0" * 32,
    "experts_ver": "1" * 32, "data_fingerprint": "2" * 32,
}  # fmt: skip


def knowledge(bps: float = 60.0) -> Knowledge:
    """What a night knew: one source that keeps a promise of `bps`, and two coins alike."""
    cell = Cell(("det:sr@1", 300, ""), (0.0, 1.0), (bps, bps), 20.0, 3600.0, 5000.0)
    matrix = np.array([[16.0, 6.0], [6.0, 25.0]])
    risk = Covariance(("BTC", "ETH"), matrix, 60.0, END_MS - 60_000, 0.1, 1000)
    return Knowledge("2024-12-31", ScoreCalibration("2025-01-01", (cell,), 200.0, "3" * 32), DecisionMemory(), risk, {})


@dataclass
class Market:
    """Markets of two coins and an account of the book; `now_ms` moves by hand."""

    now_ms: int = END_MS + 100
    equity: Decimal = Decimal(100_000)
    halted: bool = False
    sizes: dict[str, float] = field(default_factory=dict)

    def account_state(self, coin: str, account: str) -> AccountState:
        px = PX.get(coin)
        view = MarketView(coin, self.now_ms, px - 1, px + 1, px) if px is not None else None
        return AccountState(
            now_ms=self.now_ms, venue="local", account=account, executor="tr", release=release_of(Module.DM),
            universe={asset.name: asset for asset in COINS}, view=view, equity_usd=self.equity,
            free_margin_usd=self.equity, leverage=5, coin_max_leverage=40, halted=self.halted,
        )  # fmt: skip

    def terms(self, side: Side) -> ProbeTerms:
        return ProbeTerms(Decimal(1000), Decimal(300), Authority("a", Decimal(10_000), ("tr",)), ("local",))

    def book_terms(self, authority: Authority, hold_ms: int) -> BookTerms:
        return BookTerms(Decimal(300), authority, ("local",), 5, 5_000, hold_ms)

    def portfolio(self) -> PortfolioSnapshot:
        markets = {coin: CoinMarket(1.0, 1e10, 1e10, 40.0) for coin in PX}
        return PortfolioSnapshot(
            self.now_ms, float(self.equity), self.sizes, {c: float(px) for c, px in PX.items()}, markets
        )


@dataclass
class World:
    """Databases, market and handlers of one daemon."""

    databases: Databases
    keys: Keys
    market: Market = field(default_factory=Market)

    def __post_init__(self) -> None:
        input_filter = InputFilter("main", frozenset(PX), POLICY.horizons)
        decider = Decider(5_000, input_filter, POLICY, lambda: self.market.now_ms)
        self.handlers = hot_handlers(decider, Acceptor(self.market))
        self.allocator = Allocator(
            "main", "book", AccountMandate("book", ("local:market",), 1.0, 4.0), SOLVER.solve,
            PolicyChooser(POLICY), self.keys,
        )  # fmt: skip

    def settle(self) -> dict[str, dict[str, int]]:
        """Carry and consume until nothing moves; return the counts by module."""
        return settle(self.databases, self.handlers, self.keys, self.market.now_ms)

    def say(self, module: Module, message: Message) -> None:
        with self.databases.connect(module.value) as connection:
            send(connection, module, message, self.keys)

    def propose(self, coin: str = "BTC", direction: int = 1, **changes: Any) -> str:
        signal = det_alpha(f"{coin} {direction} {changes}", coin, direction) | changes
        self.say(Module.SIG, proposed_message(signal))
        return str(signal["event_id"])

    def decide(self, window_end_ms: int = END_MS, **known: Any) -> Any:
        with self.databases.connect("dm", autocommit=True) as dm:
            return self.allocator.window(
                dm, window_end_ms, known.get("portfolio", self.market.portfolio()), known.get("knowledge", knowledge())
            )

    def open(self) -> Mapping[str, Any]:
        with self.databases.connect("tr") as tr:
            return book_plans(tr, [("local", "book")], "")

    def views(self) -> list[Any]:
        with self.databases.connect("dm") as dm:
            return inputs.book_inputs(dm, "main", "book", self.market.now_ms).views

    def dead(self, module: str) -> list[str]:
        with self.databases.connect(module) as connection:
            return [letter.detail for letter in boxes.dead_letters(connection, module)]


@pytest.fixture
def world(databases: Databases, keys: Keys) -> World:
    return World(databases, keys)


def det_alpha(name: str, coin: str, direction: int) -> dict[str, Any]:
    return {
        "schema_ver": "det-alpha-1.0", "branch": "main", "event_id": natural_id(name), "detector_id": "sr",
        "spec_version": 1, "asset": coin, "asof_ts": ASOF, "signal": 0.5 * direction, "direction": direction,
        "strength": 0.5, "horizon_s": 300, "band_s": [30.0, 600.0], "det_sigma": 0.5, "curated_sigma": 0.6, "pi": 0.13,
        "suggested_triggers": [], "priors_ver": "3" * 32, "provenance": PROVENANCE, "card_ref": "detector_cards/sr@1",
        "context": "0" + "-" * 11,
    }  # fmt: skip


def cues(name: str, **changes: Any) -> dict[str, Any]:
    sizes = dict.fromkeys(("Z_OI", "Z_F", "Z_B", "Z_D", "Z_W", "Z_C", "Z_U"), 0.0)
    made = {name: value for name, value in det_alpha(name, "BTC", 1).items() if name in (
        "branch", "event_id", "detector_id", "spec_version", "asset", "asof_ts", "provenance", "card_ref")}  # fmt: skip
    return made | {
        "schema_ver": "ms-1.0", "ms_kairos": 0.7, "ms_entrain_r": None, "ms_uncert": 0.1, "ms_hbar": 0.4,
        "ms_asym_score": 0.6, "ms_asym_components": sizes, "ms_asym_absent": ["Z_C"],
    } | changes  # fmt: skip


def test_a_proposal_is_measured_and_kept_as_a_view(world: World) -> None:
    event = world.propose()
    assert world.settle()["tr"] == {"applied": 1}
    (view,) = world.views()
    assert (view.event_id, view.source, view.sign, view.regime) == (event, "det:sr@1", 1, "calm")
    assert view.score == pytest.approx(0.3)


def test_a_window_that_is_no_view_is_measured_all_the_same_and_says_why(world: World) -> None:
    event = world.propose(strength=7.0, horizon_s=10**6)
    assert world.settle()["tr"] == {"applied": 1}
    assert world.views() == []
    with world.databases.connect("dm") as dm:
        (refused,) = inputs.refused_inputs(dm, "main")
    assert (refused.kind, refused.event_id) == ("view", event)
    assert [reason.split(":")[0] for reason in refused.reasons] == ["bad_horizon", "bad_value"]


def test_cues_are_kept_and_bad_ones_are_dead_letters_with_every_reason(world: World) -> None:
    world.say(Module.SIG, meta_message(cues("good")))
    world.say(Module.SIG, meta_message(cues("good")))
    world.say(Module.SIG, meta_message(cues("bad", ms_uncert=3.0, ms_kairos="x")))
    assert world.settle() == {"dm": {"applied": 1, "dead": 1}}
    with world.databases.connect("dm") as dm:
        (cue,) = inputs.book_inputs(dm, "main", "book", world.market.now_ms).cues
    assert (cue.coin, cue.kairos) == ("BTC", 0.7)
    (detail,) = world.dead("dm")
    assert "ms_kairos" in detail
    assert "ms_uncert" in detail


@pytest.mark.parametrize("late", [True, False])
def test_a_view_that_is_withdrawn_counts_no_more_whichever_comes_first(world: World, late: bool) -> None:
    event = natural_id("BTC 1 {}")
    told = Message(
        to=(Module.DM,), intent=Intent.ALPHA_WITHDRAWN, branch="main", schema_ref="urn:schema:sig.alpha_withdrawn:v1",
        payload={"branch": "main", "event_id": event, "time_ms": END_MS, "reason": "repaired"}, ts=END_MS,
        dedupe_key=natural_id("withdrawn"), lifecycle_id=event,
    )  # fmt: skip
    if late:
        world.propose()
        world.settle()
        assert len(world.views()) == 1
        world.say(Module.SIG, told)
    else:
        world.say(Module.SIG, told)
        world.settle()
        world.propose()
    world.settle()
    assert world.views() == []


def test_a_hint_of_a_person_is_a_view_and_one_without_a_side_is_not(world: World) -> None:
    hint = {
        "schema_ver": "alpha-hint-1.0", "event_id": "h1", "branch": "main", "kind": "human", "author": "ada",
        "asset": "ETH", "asof_ts": ASOF, "direction": 1, "conviction": 0.4, "horizon_s": 3600, "suggested_triggers": [],
    }  # fmt: skip
    for name, body in (("a", hint), ("b", hint | {"direction": 0, "horizon_s": 1})):
        payload = {
            "hint_id": natural_id(name), "symbol": "ETH", "timeframe": "1h", "time_ms": END_MS, "chart_hash": "c",
            "pattern_flags": [], "confidence": 0.4, "hint": body,
        }  # fmt: skip
        world.say(
            Module.VIS,
            Message(
                to=(Module.DM,),
                intent=Intent.ALPHA_HINT,
                branch="main",
                schema_ref="urn:schema:vis.alpha_hint:v1",
                payload=payload,
                ts=END_MS,
                dedupe_key=natural_id("hint", name),
                lifecycle_id=natural_id(name),
            ),
        )
    assert world.settle() == {"dm": {"applied": 1, "dead": 1}}
    assert [view.source for view in world.views()] == ["human:ada"]
    assert "direction" in world.dead("dm")[0]
    assert "horizon_s" in world.dead("dm")[0]


def test_a_window_is_decided_once_and_becomes_a_plan_within_its_authority(world: World) -> None:
    event = world.propose()
    world.settle()
    found = world.decide()
    assert found.outcome is WindowOutcome.SENT
    assert world.decide().outcome is WindowOutcome.DECIDED_BEFORE
    assert world.settle()["tr"] == {"applied": 1}
    (plan,) = world.open()["BTC"]
    (target,) = [t for t in found.ticket["targets"] if t["coin"] == "BTC"]
    assert plan.side is Side.BUY
    assert float(plan.will_hold) * 100_000 == pytest.approx(target["notional_usd"], abs=1.0)
    with world.databases.connect("tr") as tr:
        row = tr.execute(
            "SELECT plan, reference, lifecycle_id, decision_id FROM tr_plans WHERE kind = 'book'"
        ).fetchone()
    assert row is not None
    stored, reference, thread, decision_id = row
    assert thread == decision_id == natural_id("book decision", "main", "book", END_MS)
    assert stored["authority"] == {"account": "book", "budget_usd": "100000", "executors": ["local:market"]}
    assert stored["signal_id"] == event
    assert reference["signals"] == [event]
    assert stored["exit_at_ms"] == world.market.now_ms + 300_000


def test_a_plan_of_the_book_tries_a_knob_and_what_came_of_it_is_evidence(world: World) -> None:
    world.handlers = {
        **world.handlers,
        Module.TR: {Intent.DM_DECISION: Acceptor(world.market, KnobChooser(explore=1.0)).take_decision},
    }
    world.propose()
    world.settle()
    assert world.decide().outcome is WindowOutcome.SENT
    world.settle()
    with world.databases.connect("tr") as tr:
        (row,) = [row for row in open_plans(tr, ("local",)) if row.kind == "book"]
        (probe,) = [row for row in open_plans(tr, ("local",)) if row.kind == "probe"]
    choice, measured = choice_in(row.reference), choice_in(probe.reference)
    assert measured is not None
    assert measured.trial is None
    assert choice is not None
    assert choice.trial is not None
    assert choice.context == "0" + "-" * 11
    assert choice.moved == ({choice.trial.key: choice.trial.step} if choice.trial.arm else {})
    now_ms = world.market.now_ms + 60_000
    state = replace(begin(plan_of(row), COINS[0], "local", now_ms, choice.knobs), done=True)
    books = TradeBooks(world.databases, world.keys, "local")
    books.write([PlanDelta(row, state, finished=True)], now_ms)
    books.close()
    with world.databases.connect("tr") as tr:
        (told,) = trials_of(tr, "main", day_of(now_ms))
    assert (told.name, told.arm, told.propensity) == (row.plan_id, choice.trial.arm, choice.trial.propensity)
    assert (told.owner, told.outcome_bps) == (choice.trial.key.replace(":", "."), 0.0)


@pytest.mark.parametrize(("detector", "style"), [("sr", "cross"), ("sweep", "join")])
def test_a_composition_settles_the_entry_of_the_plans_that_its_detector_leads(
    world: World, detector: str, style: str
) -> None:
    """The trader joins everywhere; a composition leaves that out for one detector, and a probe is never moved."""
    owner, made = "execution.entry_style", natural_id("composition")
    lesson = ActiveBraid("t", "micro", owner, 60, Rule(), Patch(knobs=(Knob(STYLE_KEY, 1.06),)), scope="tr")
    composed = replace(
        lesson, braid_id=made, braid_type="meta", detector_id=owner_in(owner, detector), parents=("t", "s"),
        rule=Rule.of(Literal(0, 0, 1)), patch=Patch(knobs=(Knob(STYLE_KEY, 1.0),)), scope="cross",
    )  # fmt: skip
    version = priors_version("main", 1, (lesson, composed))
    with world.databases.connect("tr") as tr:
        put_version(tr, version, "2024-12-31", priors_0("main"), "tr")
        put_in_force(tr, version, "message", "tr")
    world.propose()
    world.settle()
    assert world.decide().outcome is WindowOutcome.SENT
    world.settle()
    with world.databases.connect("tr") as tr:
        rows = {row.kind: row for row in open_plans(tr, ("local",))}
        story = plan_story(tr, rows["book"])
    assert plan_of(rows["book"]).styles.entry.value == style
    assert plan_of(rows["probe"]).styles.crosses
    choice = choice_in(rows["book"].reference)
    assert choice is not None
    assert choice.composed == ((made,) if detector == "sr" else ())
    lines = execution_lines({"plans": [story], "outcome": None})
    assert any(made in line for line in lines) == (detector == "sr")


def test_the_detector_that_leads_is_the_heaviest_of_the_coin_and_of_the_targets_side() -> None:
    views = [
        {"coin": "ETH", "source": "det:drift@2", "mu_bps": -3.0}, {"coin": "BTC", "source": "human:ann", "mu_bps": 2.0},
        {"coin": "ETH", "source": "det:sweep@1", "mu_bps": 9.0},
    ]  # fmt: skip
    for coin, weight, name in (
        ("ETH", -0.1, "drift"),
        ("ETH", 0.1, ""),
        ("ETH", 0.0, ""),
        ("BTC", 0.1, ""),
        ("X", 1.0, ""),
    ):
        assert leading_detector(views, {"coin": coin, "weight": weight}) == name


def test_two_rebalancers_decide_a_window_once(world: World) -> None:
    world.propose()
    world.settle()
    found: list[Any] = []

    def decides() -> None:  # as daemons do: each with a solver of its own, which serves one thread
        own = World(world.databases, world.keys, world.market)
        own.allocator = replace(own.allocator, solve=FastSolver().solve)
        found.append(own.decide())

    rebalancers = [threading.Thread(target=decides) for _ in range(6)]
    for rebalancer in rebalancers:
        rebalancer.start()
    for rebalancer in rebalancers:
        rebalancer.join()
    outcomes = sorted(one.outcome.value for one in found)
    assert outcomes == ["decided_before"] * 5 + ["sent"]
    with world.databases.connect("dm") as dm:
        assert dm.execute("SELECT count(*) FROM dm_decisions WHERE kind = 'book'").fetchone() == (1,)
        assert dm.execute("SELECT count(*) FROM dm_outbox WHERE lifecycle_id = %s", [
            natural_id("book decision", "main", "book", END_MS)]).fetchone() == (1,)  # fmt: skip


def test_a_kill_before_the_commit_leaves_the_window_undecided(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.propose()
    world.settle()

    def dies(*_: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr("lotus_modules.dm.allocate.send", dies)
        with pytest.raises(RuntimeError, match="killed"):
            world.decide()
    with world.databases.connect("dm") as dm:
        assert inputs.book_inputs(dm, "main", "book", 0).last_ms == -1
        assert dm.execute("SELECT count(*) FROM dm_decisions WHERE kind = 'book'").fetchone() == (0,)
    assert world.decide().outcome is WindowOutcome.SENT


def test_nothing_is_decided_without_knowledge_or_account(world: World) -> None:
    world.propose()
    world.settle()
    assert world.decide(knowledge=None).outcome is WindowOutcome.NO_KNOWLEDGE
    assert world.decide(portfolio=None).outcome is WindowOutcome.NO_ACCOUNT
    assert world.decide().outcome is WindowOutcome.SENT, "the window was not used up"


def test_without_a_view_and_a_position_nothing_is_said_and_the_window_counts(world: World) -> None:
    assert world.decide().outcome is WindowOutcome.QUIET
    assert world.decide().outcome is WindowOutcome.DECIDED_BEFORE
    assert world.settle() == {}


def test_the_same_target_again_opens_nothing_more(world: World) -> None:
    world.propose()
    world.settle()
    world.decide()
    world.settle()
    before = world.open()
    world.market.now_ms += 5_000
    assert world.decide(END_MS + 5_000).outcome is WindowOutcome.SENT, "nothing is held yet, so it is still to move"
    world.settle()
    assert world.open() == before


def test_a_turned_view_leaves_first_and_opens_the_other_side_once_flat(world: World) -> None:
    world.propose()
    world.settle()
    world.decide()
    world.settle()
    (bought,) = world.open()["BTC"]
    world.market.sizes = {"BTC": float(bought.will_hold)}
    world.market.now_ms += 5_000
    later = {
        "asof_ts": "2025-01-01T00:00:05.000Z",
        "provenance": PROVENANCE | {"window": {"start_ms": END_MS, "end_ms": END_MS + 5_000}},
    }
    world.propose(direction=-1, **later)
    world.settle()
    found = world.decide(END_MS + 5_000)
    assert found.ticket["targets"][0]["weight"] < 0
    world.settle()
    (leaving,) = world.open()["BTC"]
    assert (leaving.plan_id, leaving.will_hold) == (bought.plan_id, 0)
    with world.databases.connect("tr") as tr:
        tr.execute("UPDATE tr_plans SET stage = 'done' WHERE plan_id = %s", [bought.plan_id])
    world.market.sizes = {}
    world.market.now_ms += 5_000
    world.decide(END_MS + 10_000)
    world.settle()
    (sold,) = world.open()["BTC"]
    assert sold.side is Side.SELL


def test_a_standing_view_holds_on_a_lower_cap_lowers_the_ceiling_and_no_view_does_neither(world: World) -> None:
    world.propose()
    world.settle()
    world.decide()
    world.settle()
    (plan,) = world.open()["BTC"]
    world.market.sizes = {"BTC": float(plan.will_hold)}
    world.market.now_ms += 200_000
    world.decide(END_MS + 200_000)
    world.settle()
    (kept,) = world.open()["BTC"]
    assert (kept.will_hold, kept.exit_at_ms) == (plan.will_hold, world.market.now_ms + 300_000)
    world.allocator = replace(world.allocator, authority=AccountMandate("book", ("local:market",), 0.05, 4.0))
    world.market.now_ms += 5_000
    world.decide(END_MS + 205_000)
    world.settle()
    (lowered,) = world.open()["BTC"]
    assert float(lowered.will_hold) == pytest.approx(0.05, abs=0.0001)
    world.market.sizes = {"BTC": 0.05}
    world.market.now_ms += 200_000
    assert world.decide(END_MS + 405_000).outcome is WindowOutcome.QUIET, (
        "the view is over: its plan ends at its exit time"
    )


def test_a_position_that_is_being_left_is_neither_counted_on_nor_opened_again(world: World) -> None:
    world.propose()
    world.settle()
    world.decide()
    world.settle()
    (plan,) = world.open()["BTC"]
    world.market.sizes = {"BTC": float(plan.will_hold)}
    with world.databases.connect("tr") as tr:
        tr.execute("UPDATE tr_plans SET will_hold = 0 WHERE plan_id = %s", [plan.plan_id])
    world.market.now_ms += 150_000
    found = world.decide(END_MS + 150_000)
    assert found.outcome is WindowOutcome.SENT, "what is held and wanted is held on"
    world.settle()
    assert [p.will_hold for p in world.open()["BTC"]] == [0], "it was decided on a position that is left meanwhile"
    world.market.now_ms += 250_000
    held = world.decide(END_MS + 400_000)
    assert [t.weight == t.held != 0.0 for t in held.decision.targets] == [True], "leaving costs more than staying"
    left = world.decide(END_MS + 405_000, portfolio=replace(world.market.portfolio(), will_hold={}))
    assert (left.outcome, left.decision.targets) == (WindowOutcome.QUIET, ())


@pytest.mark.parametrize("reason", ["halted", "too_large"])
def test_a_refused_plan_of_the_book_is_reported_with_its_reasons(world: World, reason: str) -> None:
    world.propose()
    world.settle()
    world.decide()
    world.market.halted = reason == "halted"
    world.market.equity = Decimal(100_000) if reason == "halted" else Decimal(10)
    counts = world.settle()
    assert (counts["tr"], counts["dm"]) == ({"refused": 1}, {"applied": 1})
    name = natural_id("book decision", "main", "book", END_MS)
    with world.databases.connect("dm") as dm:
        row = dm.execute("SELECT eval FROM dm_strand WHERE id = %s", [name]).fetchone()
        assert executors_by(dm, "main", day_of(END_MS)) == (), "what was not executed scores nobody"
    assert row is not None
    (judged,) = row[0].values()
    assert any(text.startswith(f"{reason}:") for text in judged["refusals"])
    with world.databases.connect("sig") as sig:
        assert sig.execute("SELECT count(*) FROM executions").fetchone() == (0,)


def test_a_ticket_that_was_changed_is_a_dead_letter(world: World) -> None:
    world.propose()
    world.settle()
    found = world.decide()
    ticket = dict(found.ticket) | {"equity_usd": 1e9}
    world.say(
        Module.DM,
        decision_message(
            DmDecision(
                branch="main",
                decision_id=natural_id("forged"),
                kind="book",
                time_ms=END_MS,
                valid_until_ms=END_MS + 60_000,
                targets=ticket["targets"],
                ticket=ticket,
            ),
            "x",
        ),
    )
    assert world.settle()["tr"] == {"applied": 1, "dead": 1}
    assert "changed after it was named" in world.dead("tr")[0]


def test_reports_of_the_book_score_its_executor_once(world: World) -> None:
    told = {
        "revision": 0, "side": "long", "decision_id": natural_id("d"), "asset": "BTC", "venue": "local",
        "strategy": "market", "size_planned": "0.1", "size_filled": "0.1", "arrival_px": "100000", "entry_px": "100010",
        "slippage_arrival_bps": 1.0, "latency_ms": 20, "adherence": 1.0,
    }  # fmt: skip
    payload: dict[str, Any] = {
        "branch": "main", "decision_id": natural_id("d"), "plan_id": natural_id("p"), "kind": "book",
        "outcome": "closed", "asset": "BTC", "venue": "local", "time_ms": END_MS, "payoff_bps": -3.5, "pnl_usd": -0.35,
        "refusals": [], "reference": PlanReference(max_slippage_bps=50.0, max_latency_ms=1000), "report": told,
    }  # fmt: skip
    for revision in (0, 0, 1):
        report = ExecReport(**payload | {"report": told | {"revision": revision}})
        message = report_message(report, "x", "", revision)
        world.say(Module.TR, message)
    world.settle()
    with world.databases.connect("dm") as dm:
        (score,) = executors_by(dm, "main", day_of(END_MS))
    assert (score.executor, score.reports) == ("local:market", 1)
    assert score.value > 0.5
    probe = payload | {"kind": "probe", "plan_id": natural_id("q"), "reference": PlanReference(
        event_id=natural_id("w"), detector_id="sr", window_end_ms=END_MS)}  # fmt: skip
    world.say(Module.TR, report_message(ExecReport(**probe), "y", ""))
    world.settle()
    with world.databases.connect("dm") as dm:
        assert executors_by(dm, "main", day_of(END_MS)) == (score,), "probes score nobody"


def test_the_days_turnover_and_the_peak_outlive_a_restart(world: World) -> None:
    world.decide()
    world.market.sizes, world.market.now_ms = {"BTC": 0.2}, END_MS + 5_100
    world.decide(END_MS + 5_000)
    world.market.sizes, world.market.now_ms, world.market.equity = {}, END_MS + 10_100, Decimal(97_000)
    again = World(world.databases, world.keys, world.market)
    again.decide(END_MS + 10_000)
    with world.databases.connect("dm") as dm:
        given = inputs.book_inputs(dm, "main", "book", 0)
        at_ms, standing = given.last_ms, given.standing
    assert at_ms == END_MS + 10_000
    assert standing.peak_usd == 100_000
    assert standing.turnover == pytest.approx(0.2 + 20_000 / 97_000)
    assert standing.drawdown_sigmas(97_000.0, POLICY.risk) == pytest.approx(2.0)


def test_what_is_over_is_forgotten(world: World) -> None:
    world.propose()
    world.settle()
    world.market.now_ms += 301_000
    world.decide(END_MS + 300_000)
    with world.databases.connect("dm") as dm:
        assert dm.execute("SELECT count(*) FROM dm_inputs").fetchone() == (0,)


def test_plans_never_exceed_the_budget_of_the_ticket(world: World) -> None:
    world.allocator = replace(world.allocator, authority=AccountMandate("book", ("local:market",), 0.1, 4.0))
    for coin in PX:
        world.propose(coin)
    world.settle()
    for k in range(4):
        world.market.now_ms += 5_000
        world.decide(END_MS + 5_000 * k)
        world.settle()
    total = sum(p.will_hold * PX[coin] for coin, plans in world.open().items() for p in plans)
    assert 0 < total <= Decimal(10_000)


def test_the_ledger_learns_the_branch_of_a_decision_that_it_saw_before_its_message(world: World) -> None:
    world.propose()
    world.settle()
    world.decide()
    with Links(world.databases) as links:
        StrandMirror(links).look(Module.DM)
    herald = Herald(world.databases, world.keys, world.handlers, lambda: END_MS, lambda: END_MS + 100, poll_s=0.0)
    for _ in range(4):
        herald.turn()
    herald.close()
    found = atlas.differences(world.databases)
    assert found.equal, found
