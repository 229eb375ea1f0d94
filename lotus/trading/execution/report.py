"""`exec-report-1.0`: what became of one plan, written from its execution alone, and checked against its schema.

Slippage is positive when worse for us; adherence measures how well the plan was followed; lessons are codes that a
search can condition on. Nothing is judged by its profit here. The schema is the JSON file of `lotus.modules`. In the
literature: transaction cost analysis, implementation shortfall (Perold 1988).
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any, Literal

import fastjsonschema

from lotus.errors import SchemaError
from lotus.hashing import natural_id
from lotus.trading.accounts.funding import shares
from lotus.trading.accounts.positions import Costing, Position, position_of
from lotus.trading.execution.order_machine import ZERO, Purpose
from lotus.trading.execution.orders import Side, VenueFill
from lotus.trading.execution.state import Ending, ExecutionState
from lotus.trading.execution.void import void_of
from lotus.trading.plan.knob_choice import KnobChoice

EXEC_REPORT = "exec-report-1.0"
FillSource = Literal["venue", "paper_live", "tape_sim"]
MAX_BARE_MS = 5_000
Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Predicted:
    """What was predicted before the plan was sent."""

    fill_prob: float
    slippage_bps: float | None
    latency_ms: float | None
    route_hint: str


@dataclass(frozen=True, slots=True)
class ExecutionMeasures:
    """What an execution is judged by; bps are positive when worse, None where there is nothing to measure."""

    status: str
    size_filled: Decimal
    entry_px: Decimal | None
    exit_px: Decimal | None
    slippage_arrival_bps: float | None
    slippage_plan_bps: float | None
    slippage_exit_bps: float | None
    latency_ms: int | None
    fill_latency_ms: int | None
    adherence: float


def measured(state: ExecutionState) -> ExecutionMeasures:
    """Return slippage, latencies and adherence of an execution."""
    entries = list(state.of(Purpose.ENTRY))
    bought = [f for o in entries for f in o.fills.values()]
    names = {f.fill_id for f in bought}
    entry_px = _average(bought)
    sent = min((o.sent_ms for o in entries), default=None)
    answered = min((o.answered_ms for o in entries if o.answered_ms is not None), default=None)
    last = max((f.time_ms for f in bought), default=None)
    slippage = _bps(state.plan.side, entry_px, state.arrival_px)
    latency = None if sent is None or answered is None else answered - sent
    exit_px = _average(f for f in state.fills if f.fill_id not in names)
    return ExecutionMeasures(
        status=_status(state),
        size_filled=state.entered,
        entry_px=entry_px,
        exit_px=exit_px,
        slippage_arrival_bps=slippage,
        slippage_plan_bps=_bps(state.plan.side, entry_px, state.plan.entry_px),
        slippage_exit_bps=_bps(state.plan.exit_side, exit_px, state.leaving_px),
        latency_ms=latency,
        fill_latency_ms=None if sent is None or last is None else max(0, last - sent),
        adherence=_adherence(state, slippage, latency),
    )


def report(
    state: ExecutionState,
    finished_ms: int,
    fill_source: FillSource,
    venue_score: float | None = None,
    predicted: Predicted | None = None,
    choice: KnobChoice | None = None,
) -> Payload:
    """Return the payload of a finished execution; raises `SchemaError` when it does not fit its schema.

    `choice`: which knobs it was executed with and why; None says that nobody chose, and they stood at their start.
    """
    plan, measures = state.plan, measured(state)
    position = position_of(state.fills, shares(state), Costing.FIFO)
    worked, did_not, lessons = _learned(state, measures)
    payload: Payload = {
        "schema_ver": EXEC_REPORT,
        "execution_id": natural_id("execution", plan.plan_id, state.venue),
        "revision": state.revision,
        "plan_id": str(plan.plan_id),
        "signal_id": plan.signal_id,
        "decision_id": plan.decision_id,
        "lifecycle_id": plan.lifecycle_id,
        "kind": plan.kind.value,
        "asset": plan.coin,
        "side": "long" if plan.side is Side.BUY else "short",
        "strategy": plan.strategy,
        "venue": state.venue,
        "fill_source": fill_source,
        "status": measures.status,
        "entry_ending": state.entry_ending.value,
        "ending": _ending(state).value,
        "accepted_ts": state.accepted_ms,
        "finished_ts": finished_ms,
        "size_planned": _text(plan.size),
        "size_filled": _text(measures.size_filled),
        "entry_px": _text_or_null(measures.entry_px),
        "exit_px": _text_or_null(measures.exit_px),
        "arrival_px": _text_or_null(state.arrival_px),
        "plan_px": _text_or_null(plan.entry_px),
        "slippage_arrival_bps": measures.slippage_arrival_bps,
        "slippage_plan_bps": measures.slippage_plan_bps,
        "slippage_exit_bps": measures.slippage_exit_bps,
        "latency_ms": measures.latency_ms,
        "fill_latency_ms": measures.fill_latency_ms,
        "bare_ms_max": state.bare_ms_max,
        "adherence": measures.adherence,
        "venue_score": venue_score,
        "predicted": None if predicted is None else asdict(predicted),
        "knobs": None if choice is None else _chosen(choice),
        **_money(position, state, measures),
        "orders": _orders(state),
        "fills": [_fill(f) for f in state.fills],
        "alarms": sorted(state.alarms),
        "what_worked": worked,
        "what_did_not": did_not,
        "lessons": lessons,
    }
    if not plan.styles.crosses:
        payload["styles"] = asdict(plan.styles) | {"repegs": _repegs(state)}
    return check_report(payload)


def check_report(payload: Payload) -> Payload:
    """Return a payload that fits the schema; raises `SchemaError` with the path of the first member that does not."""
    try:
        _validator()(payload)
    except fastjsonschema.JsonSchemaValueException as problem:
        raise SchemaError(problem.message, f"a payload of {EXEC_REPORT}") from problem
    return payload


def report_schema() -> Mapping[str, Any]:
    """Return the schema of the report."""
    text = (resources.files("lotus.modules") / "schemas" / f"{EXEC_REPORT}.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


@cache
def _validator() -> Callable[[Payload], object]:
    compiled: Callable[[Payload], object] = fastjsonschema.compile(
        report_schema(), use_default=False, use_formats=False
    )
    return compiled


def _status(state: ExecutionState) -> str:
    if state.entered >= state.plan.size:
        return "filled"
    if state.entered:
        return "partial"
    if state.entry_ending is Ending.EXPIRED:
        return "expired"
    ordered = (Ending.HALTED, Ending.ORDERED, Ending.TRIGGER_ENDED, Ending.TIME)
    return "cancelled" if state.entry_ending in ordered or void_of(state) else "failed"


def _ending(state: ExecutionState) -> Ending:
    """Return why the position was left: the engine's own reason, or which resting exit was filled."""
    if state.ending is not Ending.NONE:
        return state.ending
    if any(o.filled for o in state.of(Purpose.STOP, Purpose.GUARD)):
        return Ending.STOP
    return Ending.TAKE_PROFIT if any(o.filled for o in state.of(Purpose.TAKE_PROFIT)) else Ending.NONE


