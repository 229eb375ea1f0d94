"""Predictions in real databases: fitted on what had ended, stored at acceptance, told in the report, and measured."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest
from hot_bed import BTC, END_MS, Market, account_state, decider, propose, settle
from msgspec import UNSET

from lotus.hashing import natural_id
from lotus.modules.intents import Module
from lotus.modules.messages.trading import PlanReference
from lotus.trading.estimates.pre_trade import PreTradeEstimate, VenueHistory
from lotus.trading.estimates.predictor import MIN_HISTORY, Features, Prediction, RouteHint
from lotus.trading.execution.executor import begin
from lotus.trading.execution.orders import Side
from lotus.trading.plan.plan import Strategy
from lotus_cli.desk.trade import page
from lotus_desk.execution.result import report_payload
from lotus_desk.execution.stored import plan_of
from lotus_herald.consume import Handlers
from lotus_herald.keys import Keys
from lotus_modules.handlers import hot_handlers
from lotus_modules.tr.execute import Acceptor
from lotus_modules.tr.predicting import NOTHING_KNOWN, REFIT_MS, Job, Predictor, in_thread, known_before
from lotus_store.databases import Databases
from lotus_store.facts.predictions import prediction_facts
from lotus_store.ledger.trading.outcomes import finished_plans
from lotus_store.ledger.trading.plans import PlanRow, judge_plan, plans_for, put_plan

NOW_MS = END_MS + 20
FEATURES = {"spread_bps": 0.2, "depth_share": 0.01, "volatility_bps": 4.0, "side": 1, "strategy": "market"}


FEATURES_SEEN = Features(0.2, 0.01, 4.0, Side.BUY, Strategy.MARKET)


def end(databases: Databases, name: str, finished_ms: int, status: str = "filled", **changes: Any) -> None:
    """Write a plan that ended, with its features."""
    k = int(natural_id(name)[:8], 16)
    features = FEATURES | {"spread_bps": 0.1 + k % 7, "depth_share": 0.01 + k % 3, "volatility_bps": 1.0 + k % 5}
    metrics = {
        "status": status, "finished_ts": finished_ms, "adherence": 0.9, "alarms": [],
        "slippage_arrival_bps": float(k % 7) or -0.0, "latency_ms": 20 + k % 11,
    }  # fmt: skip
    row = PlanRow(
        name, changes.get("branch", "main"), "d", "l", "probe", "BTC", changes.get("venue", "local"), "done",
        finished_ms - 60_000, {"strategy": "market"}, PlanReference(), {},
    )  # fmt: skip
    with databases.connect("tr") as tr:
        put_plan(tr, row, {"features": features, "fitted_ms": 0})
        judge_plan(tr, name, [], metrics, {})


def end_at_rest(databases: Databases, name: str, finished_ms: int, rested: bool, joined: bool = True) -> None:
    """Write a probe that ended; one that `joined` by its draw was filled at rest, or crossed in the end."""
    style = "join" if joined else "cross"
    draw = {"style": style, "shares": [0.75, 0.2, 0.05]}
    plan = {"strategy": "market", "side": 1, "size": "0.5", "styles": {"entry": style}}
    k = int(natural_id(name)[:8], 16)
    features = FEATURES | {"spread_bps": 0.1 + k % 7, "depth_share": (0.01, 5.0)[joined and not rested]}
    metrics = {
        "status": "filled", "finished_ts": finished_ms, "adherence": 0.9, "alarms": [], "slippage_arrival_bps": 1.0,
        "latency_ms": 20, "pnl": {"net_bps": 2.0 if rested else -1.0},
    }  # fmt: skip
    fills = [{"side": "buy", "size": "0.5", "is_taker": not rested}, {"side": "sell", "size": "0.5", "is_taker": True}]
    reference = PlanReference(style_draw=draw)
    row = PlanRow(name, "main", "d", "l", "probe", "BTC", "local", "done", finished_ms - 60_000, plan, reference, {})
    with databases.connect("tr") as tr:
        put_plan(tr, row, {"features": features, "fitted_ms": 0}, "cross")
        judge_plan(tr, name, fills, metrics, {})


def known_at(databases: Databases, now_ms: int) -> VenueHistory:
    with databases.connect("tr") as tr:
        return known_before(tr, "main", "local", now_ms)


def same(one: VenueHistory, other: VenueHistory) -> bool:
    return repr(one) == repr(other)


@dataclass
class Desk:
    """A trader that sees depth and volatility, and fits where it stands."""

    databases: Databases
    keys: Keys

    def __post_init__(self) -> None:
        at = account_state()
        assert at.view is not None
        levels = {side: [(at.view.best(side), Decimal(5))] for side in Side}
        self.market = Market(replace(at, view=replace(at.view, volatility_bps=Decimal(4)), levels=levels))
        self.predictor = Predictor(self.databases, lambda job: job())
        self.handlers: Mapping[Module, Handlers] = hot_handlers(
            decider(), Acceptor(self.market, known_of=self.predictor.known)
        )

    def accept(self, name: str) -> tuple[PlanRow, dict[str, Any], str | None]:
        """Let a window be proposed; return its plan, what its strand tells, and the hint."""
        event = propose(self.databases, self.keys, name)
        settle(self.databases, self.handlers, self.keys)
        with self.databases.connect("tr") as tr:
            (plan,) = plans_for(tr, event)
            row: Any = tr.execute(
                "SELECT tr_predict, route_hint FROM tr_strand WHERE id = %s", [plan.plan_id]
            ).fetchone()
        return plan, row[0], row[1]


@pytest.fixture
def desk(databases: Databases, keys: Keys) -> Desk:
    return Desk(databases, keys)


def test_below_the_least_history_features_are_recorded_and_one_half_is_told(desk: Desk) -> None:
    plan, said, hint = desk.accept("a")
    assert said["features"]["depth_share"] == pytest.approx(0.002)
    assert (said["prediction"]["fill_prob"], said["prediction"]["slippage_bps"]) == (0.5, None)
    assert hint is None
    assert said["curators"]["execution"]["score"] is None
    assert plan.reference.predicted is UNSET


def test_with_history_the_curators_speak_and_the_report_has_the_estimate(desk: Desk) -> None:
    for k in range(MIN_HISTORY):
        end(desk.databases, f"old {k}", NOW_MS - 1000 - k)
    plan, said, hint = desk.accept("b")
    assert said["prediction"]["fitted_on"] == MIN_HISTORY
    assert said["prediction"]["fill_prob"] == pytest.approx((MIN_HISTORY + 1) / (MIN_HISTORY + 2))
    assert hint == said["route_hint"] == "post_only"  # nothing was ever missed
    assert said["curators"]["execution"]["score"] is not None
    assert said["curators"]["venue"]["score"] == said["venues"][0]["score"]
    assert said["executor"]["reports"] == MIN_HISTORY
    assert plan.stage == "accepted"
    (score,) = plan.reference.venue_choice
    assert {"liquidity", "latency", "slippage", "success"} < set(score)
    state = replace(begin(plan_of(plan), BTC, "local", NOW_MS), done=True)
    told = report_payload(plan, state, NOW_MS).report
    assert told["venue_score"] == score["score"]
    assert told["predicted"]["route_hint"] == hint
    assert told["predicted"]["slippage_bps"] == said["prediction"]["slippage_bps"][1]


def test_a_prediction_changes_no_plan(desk: Desk) -> None:
    bare, *_ = desk.accept("c")
    for k in range(MIN_HISTORY):
        end(desk.databases, f"old {k}", NOW_MS - 1000 - k)
    desk.predictor = Predictor(desk.databases, lambda job: job())
    desk.handlers = hot_handlers(decider(), Acceptor(desk.market, known_of=desk.predictor.known))
    told, said, _ = desk.accept("d")
    assert said["prediction"]["fitted_on"] == MIN_HISTORY
    names = {"plan_id", "signal_id", "decision_id", "lifecycle_id"}
    one, other = ({k: v for k, v in row.plan.items() if k not in names} for row in (bare, told))
    assert one == other


def test_what_ends_later_changes_no_earlier_prediction(databases: Databases) -> None:
    """Plans that end at or after a moment, at another venue or on another branch, are not seen at that moment."""
    for k in range(MIN_HISTORY + 5):
        end(databases, f"old {k}", NOW_MS - 1000 - k, "failed" if k % 4 == 0 else "filled")
    before = known_at(databases, NOW_MS)
    assert before.model.fitted_on == MIN_HISTORY + 5
    for k in range(20):
        end(databases, f"later {k}", NOW_MS + 7 * k, "failed")
        end(databases, f"elsewhere {k}", NOW_MS - 5, "failed", venue="paper")
        end(databases, f"apart {k}", NOW_MS - 5, "failed", branch="other")
        end(databases, f"never due {k}", NOW_MS - 5, "expired")
    assert same(known_at(databases, NOW_MS), before)
    assert known_at(databases, NOW_MS + 1).model.fitted_on == MIN_HISTORY + 6


def test_a_fit_is_made_once_an_hour_of_event_time_and_never_answers_for_its_past(databases: Databases) -> None:
    jobs: list[Any] = []
    predictor = Predictor(databases, jobs.append)
    for k in range(MIN_HISTORY):
        end(databases, f"old {k}", NOW_MS - 1000 - k)
    assert predictor.known("main", "local", NOW_MS) is NOTHING_KNOWN
    assert predictor.known("main", "local", NOW_MS + REFIT_MS - 1) is NOTHING_KNOWN
    assert len(jobs) == 1
    jobs[0]()
    first = predictor.known("main", "local", NOW_MS + 1)
    assert (first.at_ms, first.model.fitted_on, len(jobs)) == (NOW_MS, MIN_HISTORY, 1)
    assert predictor.known("main", "local", NOW_MS - 1) is NOTHING_KNOWN, "an earlier day is replayed"
    assert predictor.known("main", "local", NOW_MS + REFIT_MS) is first
    assert len(jobs) == 3


def test_the_first_fit_runs_beside_its_caller(databases: Databases) -> None:
    answered = threading.Event()

    def in_thread_once_answered(job: Job) -> None:
        in_thread(lambda: job() if answered.wait(60) else None)

    predictor = Predictor(databases, in_thread_once_answered)
    assert predictor.known("main", "local", NOW_MS) is NOTHING_KNOWN
    answered.set()
    for thread in threading.enumerate():
        if thread.name == "predictions":
            thread.join()
    assert predictor.known("main", "local", NOW_MS).at_ms == NOW_MS


def test_stored_predictions_are_measured_against_their_outcomes(desk: Desk) -> None:
    for k in range(MIN_HISTORY):
        end(desk.databases, f"old {k}", NOW_MS - 1000 - k, "failed" if k % 4 == 0 else "filled")
    with desk.databases.connect("tr") as tr:
        few = prediction_facts(finished_plans(tr, "main")) | {"branch": "main"}
    assert few["venues"][0]["quality"] is None
    assert "too few" in page(few)
    plan, said, _ = desk.accept("m")
    with desk.databases.connect("tr") as tr:
        tr.execute("UPDATE tr_plans SET stage = 'done' WHERE plan_id = %s", [plan.plan_id])
        metrics = {
            "status": "filled", "finished_ts": NOW_MS + 9, "adherence": 1.0, "alarms": [],
            "slippage_arrival_bps": 2.0, "latency_ms": 25,
        }  # fmt: skip
        judge_plan(tr, plan.plan_id, [], metrics, {})
        facts = prediction_facts(finished_plans(tr, "main")) | {"branch": "main"}
    (row,) = facts["venues"]
    prob = said["prediction"]["fill_prob"]
    assert (row["finished"], row["with_features"], row["measured"]) == (MIN_HISTORY + 1, MIN_HISTORY + 1, 1)
    assert row["quality"]["brier"] == pytest.approx((prob - 1.0) ** 2)
    assert row["quality"]["brier_reference"] == pytest.approx((1 - 31 / 42) ** 2)
    assert row["quality"]["latency"]["count"] == 1
    assert facts["executors"][0]["reports"] == MIN_HISTORY + 1
    assert "Brier" in page(facts)


def test_what_rests_is_learnt_from_entries_that_rested_and_shown(desk: Desk) -> None:
    for k in range(2 * MIN_HISTORY):
        end_at_rest(desk.databases, f"old {k}", NOW_MS - 1000 - k, rested=k % 3 > 0)
        end_at_rest(desk.databases, f"crossed {k}", NOW_MS - 1000 - k, rested=False, joined=False)
    history = known_at(desk.databases, NOW_MS)
    assert (history.rest.fitted_on, history.model.fitted_on, history.is_rest_heard) == (80, 160, False)
    _, said, hint = desk.accept("r")
    assert said["rest"]["fitted_on"] == 2 * MIN_HISTORY
    assert hint == ("post_only" if said["rest"]["fill_prob"] >= 0.6 else "cross")
    with desk.databases.connect("tr") as tr:
        facts = prediction_facts(finished_plans(tr, "main")) | {"branch": "main"}
    (row,) = facts["venues"]
    assert (row["at_rest"], row["rest"]) == (80, None)
    (one,) = row["hints"]
    assert (one["hint"], one["joined"], one["crossed"], one["interval"]) == ("", 80, 80, None)
    text = page(facts)
    assert "80 entries were to rest, none with a fitted prediction" in text
    assert "hint (nothing known): joining paid" in text


@pytest.mark.parametrize("is_heard", [False, True])
def test_a_hint_that_is_shown_to_know_keeps_a_plan_of_the_book_from_resting(is_heard: bool) -> None:
    estimate = PreTradeEstimate(FEATURES_SEEN, Prediction(0.9), 0, RouteHint.CROSS, is_rest_heard=is_heard)
    assert estimate.forbids_rest is is_heard
    assert not replace(estimate, route_hint=RouteHint.POST_ONLY).forbids_rest
