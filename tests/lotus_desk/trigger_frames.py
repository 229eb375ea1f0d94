"""Frames of a recording and plans with triggers."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from tapes import MANIFEST, UNIVERSE

from lotus.detectors.registry import shipped_detectors
from lotus.hashing import natural_id
from lotus.modules.messages.trading import PlanReference
from lotus.trading.execution.orders import Side
from lotus.trading.plan.plan import Authority, Plan, ProbeTerms, probe_plan
from lotus_live.parity import neutral_beliefs
from lotus_live.pipeline.collector import DayCollector
from lotus_live.pipeline.day_lane import LaneSpec
from lotus_live.pipeline.lines import Pipeline
from lotus_store.ledger.trading.plans import PlanRow

SPEC = LaneSpec(MANIFEST, UNIVERSE, shipped_detectors(), "main")
TERMS = ProbeTerms(Decimal(1000), Decimal(300), Authority("a", Decimal(10**6), ("tr",)), ("paper",))


def plan_of(text: str, coin: int, created_ms: int, valid_ms: int = 3_600_000) -> tuple[PlanRow, Plan]:
    name = natural_id("trigger", text, coin)
    made = probe_plan(name, UNIVERSE[coin], Side.BUY, Decimal(100), created_ms, 60_000, TERMS)
    plan = replace(made, trigger=text, valid_until_ms=created_ms + valid_ms)
    row = PlanRow(
        plan.plan_id,
        "main",
        natural_id("d", name),
        name,
        "book",
        plan.coin,
        "paper",
        "accepted",
        created_ms,
        {},
        PlanReference(),
        {},
    )
    return row, plan


def frames_of(lines: list[tuple[int, bytes]]) -> tuple[Any, Any]:
    """Return the day's frames as batch has them."""
    batch = DayCollector()
    pipeline = Pipeline(SPEC, neutral_beliefs(SPEC), lambda _: batch)
    for number, (recv_ns, raw) in enumerate(lines):
        pipeline.feed(recv_ns, number, raw)
    pipeline.settle()
    return batch.ints.array(), batch.floats.array()
