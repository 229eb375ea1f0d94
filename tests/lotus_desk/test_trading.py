"""A daemon that trades a replay, at the local exchange and on paper: scores stay, every window is answered for."""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tapes import MANIFEST, UNIVERSE, in_order, market, write

from lotus.decision.allocation.covariance import Covariance
from lotus.decision.knowledge.calibration import Cell, ScoreCalibration
from lotus.decision.knowledge.feedback import DecisionMemory
from lotus.decision.knowledge.plan_terms import LEVELS_BPS, Term, TermAccount
from lotus.detectors.registry import shipped_detectors
from lotus.errors import ConfigError
from lotus.hashing import natural_id
from lotus.modules.signals import DET_ALPHA
from lotus.timebase import day_start_ms, next_day
from lotus_desk.accounts.accounts import VenueAccess, venue_account
from lotus_desk.trading import TradingClock, trading_of
from lotus_live.live import run_live
from lotus_store.config import Settings
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.signals.executions import executions_of
from lotus_store.ledger.signals.signals import SignalRow
from lotus_store.ledger.trading.knowledge import Knowledge, executors_by, put_knowledge
from lotus_store.ledger.trading.plans import PlanRow, fills_of, orders_of, plans_for
from lotus_store.settings.sections import TradingSettings
from lotus_venues.hyperliquid.venue import HyperliquidVenue
from lotus_venues.replay_server import ReplayPlan

