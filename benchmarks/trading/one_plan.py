"""Cost of one plan in this process: `python benchmarks/trading/one_plan.py [--plans N] [--repeats K] [--json]`.

A plan is validated, entered by a grouped action, filled, protected, left at the market and finished against scripted
answers: nothing waits. The reference is the same number of events put into a bare dict, in the same run. Medians of
repeats of CPU time; nothing is asserted. (Literature: paired measurement.)
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lotus.manifest import Asset
from lotus.trading.execution.conditions import MarketView
from lotus.trading.execution.events import Cancel, Close, Command, Event, Place, Tick
from lotus.trading.execution.executor import begin, step
from lotus.trading.execution.order_machine import Purpose, TrackedOrder, filled, told
from lotus.trading.execution.orders import NewOrder, OrderState, OrderUpdate, Side, VenueFill
from lotus.trading.execution.state import ExecutionState
from lotus.trading.plan.plan import Authority, Limits, Plan, PlanId, PlanKind
from lotus.trading.plan.validate import AccountState, refusals

BTC = Asset("BTC", 5)
PX = Decimal(100_000)
VIEW = MarketView("BTC", 1_000, PX - 1, PX + 1, PX)
PLAN = Plan(
    plan_id=PlanId("p"),
    signal_id="s",
    decision_id="d",
    lifecycle_id="l",
    kind=PlanKind.BOOK,
    coin="BTC",
    side=Side.BUY,
    size=Decimal("0.01"),
    created_ms=0,
    valid_until_ms=60_000,
    stop_px=Decimal(99_000),
    take_profit_px=Decimal(102_000),
    limits=Limits(Decimal(1), Decimal(200_000), 5),
    authority=Authority("main", Decimal(50_000), ("tr",)),
    venues=("paper",),
)
ACCOUNT_STATE = AccountState(
    now_ms=1_000,
    venue="paper",
    account="main",
    executor="tr",
    release="",
    universe={"BTC": BTC},
    view=VIEW,
    equity_usd=Decimal(10_000),
    free_margin_usd=Decimal(10_000),
    leverage=3,
    coin_max_leverage=40,
)


def validate_one(plan: Plan) -> int:
    """Validate a sound plan."""
    return len(refusals(plan, ACCOUNT_STATE))


def to_first_order(plan: Plan) -> tuple[ExecutionState, tuple[Command, ...]]:
    """Validate a plan, begin it, show it a market: the way from an approved plan to its orders."""
    assert not refusals(plan, ACCOUNT_STATE)
    return step(begin(plan, BTC, "paper", 1_000), VIEW, 1_000)


def whole_life(plan: Plan) -> int:
    """Carry a plan from validation to its end; return the number of events that it took."""
    state, commands = to_first_order(plan)
    events, waiting = 1, _answers(commands, 1_001)
    for event in (Tick(), Close(), Tick()):
        waiting.append(event)
        while waiting:
            state, commands = step(state, waiting.pop(0), 1_001)
            waiting += _answers(commands, 1_001)
            events += 1
    assert state.done
    return events


def _answers(commands: tuple[Command, ...], now_ms: int) -> list[Event]:
    """Return a venue's answers: immediate orders are filled at once, the others wait."""
    out: list[Event] = []
    for command in commands:
        if isinstance(command, Place):
            for order in command.orders:
                out += _filled(order, now_ms) if order.trigger is None else [_update(order, OrderState.WAITING, now_ms)]
        if isinstance(command, Cancel):
            out += [OrderUpdate(name, OrderState.CANCELED, now_ms) for name in command.client_ids]
    return out


def _update(order: NewOrder, state: OrderState, now_ms: int) -> OrderUpdate:
    return OrderUpdate(order.client_id, state, now_ms, 1)


def _filled(order: NewOrder, now_ms: int) -> list[Event]:
    fill = VenueFill(
        order.client_id, order.client_id, 1, order.coin, order.side, order.size, PX, Decimal("0.4"), True, now_ms
    )
    return [fill, OrderUpdate(order.client_id, OrderState.FILLED, now_ms, 1, order.size, PX)]


def one_order(number: int) -> bool:
    """Take an order through acknowledgement, two fills and its end in the order machine alone."""
    order = NewOrder(f"0x{number}", "BTC", Side.BUY, Decimal(2), PX)
    tracked = TrackedOrder(order, Purpose.ENTRY, 0, 0)
    fill = VenueFill("a", order.client_id, 1, "BTC", Side.BUY, Decimal(1), PX, Decimal(0), True, 0)
    tracked = told(tracked, _update(order, OrderState.RESTING, 0), 1)
    tracked = filled(tracked, fill, 2)
    tracked = filled(tracked, replace(fill, fill_id="b"), 3)
    return told(tracked, _update(order, OrderState.FILLED, 0), 4).state.is_final


def bare(events: int) -> dict[str, tuple[str, Decimal, int]]:
    """Put as many events into a dict: what remembering them at all costs."""
    book: dict[str, tuple[str, Decimal, int]] = {}
    for k in range(events):
        name = f"0x{k}"
        book[name] = ("sent", Decimal(k), k)
        book[name] = ("filled", book[name][1] + 1, k)
    return book


def cost_us(work: Callable[[int], object], plans: int, repeats: int) -> float:
    """Return the median CPU time of one call in microseconds."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        for k in range(plans):
            work(k)
        times.append((time.process_time() - start) / plans * 1e6)
    return median(times)


def measure(plans: int, repeats: int) -> dict[str, dict[str, float]]:
    """Return microseconds a call and the ratio to the bare dict of the same number of events."""
    made = [replace(PLAN, plan_id=PlanId(str(k))) for k in range(plans)]
    events = whole_life(made[0])
    subjects: dict[str, tuple[Callable[[int], object], int]] = {
        "validate": (lambda k: validate_one(made[k]), 1),
        "order machine, one order": (one_order, 4),
        "plan to first orders": (lambda k: to_first_order(made[k]), 1),
        "whole life of a plan": (lambda k: whole_life(made[k]), events),
    }
    out = {}
    for name, (work, count) in subjects.items():
        reference = cost_us(lambda _, n=count: bare(n), plans, repeats)
        value = cost_us(work, plans, repeats)
        out[name] = {"us": value, "events": count, "bare_dict_us": reference, "ratio": value / max(reference, 1e-9)}
    return out


def main(args: list[str] | None = None) -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plans", type=int, default=2_000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(args)
    found = measure(given.plans, given.repeats)
    if given.json:
        print(json.dumps(found, indent=1))
        return
    for name, row in found.items():
        print(f"{name:28} {row['us']:8.1f} us  {row['events']:3.0f} events  {row['ratio']:6.1f} x a bare dict")


if __name__ == "__main__":
    main()
