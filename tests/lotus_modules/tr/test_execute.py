"""Plans of the trader: accepted, refused with reasons, with the knobs that hold."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hot_bed import BTC, END_MS, Market, account_state, decider, propose, settle
from msgspec import UNSET

from lotus.detectors.entry_style import EntryPlan, EntryStyle, Fallback
from lotus.hashing import natural_id
from lotus.knobs.style_draw import drawn_style
from lotus.modules.intents import Module
from lotus.modules.messages.trading import WindowTarget
from lotus.priors.types import ActiveBraid, Knob, Literal, Patch, PriorsVersion, Rule, priors_0, priors_version
from lotus.trading.estimates.pre_trade import PreTradeEstimate
from lotus.trading.estimates.predictor import Features, Prediction, RouteHint
from lotus.trading.execution.orders import Side
from lotus.trading.plan.knob_choice import KnobChoice
from lotus.trading.plan.plan import Authority, PlanKind, ProbeTerms, Strategy, probe_plan
from lotus.trading.plan.styles import CROSSING, Styles
from lotus_desk.execution.stored import choice_in, plan_of
from lotus_herald.consume import Handlers
from lotus_herald.keys import Keys
from lotus_herald.outbox import send
from lotus_herald.report import herald_status
from lotus_modules.handlers import hot_handlers
from lotus_modules.knobs import KnobChooser, StyleChooser
from lotus_modules.tr.execute import Acceptor, refusal_report
from lotus_modules.tr.ordered import in_style, is_styled, styled, styles_in
from lotus_store.databases import Databases
from lotus_store.facts.execution import execution_lines, execution_story
from lotus_store.ledger.beliefs.priors import put_in_force, put_version
from lotus_store.ledger.signals.executions import execution_of
from lotus_store.ledger.trading.plans import plans_for


@pytest.fixture
def market() -> Market:
    return Market(account_state())


@pytest.fixture
def handlers(market: Market) -> Mapping[Module, Handlers]:
    return hot_handlers(decider(), Acceptor(market))


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"halted": True}, "halted"),
        ({"view": None}, "stale_data"),
        ({"universe": {}}, "not_tradeable"),
        ({"now_ms": END_MS + 6_000}, "expired"),
        ({"clock_skew_ms": 600}, "clock_skew"),
        ({"parity_ok": False}, "parity_failed"),
        ({"free_margin_usd": Decimal(0)}, "too_large"),
        ({"equity_usd": Decimal(1_000)}, "curators"),
    ],
)
def test_a_refused_plan_is_reported_to_both_with_its_reasons(
    databases: Databases, keys: Keys, market: Market, handlers: Mapping[Module, Handlers], changed: Any, reason: str
) -> None:
    market.at = replace(market.at, **changed)
    event = propose(databases, keys, reason)
    counts = settle(databases, handlers, keys)
    assert counts == {"dm": {"applied": 2}, "tr": {"refused": 1}, "sig": {"applied": 1}}
    with databases.connect("sig") as sig, databases.connect("tr") as tr:
        told, (plan,) = execution_of(sig, event), plans_for(tr, event)
    assert told is not None
    assert (told.outcome, told.payoff_bps, plan.stage) == ("refused", 0.0, "refused")
    ours = reason not in ("not_tradeable", "too_large", "curators")
    assert told.void == (reason if ours else ""), "what our own machine prevented is no payoff of 0"
    lines = execution_lines(execution_story(databases, event))
    assert any(f"void ({reason})" in line for line in lines) == ours
    assert any(text.startswith(f"{reason}:") for text in told.body["refusals"]), told.body


def test_a_decision_is_answered_by_the_reports_of_its_plans(
    databases: Databases, keys: Keys, market: Market, handlers: Mapping[Module, Handlers]
) -> None:
    """What is under way, or opened nothing, is not waited for; a plan that is over without a report is."""
    propose(databases, keys, "open")
    settle(databases, handlers, keys)
    market.at = replace(market.at, halted=True)
    propose(databases, keys, "refused")
    settle(databases, handlers, keys)

    def unanswered() -> dict[str, int]:
        found: dict[str, int] = herald_status(databases)["dm"]["unanswered"]
        return found

    with databases.owner("dm") as dm, databases.owner("tr") as tr:
        dm.execute("UPDATE dm_outbox SET dispatched_at = now() - interval '2 minutes'")
        tr.execute("UPDATE tr_plans SET updated_at = now() - interval '2 minutes'")
    assert unanswered() == {}
    with databases.owner("tr") as tr:
        tr.execute("UPDATE tr_plans SET stage = 'done'")
    assert unanswered() == {"DM_DECISION": 1}
    with databases.connect("tr") as tr:
        (plan,) = plans_for(tr, natural_id("open"))
        (asked,) = tr.execute("SELECT event_id FROM tr_inbox WHERE lifecycle_id = %s", [natural_id("open")])
        assert (plan.parent_id,) == asked
        message = refusal_report(plan, (), END_MS)
        send(tr, Module.TR, message, keys)
    settle(databases, handlers, keys)
    assert unanswered() == {}
    with databases.owner("tr") as tr:
        tr.execute("UPDATE tr_inbox SET outcome = NULL, consumed_at = NULL")
        tr.execute("DELETE FROM tr_outbox")
    with databases.owner("dm") as dm:
        dm.execute("DELETE FROM dm_inbox WHERE intent = 'EXEC_REPORT'")
    assert unanswered() == {"DM_DECISION": 2}, "not even taken in"


def test_a_plan_of_another_release_is_refused(
    databases: Databases, keys: Keys, handlers: Mapping[Module, Handlers], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lotus_modules.tr.execute.release_of", lambda module: "lotus-9.9.9+0")
    event = propose(databases, keys, "r")
    settle(databases, handlers, keys)
    with databases.connect("sig") as sig:
        told = execution_of(sig, event)
    assert told is not None
    assert [text.split(":")[0] for text in told.body["refusals"]] == ["release_mismatch"]


def knob_version(effective_from_ms: int, mult: float = 1.05, branch: str = "main") -> PriorsVersion:
    """The trader believes that a higher `retry` pays where the volatility is high."""
    patch, rule = Patch(knobs=(Knob("execution:retry", mult),)), Rule.of(Literal(0, 3, 4))
    own = ActiveBraid(
        "b", "micro", "execution.retry", 60, rule, patch, (), effective_from_ms, END_MS * 2, "l", scope="tr"
    )
    return priors_version(branch, effective_from_ms, (own,))


def test_a_plan_is_accepted_with_the_knobs_that_hold_in_its_window_at_that_time(
    databases: Databases, keys: Keys, handlers: Mapping[Module, Handlers]
) -> None:
    held, later = knob_version(END_MS - 1000), knob_version(END_MS + 1000, 1.06)
    with databases.connect("tr") as tr:
        for version in (held, later):
            put_version(tr, version, "2024-12-31", priors_0("main"), "tr")
            put_in_force(tr, version, "message", "tr")
    calm, hot = "0" + 11 * "-", "4" + 11 * "-"
    events = {text: propose(databases, keys, text, context=text) for text in (calm, hot, "")}
    settle(databases, handlers, keys)
    with databases.connect("tr") as tr:
        chosen = {text: choice_in(plans_for(tr, event)[0].reference) for text, event in events.items()}
    assert chosen[hot] == KnobChoice(held.priors_ver, hot, {"execution:retry": pytest.approx(1.05)})
    assert chosen[calm] == KnobChoice(held.priors_ver, calm, {})
    assert chosen[""] == KnobChoice(held.priors_ver, "", {})
    story = execution_story(databases, events[hot])
    assert story is not None
    (line,) = [line for line in execution_lines(story) if "knobs" in line]
    assert f"priors {held.priors_ver}" in line
    assert "execution:retry x1.0500 = 525 ms" in line
    calm_lines = execution_lines(execution_story(databases, events[calm]))
    assert not [line for line in calm_lines if "knobs" in line]
    propose(databases, keys, "strange", context="no context")
    assert settle(databases, handlers, keys)["tr"] == {"dead": 1}


def test_only_plans_of_the_book_are_in_trials_and_only_when_asked_for(databases: Databases) -> None:
    terms = ProbeTerms(Decimal(1000), Decimal(300), Authority("a", Decimal(10_000), ("tr",)), ("local",))
    probes = [probe_plan(f"{i}", BTC, Side.BUY, Decimal(100_000), END_MS, 60_000, terms) for i in range(20)]
    books = [replace(plan, kind=PlanKind.BOOK) for plan in probes]
    with databases.connect("tr") as tr:
        for explore, plans, share in ((0.0, books, 0), (1.0, probes, 0), (1.0, books, 20)):
            chooser = KnobChooser(explore=explore)
            chosen = [chooser.choice(tr, "main", "", END_MS, plan) for plan in plans]
            assert sum(choice.trial is not None for choice in chosen) == share
    assert {choice.trial.arm for choice in chosen if choice.trial} == {0, 1}


def test_a_probe_is_executed_in_the_style_that_is_drawn_for_its_window_and_the_draw_is_kept(
    databases: Databases, keys: Keys, market: Market
) -> None:
    styler = StyleChooser((0.3, 0.3))
    handlers = hot_handlers(decider(), Acceptor(market, styler=styler))
    events = [propose(databases, keys, f"styled {i}") for i in range(20)]
    settle(databases, handlers, keys)
    seen = set()
    for event in events:
        with databases.connect("tr") as tr:
            (row,) = plans_for(tr, event)
        draw = drawn_style(event, styler.shares, styler.seed)
        assert draw is not None
        styles = plan_of(row).styles
        assert (styles.entry, styles.exit, styles.fallback) == (draw.style, draw.style, Fallback.CROSS)
        assert row.reference.style_draw == {"style": draw.style.value, "shares": list(draw.shares)}
        seen.add(draw.style)
    assert len(seen) == 3


def test_without_shares_no_draw_is_kept(databases: Databases, keys: Keys, handlers: Mapping[Module, Handlers]) -> None:
    event = propose(databases, keys, "plain")
    settle(databases, handlers, keys)
    with databases.connect("tr") as tr:
        (row,) = plans_for(tr, event)
    assert row.reference.style_draw is UNSET
    assert plan_of(row).styles == CROSSING


def target_of(**more: Any) -> WindowTarget:
    values = {"asset": "BTC", "side": 1, "exit_at_ms": 1, "event_id": "e", "detector_id": "d", "horizon_s": 30}
    return WindowTarget(**(values | more))


def test_what_is_ordered_stands_before_what_is_declared_and_that_before_the_draw() -> None:
    styler = StyleChooser((0.0, 0.9), 7, {"d": EntryPlan(EntryStyle.JOIN, Fallback.SKIP)})
    ordered, draw = styler.of_probe(target_of(entry_style="improve"), CROSSING)
    assert (ordered.entry, ordered.exit, draw) == (EntryStyle.IMPROVE, EntryStyle.CROSS, None)
    declared, draw = styler.of_probe(target_of(), CROSSING)
    assert (declared, draw) == (Styles(EntryStyle.JOIN, Fallback.SKIP, EntryStyle.JOIN), None)
    assert styler.of_probe(target_of(detector_id="other"), Styles(EntryStyle.JOIN))[1] is None
    assert styler.of_probe(target_of(detector_id="other"), CROSSING)[1] is not None
    assert styler.of_probe(target_of(detector_id="other", horizon_s=UNSET), CROSSING) == (CROSSING, None)


def test_a_plan_of_the_book_is_in_the_style_of_the_knob_and_a_probe_never() -> None:
    terms = ProbeTerms(Decimal(1000), Decimal(300), Authority("a", Decimal(10_000), ("tr",)), ("local",))
    probe = probe_plan("e", BTC, Side.BUY, Decimal(100_000), END_MS, 60_000, terms)
    book = replace(probe, kind=PlanKind.BOOK)
    assert in_style(book, EntryStyle.JOIN).styles == Styles(EntryStyle.JOIN, Fallback.CROSS, EntryStyle.JOIN)
    assert in_style(book, EntryStyle.CROSS) is book
    assert in_style(probe, EntryStyle.JOIN) is probe


def test_a_settled_style_and_a_hint_that_knows_keep_a_plan_of_the_book_from_the_style_of_the_knob() -> None:
    terms = ProbeTerms(Decimal(1000), Decimal(300), Authority("a", Decimal(10_000), ("tr",)), ("local",))
    probe = probe_plan("e", BTC, Side.BUY, Decimal(100_000), END_MS, 60_000, terms)
    book, features = replace(probe, kind=PlanKind.BOOK), Features(0.2, 0.01, 4.0, Side.BUY, Strategy.MARKET)
    against = PreTradeEstimate(features, Prediction(0.9), 0, RouteHint.CROSS, is_rest_heard=True)
    for estimate, settled, rests in (
        (None, False, True), (None, True, False), (against, False, False),
        (replace(against, is_rest_heard=False), False, True), (replace(against, route_hint=None), False, True),
    ):  # fmt: skip
        assert (styled(book, EntryStyle.JOIN, estimate, settled).styles.entry is EntryStyle.JOIN) is rests


@pytest.mark.parametrize(
    ("target", "is_settled", "entry"),
    [
        ({}, False, EntryStyle.JOIN),
        ({"entry_style": "cross"}, True, EntryStyle.CROSS),
        ({"entry_style": "improve"}, True, EntryStyle.IMPROVE),
        ({"asymmetry": {"urgency": "immediate"}}, True, EntryStyle.CROSS),
        ({"asymmetry": {"urgency": "immediate"}, "entry_style": "join"}, True, EntryStyle.JOIN),
        ({"asymmetry": {"urgency": "iceberg"}}, False, EntryStyle.JOIN),
        ({"terms": [{"term": "urgency", "level_bps": 0.0}]}, True, EntryStyle.CROSS),
    ],
)
def test_a_target_that_may_not_wait_crosses_and_one_that_names_its_style_keeps_it(
    target: dict[str, Any], is_settled: bool, entry: EntryStyle
) -> None:
    assert is_styled(target) == is_settled
    assert styles_in(target, Styles(EntryStyle.JOIN)).entry is entry