def _average(fills: Iterable[VenueFill]) -> Decimal | None:
    rows = list(fills)
    size = sum((f.size for f in rows), ZERO)
    return sum((f.size * f.px for f in rows), ZERO) / size if size else None


def _bps(side: Side, px: Decimal | None, reference: Decimal | None) -> float | None:
    if px is None or reference is None:
        return None
    return float((px - reference) / reference * int(side) * 10_000)


def _adherence(state: ExecutionState, slippage: float | None, latency: int | None) -> float:
    """Return .4 size filled + .2 slippage + .2 latency within the plan + .2 protected; 1 when nothing was due."""
    if not state.orders:
        return 1.0
    plan = state.plan
    size = min(1.0, float(state.entered / plan.size))
    kept = 1.0 if slippage is None else min(1.0, max(0.0, 1.0 - slippage / float(plan.max_slippage_bps)))
    quick = 1.0 if latency is None or latency <= plan.max_latency_ms else plan.max_latency_ms / latency
    return 0.4 * size + 0.2 * kept + 0.2 * quick + 0.2 * (state.bare_ms_max <= MAX_BARE_MS)


def _learned(state: ExecutionState, measures: ExecutionMeasures) -> tuple[list[str], list[str], list[str]]:
    """Return what worked, what did not, in words, and the codes of all of it."""
    plan, slip, latency = state.plan, measures.slippage_arrival_bps, measures.latency_ms
    guards, exits = len(list(state.of(Purpose.GUARD))), len(list(state.of(Purpose.EXIT)))
    facts: list[tuple[bool, bool, str, str]] = [
        (measures.status == "filled", True, "entry_filled", "the entry was filled whole"),
        (measures.status == "partial", False, "entry_partial", f"{measures.size_filled} of {plan.size} were filled"),
        (measures.status == "failed", False, "entry_failed", "the entry was sent or due and not filled"),
        (slip is not None and slip <= 0, True, "better_than_arrival", "the entry was no worse than the mid at arrival"),
        (slip is not None and slip > plan.max_slippage_bps, False, "slippage_above_plan", f"{slip} bps of slippage"),
        (latency is not None and latency > plan.max_latency_ms, False, "latency_above_plan", f"{latency} ms to answer"),
        (any(not f.is_taker for f in state.fills), True, "maker_fills", "some fills rested and paid the maker's fee"),
        (guards > 0, False, "guard_needed", "a grouped stop did not protect in time and a guard was sent"),
        (state.bare_ms_max > MAX_BARE_MS, False, "unprotected", f"{state.bare_ms_max} ms without a known stop"),
        (exits > 1, False, "exit_repeated", f"{exits} orders were needed to close"),
        (bool(state.foreign), False, "foreign_fill", "a fill came from no order of the plan"),
        (_ending(state) is Ending.STOP, False, "stop_hit", "the stop was reached"),
        (_ending(state) is Ending.TAKE_PROFIT, True, "take_profit_hit", "the take-profit was reached"),
    ]
    holding = [(good, code, text) for true, good, code, text in facts if true]
    return (
        [t for good, _, t in holding if good],
        [t for good, _, t in holding if not good],
        [code for _, code, _ in holding],
    )