DAY = "2026-03-04"
PACE = {"local": 0.0, "paper": 30.0}  # at the exchange the tape waits for the desk


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Seven minutes of three assets."""
    return write(tmp_path / "tape.txt", in_order(market(DAY, "09:00", 420, step_ms=500, seed=11)))


@pytest.fixture
def trading(settings: Settings) -> Settings:
    """Settings that trade at the local exchange."""
    wanted = TradingSettings(venue="local")
    return replace(settings, manifest=MANIFEST, trading=wanted)


def paper_fills(tr: Connection) -> list[tuple[str, Any]]:
    """Return what the paper accounts executed: account and fill."""
    return [(str(name), body) for name, body in tr.execute("SELECT account, body FROM tr_paper_fills")]


def in_force_at_16_bps(source: str, horizon_s: int) -> TermAccount:
    """Return the account of a take-profit that stands at 16 bps."""
    gains = tuple(100.0 * (level == 16.0) for level in LEVELS_BPS)
    weights = (100.0,) * len(LEVELS_BPS)
    return TermAccount(source, horizon_s, Term.TAKE_PROFIT, weights, gains, 20, 20.0, 30.0, (9.0,) * 4, in_force=True)


def believe(databases: Databases, branch: str, day: str) -> None:
    """Write a night that trusts every shipped detector far more than it should, so that the book moves."""
    rows = [(f"det:{spec.detector_id}@{spec.version}", spec.horizon_s, "") for spec in shipped_detectors()]
    cells = tuple(Cell(key, (0.0, 1.0), (40.0, 90.0), 10.0, 3600.0, 10_000.0) for key in sorted(rows))
    names = tuple(asset.name for asset in UNIVERSE)
    covariance = Covariance(names, np.diag([4.0, 6.0, 9.0]), 60.0, day_start_ms(DAY), 0.1, 1000)
    terms = tuple(in_force_at_16_bps(source, horizon_s) for source, horizon_s, _ in sorted(rows))
    night = Knowledge(day, ScoreCalibration(DAY, cells, 200.0, "0" * 32), DecisionMemory(), covariance, {}, terms)
    with databases.connect("dm") as dm:
        put_knowledge(dm, branch, night)


@pytest.mark.process("a day of minutes is traded order by order")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("style", ["cross", "join"])
@pytest.mark.parametrize("venue", ["local", "paper"])
def test_a_traded_replay_scores_the_same_and_answers_for_what_it_published(
    databases: Databases, trading: Settings, recording: Path, venue: str, style: str
) -> None:
    wanted = replace(trading.trading, venue=venue, entry_style=style, exit_style=style, explore_entry=(0.0, 0.0))
    trading = replace(trading, trading=wanted)
    believe(databases, trading.branch, next_day(DAY, -1))
    still = run_live(trading, (recording,), run_id="still", databases=databases)
    traded = run_live(
        trading, (recording,), run_id="traded", plan=ReplayPlan(speed=PACE[venue]), databases=databases, trade=True
    )
    assert traded.events_hash == still.events_hash
    published = {
        str(name)
        for name, is_published in zip(traded.events["event_id"], traded.events["published"], strict=True)
        if is_published
    }
    assert len(published) > 5
    with databases.connect("sig") as sig, databases.connect("tr") as tr:
        told = {row.event_id: row for row in executions_of(sig, trading.branch, 0, 2**60)}
        names = "id, symbol, session_bucket, regime, detector_id, sig_sigma, sq, gates, outcomes"
        strands = {str(row[0]): row[1:] for row in sig.execute(f"SELECT {names} FROM sig_strand")}
        plans = {name: plans_for(tr, name) for name in published}
        assert all(len(found) <= 1 for found in plans.values())
        taken = {name: found[0] for name, found in plans.items() if found}
        decisions = {str(name) for (name,) in tr.execute("SELECT event_id FROM tr_inbox WHERE intent = 'DM_DECISION'")}
        parents = [json.loads(str(said))["parent_id"] for (said,) in tr.execute(
            "SELECT envelope FROM tr_outbox WHERE intent = 'EXEC_REPORT'")]  # fmt: skip
        assert set(taken) <= set(strands) <= published
        assert all(None not in row[:7] for row in strands.values())
        assert {name for name, row in strands.items() if row[7] is not None} == set(told)
        assert parents
        assert set(parents) <= decisions, "every report answers the message that asked for its plan"
        assert len(taken) >= len(published) - 3, "what closed in the last moments of the tape may not be on its way"
        assert set(told) <= set(taken)
        closed = [name for name, row in told.items() if row.outcome == "closed"]
        assert closed, [(row.outcome, row.void, row.body) for row in told.values()][:3]
        for name in closed:
            orders, fills = orders_of(tr, taken[name].plan_id), fills_of(tr, taken[name].plan_id)
            assert {o.purpose for o in orders} >= {"entry", "stop"}
            bought = sum(int(f.body["side"]) * float(f.body["size"]) for f in fills)
            assert abs(bought) < 1e-9, "a closed window holds nothing"
            assert told[name].venue == venue
            assert told[name].body["report"]["fill_source"] == ("paper_live" if venue == "paper" else "venue")
            assert told[name].payoff_bps != 0.0
        if venue == "paper":
            own = {f"{name}/{row['number']}" for name, row in paper_fills(tr)}
            written = {str(name) for (name,) in tr.execute("SELECT fill_id FROM tr_fills")}
            assert written == own, "what was filled in the tape's last moment too"
        rested = [f.body["is_taker"] for name in closed for f in fills_of(tr, taken[name].plan_id)]
        assert (False in rested) is (style == "join")
    the_book_moved(databases, trading.branch, traded.status["book"], venue)


@pytest.mark.process("a day of minutes is traded order by order")
@pytest.mark.timeout(600)
def test_a_recording_is_traded_at_two_exchanges_of_other_fees_and_latencies(
    databases: Databases, trading: Settings, recording: Path
) -> None:
    """Scores stay; each venue keeps its own orders and fees, and the book counts what is held at both."""
    believe(databases, trading.branch, next_day(DAY, -1))
    still = run_live(trading, (recording,), run_id="still", databases=databases)
    wanted = replace(trading.trading, exchanges=2, second_latency_ms=80, explore_venue=0.5, explore_entry=(0.0, 0.0))
    trading = replace(trading, trading=wanted)
    traded = run_live(trading, (recording,), run_id="traded", databases=databases, trade=True)
    assert traded.events_hash == still.events_hash
    with databases.connect("tr") as tr:
        stages = dict(tr.execute("SELECT venue || ' ' || stage, count(*) FROM tr_plans GROUP BY 1").fetchall())
        fees = dict(tr.execute(
            "SELECT venue, sum((body->>'fee_usd')::numeric) / sum((body->>'px')::numeric * (body->>'size')::numeric)"
            " FROM tr_fills WHERE (body->>'is_taker')::boolean GROUP BY 1").fetchall())  # fmt: skip
        strays = tr.execute(
            "SELECT count(*) FROM tr_orders o JOIN tr_plans p USING (plan_id) WHERE o.venue <> p.venue"
            " OR (p.plan #>> '{authority,account}' LIKE '%@local-2') <> (p.venue = 'local-2')").fetchone()  # fmt: skip
        late = dict(tr.execute(
            "SELECT p.venue, percentile_cont(0.5) WITHIN GROUP (ORDER BY (s.exec_metrics->>'latency_ms')::float)"
            " FROM tr_plans p JOIN tr_strand s ON s.id = p.plan_id WHERE p.stage = 'done' GROUP BY 1"
        ).fetchall())  # fmt: skip
        drawn = [body for (body,) in tr.execute("SELECT reference->'venue_draw' FROM tr_plans")]
    assert stages.get("local done", 0) > 5, stages
    assert stages.get("local-2 done", 0) > 5, stages
    assert {venue: round(float(fee) * 1e4, 1) for venue, fee in fees.items()} == {"local": 4.5, "local-2": 2.8}
    assert strays == (0,)
    assert late == {"local": 0.0, "local-2": 80.0}, "in ms of the tape"
    assert all(body is not None and sum(share for _, share in body["shares"]) == 1.0 for body in drawn)
    told = traded.status["trading"]
    assert (told["broken"], told["alarms"], set(told["away"])) == (0, 0, set())


def the_book_moved(databases: Databases, branch: str, told: Mapping[str, Any], venue: str) -> None:
    """Check that windows were decided once each, within their authority, and that targets became positions."""
    with databases.connect("dm") as dm, databases.connect("tr") as tr, databases.connect("sig") as sig:
        tickets = [row[0] for row in dm.execute("SELECT ticket FROM dm_decisions WHERE kind = 'book' ORDER BY time_ms")]
        plans = [PlanRow(*row) for row in tr.execute(
            "SELECT plan_id, branch, decision_id, lifecycle_id, kind, coin, venue, stage, created_ms, plan, reference,"
            " execution FROM tr_plans WHERE kind = 'book' ORDER BY created_ms, plan_id")]  # fmt: skip
        filled = {p.plan_id: fills_of(tr, p.plan_id) for p in plans}
        assert sig.execute(
            "SELECT count(*) FROM executions WHERE body->>'plan_id' = ANY(%s)", [list(filled)]
        ).fetchone() == (0,)
        scores = executors_by(dm, branch, DAY)
    assert told["knowledge"] == next_day(DAY, -1)
    assert told["windows"]["sent"] == len(tickets) > 0, told
    assert len({ticket["asof_ts"] for ticket in tickets}) == len(tickets)
    assert any(filled.values()), (told, [p.reference for p in plans])
    for plan in plans:
        budget = float(plan.plan["authority"]["budget_usd"])
        assert float(plan.plan["size"]) * float(plan.reference["mark"]) <= budget
        assert plan.plan["authority"]["account"] == "book"
        assert plan.plan["exit_at_ms"] > plan.created_ms
        gain = float(plan.plan["take_profit_px"]) / float(plan.reference["mark"]) - 1
        assert gain * plan.plan["side"] == pytest.approx(16e-4, rel=0.05), "the ticket's term"
    assert any(plan.stage == "done" and filled[plan.plan_id] for plan in plans), "none was left within its time"
    assert [score.executor for score in scores] == [f"{venue}:market"]


@pytest.mark.parametrize("url", ["https://api.hyperliquid.xyz", "http://10.0.0.1:3001", ""])
def test_orders_go_to_loopback_only(settings: Settings, databases: Databases, url: str) -> None:
    with pytest.raises(ConfigError, match="orders would go to"):
        trading_of(settings, databases, (), url, TradingClock(lambda: 0))


def test_a_real_venue_wants_its_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no probes-long\.key"):
        venue_account(
            "probes-long",
            VenueAccess(
                url="https://api.hyperliquid.xyz",
                keys=tmp_path / "keys",
                journals=tmp_path / "j",
                universe=(),
                clock_ms=lambda: 0,
                expires_ms=5000,
            ),
            1000,
        )  # type: ignore[arg-type]


def test_a_window_that_is_no_proposal_does_not_hold_up_the_log(
    databases: Databases, trading: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    desk = trading_of(trading, databases, UNIVERSE, "http://127.0.0.1:1", TradingClock(lambda: 1_000_000))
    end = {"window": {"start_ms": 0, "end_ms": 990_000}}
    good = {
        "branch": "main", "event_id": natural_id("a"), "detector_id": "sr", "asset": "BTC", "horizon_s": 30,
        "priors_ver": "0" * 32, "provenance": end,
    }  # fmt: skip
    rows = [
        SignalRow("bad", DET_ALPHA, 990_000, json.dumps(good | {"asset": 7})),
        SignalRow("odd", DET_ALPHA, 990_000, "{}"),
        SignalRow("old", DET_ALPHA, 900_000, json.dumps(good | {"event_id": natural_id("b")})),
        SignalRow("other", "ms-1.0", 990_000, "{}"),
        SignalRow("good", DET_ALPHA, 990_000, json.dumps(good)),
    ]
    with databases.connect("sig") as sig:
        desk.propose(sig, rows)
        desk.propose(sig, rows)
        said = sig.execute("SELECT intent, lifecycle_id FROM sig_outbox").fetchall()
    assert said == [("ALPHA_PROPOSED", natural_id("a"))]
    assert "window bad is not proposed" in caplog.text
    assert "window odd is not proposed" in caplog.text
    assert {record.__dict__["event_id"] for record in caplog.records} == {"bad", "odd", "other"}


def test_a_replay_of_an_earlier_day_signs_after_one_of_a_later_day(trading: Settings, databases: Databases) -> None:
    """The venue refuses nonces that are days away from its clock, and a replay's clock is its tape's."""
    leverage = {"type": "updateLeverage", "asset": 0, "isCross": True, "leverage": 5}
    for session, day in (("replay-b", next_day(DAY)), ("replay-a", DAY)):
        clock = partial(day_start_ms, day)
        made = trading_of(trading, databases, UNIVERSE, "http://127.0.0.1:1", TradingClock(clock, 30.0), session)
        for venue in made.desk.venues.values():
            assert isinstance(venue, HyperliquidVenue)
            signer = venue.exchange.signer
            nonce = signer.sign(leverage, clock(), clock() + 1_000)["nonce"]
            signer.journal.close()
            assert 0 <= nonce - clock() < 1_000
