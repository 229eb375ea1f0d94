"""Reports of real executions against the model venue: they fit their schema and say what happened."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from trading_plans import BTC, plan
from trading_venue import Desk, ModelVenue

from lotus.errors import SchemaError
from lotus.knobs.experiment import KnobExperiment
from lotus.trading.execution.events import Close, ForeignFill
from lotus.trading.execution.executor import begin
from lotus.trading.execution.orders import FundingPayment, Side, VenueFill
from lotus.trading.execution.report import Predicted, check_report, measured, report, report_schema
from lotus.trading.plan.knob_choice import KnobChoice

D = Decimal
BOTH = pytest.mark.parametrize("side", list(Side))


def executed(side: Side, exit_mark: int, **changes: object) -> Desk:
    """Return a desk whose plan was entered at 100,000 and left at another mark."""
    desk = Desk(begin(plan(side, **changes), BTC, "model", 0), ModelVenue())
    for _ in range(3):
        desk.wait(100)
        desk.deliver_all()
    desk.feed(FundingPayment("BTC", D("0.4"), D("0.04") * int(side), D("0.0001"), 250))
    desk.venue.mark = D(exit_mark)
    desk.feed(Close())
    for _ in range(5):
        desk.wait(100)
        desk.deliver_all()
    assert desk.state.done
    return desk


@BOTH
def test_a_report_says_what_happened_to_the_last_cent(side: Side) -> None:
    desk = executed(side, 100_500)
    made = report(desk.state, 5_000, "venue", 0.8, Predicted(0.9, 1.5, 80.0, "cross"))
    assert json.loads(json.dumps(made)) == made
    gross = D("0.01") * 500 * int(side)
    assert (D(made["pnl"]["gross_usd"]), D(made["funding_usd"])) == (gross, D("0.1"))  # a quarter of the account's
    assert D(made["pnl"]["net_usd"]) == gross - D("0.1")
    assert made["pnl"]["net_bps"] == pytest.approx(float((gross - D("0.1")) / 1_000 * 10_000))
    assert (made["status"], made["ending"], made["side"]) == ("filled", "ordered", "long" if side > 0 else "short")
    assert (made["entry_px"], made["exit_px"], made["arrival_px"]) == ("100000", "100500", "100000")
    assert made["position_after"] == {"size": "0", "entry_px": None}
    assert (made["slippage_arrival_bps"], made["slippage_plan_bps"], made["latency_ms"]) == (0.0, None, 0)
    assert made["adherence"] == pytest.approx(1.0)
    assert made["lessons"] == ["entry_filled", "better_than_arrival"]
    assert len(made["orders"]) == 4
    assert len(made["fills"]) == 2


@BOTH
def test_slippage_is_positive_when_worse_for_both_sides(side: Side) -> None:
    state = executed(side, 100_000).state
    worse = replace(state, arrival_px=D(100_000) - int(side) * 100)
    assert measured(worse).slippage_arrival_bps == pytest.approx(10.0, rel=0.01)
    assert measured(worse).adherence == pytest.approx(0.96, abs=1e-3)
    assert "better_than_arrival" not in report(worse, 1, "venue")["lessons"]


@BOTH
def test_the_exit_is_measured_against_the_mid_when_the_engine_decided_to_leave(side: Side) -> None:
    state = executed(side, 100_000).state
    assert state.leaving_px == D(100_000)
    seen = replace(state, leaving_px=D(100_000) + int(side) * 100)  # the market was better when it decided
    assert report(seen, 0, "venue")["slippage_exit_bps"] == pytest.approx(1e6 / (100_000 + int(side) * 100))
    assert report(replace(state, leaving_px=None), 0, "venue")["slippage_exit_bps"] is None
    choice = KnobChoice("f" * 32, 12 * "-", {"execution:retry": 1.06}, KnobExperiment("execution:retry", 1, 0.5, 1.06))
    told = report(state, 0, "venue", choice=choice)["knobs"]
    assert told["trial"] == {"key": "execution:retry", "arm": 1, "propensity": 0.5, "step": 1.06}


def test_what_failed_is_told_as_failed() -> None:
    desk = Desk(begin(plan(), BTC, "model", 0), ModelVenue(refuse_entries=True))
    for _ in range(20):
        desk.wait(100)
        desk.deliver_all()
    made = report(desk.state, 2_000, "paper_live")
    assert (made["status"], made["entry_ending"], made["pnl"]["net_bps"]) == ("failed", "refused_by_venue", None)
    assert made["orders"][0]["reason"] == "Insufficient margin to place order."
    assert made["lessons"] == ["entry_failed"]
    never = report(replace(begin(plan(), BTC, "model", 0)), 1, "venue")
    assert (never["orders"], never["adherence"]) == ([], 1.0)


def test_lessons_name_guards_repeated_exits_and_foreign_fills() -> None:
    desk = Desk(begin(plan(), BTC, "model", 0), ModelVenue(drop_children=True))
    for _ in range(25):
        desk.wait(100)
        desk.deliver_all()
    part = VenueFill("x1", "", 99, "BTC", Side.SELL, D("0.004"), D(99_000), D(0), True, desk.now_ms)
    desk.feed(ForeignFill(part))
    desk.venue.fills.append(part)
    desk.venue.share = D(0)
    desk.feed(Close())
    desk.wait(100)
    desk.venue.share = D(1)
    for _ in range(20):
        desk.wait(100)
        desk.deliver_all()
    made = report(desk.state, 9_000, "venue")
    assert {"guard_needed", "exit_repeated", "foreign_fill"} <= set(made["lessons"])
    assert D(made["pnl"]["gross_usd"]) == D("0.004") * -1_000


def test_a_payload_that_does_not_fit_is_refused_with_its_path() -> None:
    made = report(executed(Side.BUY, 100_100).state, 1, "venue")
    for key, value in (("status", "done"), ("adherence", 1.5), ("size_filled", "1e-5"), ("fees", {})):
        with pytest.raises(SchemaError, match=f"data.{key}"):
            check_report({**made, key: value})
    schema = report_schema()
    assert set(schema["required"]) == set(schema["properties"]) - {"styles"} == set(made)
    assert all("description" in member for member in schema["properties"].values())