def _money(position: Position, state: ExecutionState, measures: ExecutionMeasures) -> Payload:
    mark = state.view.mark if state.view is not None else (measures.entry_px or ZERO)
    gross, net = position.realised_usd + position.unrealised_usd(mark), position.net_usd(mark)
    value = measures.size_filled * (measures.entry_px or ZERO)
    return {
        "fees": {"taker_usd": _text(position.taker_fees_usd), "maker_usd": _text(position.maker_fees_usd)},
        "funding_usd": _text(position.funding_usd),
        "pnl": {
            "gross_usd": _text(gross),
            "net_usd": _text(net),
            "net_bps": float(net / value * 10_000) if value else None,
        },
        "position_after": {"size": _text(position.size), "entry_px": _text_or_null(position.entry_px)},
    }


def _orders(state: ExecutionState) -> list[Payload]:
    return [
        {
            "client_id": o.client_id,
            "purpose": o.purpose.value,
            "index": o.index,
            "state": o.state.value,
            "size": _text(o.order.size),
            "filled": _text(o.filled),
            "sent_ts": o.sent_ms,
            "reason": o.reason,
        }
        for o in state.orders.values()
    ]


def _fill(fill: VenueFill) -> Payload:
    return {
        "fill_id": fill.fill_id,
        "client_id": fill.client_id,
        "side": fill.side.name.lower(),
        "size": _text(fill.size),
        "px": _text(fill.px),
        "fee_usd": _text(fill.fee_usd),
        "is_taker": fill.is_taker,
        "ts": fill.time_ms,
    }


def _repegs(state: ExecutionState) -> int:
    """Return how often an order at rest was replaced, by one that follows the market or one that is priced anew."""
    sides = ([o for o in state.of(purpose) if o.may_rest] for purpose in (Purpose.ENTRY, Purpose.EXIT))
    return sum(max(0, len(orders) - 1) for orders in sides)


def _chosen(choice: KnobChoice) -> Payload:
    experiment = None if choice.trial is None else asdict(choice.trial)
    moved = dict(choice.moved)
    return {"priors_ver": choice.priors_ver, "context": choice.context, "moved": moved, "trial": experiment}


def _text(number: Decimal) -> str:
    """Return a decimal as text without exponent, negative zero or needless zeros."""
    text = format(number + 0 if number else ZERO, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _text_or_null(number: Decimal | None) -> str | None:
    return None if number is None else _text(number)
