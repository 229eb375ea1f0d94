"""The executed half of an explanation: from a fill, order or plan back to the window, and what became of a window.

Read from the trader's and the decision-maker's databases; nothing is decided or changed here.
"""

import json
from collections.abc import Mapping
from typing import Any

from lotus.trading.plan.knobs import KNOBS, patched
from lotus_store.databases import Connection, Databases
from lotus_store.facts.words import clock
from lotus_store.ledger.signals.executions import execution_of
from lotus_store.ledger.trading.decisions import decision_of
from lotus_store.ledger.trading.plans import (
    FillLine,
    OrderLine,
    PlanRow,
    fill_of,
    fills_of,
    orders_of,
    plan_of_order,
    plans_for,
)


def window_behind(databases: Databases, name: str) -> str:
    """Return the event behind the name of a fill, an order or a plan; any other name is returned as it is."""
    with databases.connect("tr") as tr:
        plans = plans_for(tr, plan_of_name(tr, name))
    return plans[0].reference.event_id or name if plans else name


def plan_of_name(tr: Connection, name: str) -> str:
    """Return the plan of a fill or an order; any other name is returned as it is."""
    fill = fill_of(tr, name)
    return plan_of_order(tr, fill.client_id if fill is not None else name) or name


def execution_story(databases: Databases, event_id: str) -> dict[str, Any] | None:
    """Return how a window was decided on and executed, None when nobody took it up."""
    with databases.connect("tr") as tr:
        plans = [plan_story(tr, plan) for plan in plans_for(tr, event_id)]
    if not plans:
        return None
    with databases.connect("dm") as dm:
        tickets = {plan["decision_id"]: decision_of(dm, plan["decision_id"]) for plan in plans}
    with databases.connect("sig") as sig:
        execution = execution_of(sig, event_id)
    outcome = None
    if execution is not None:
        outcome = {name: getattr(execution, name) for name in ("outcome", "venue", "payoff_bps", "void")}
        outcome["refusals"] = list(execution.body.get("refusals", ()))
    return {"plans": plans, "tickets": tickets, "outcome": outcome}


def execution_lines(story: Mapping[str, Any] | None) -> list[str]:
    """Return the story as lines for a terminal."""
    if story is None:
        return ["EXECUTION no order was sent for this window: nobody took it up at a venue"]
    lines = []
    for plan in story["plans"]:
        lines.append(
            f"EXECUTION plan {plan['plan_id']} ({plan['kind']}, {plan['stage']}) at {plan['venue']}, "
            f"taken up {plan['taken_up']}, decision {plan['decision_id']}"
        )
        lines += _knobs(plan["knobs"])
        for order in plan["orders"]:
            body = order["body"]["order"]
            side = "buy" if int(body["side"]) > 0 else "sell"
            lines.append(f"  {order['sent']}  {order['purpose']:<11} {side:<4} {body['size']} {plan['coin']} "
                         f"at {body['limit_px']}  {order['state']}  {order['client_id']}")  # fmt: skip
        lines += [
            f"  {fill['time']}  fill {fill['fill_id']}: {fill['body']['size']} at {fill['body']['px']}, "
            f"fee {fill['body']['fee_usd']} USD"
            for fill in plan["fills"]
        ]
    outcome = story["outcome"]
    if outcome is not None:
        net = f"{outcome['payoff_bps']:+.2f} bps after costs"
        if outcome["void"]:
            net = f"void ({outcome['void']}): our own machine prevented it, so it is no evidence"
        lines.append(f"  told back: {outcome['outcome']} at {outcome['venue']}, {net}")
        lines += [f"    {refusal}" for refusal in outcome["refusals"]]
    return lines


def _knobs(choice: Mapping[str, Any]) -> list[str]:
    """Return which knobs of execution a plan was executed with, where they did not stand at their start."""
    moved, composed = choice.get("moved", {}), choice.get("composed", ())
    settled = [f"  entry settled for its detector by composition {name}" for name in composed]
    if not moved:
        return settled
    values = patched(moved)
    moved_knobs = [
        f"{s.key} x{moved[s.key]:.4f} = {getattr(values, s.name):g} {s.unit}" for s in KNOBS if s.key in moved
    ]
    return [f"  knobs by priors {choice['priors_ver']} of the trader: {'; '.join(moved_knobs)}", *settled]


def plan_story(tr: Connection, row: PlanRow) -> dict[str, Any]:
    """Return a plan with its orders and fills as plain values."""
    return {
        "plan_id": row.plan_id,
        "decision_id": row.decision_id,
        "kind": row.kind,
        "stage": row.stage,
        "venue": row.venue,
        "coin": row.coin,
        "taken_up": clock(row.created_ms),
        "knobs": _plain(row.reference.knobs or {}),
        "orders": [_order(line) for line in orders_of(tr, row.plan_id)],
        "fills": [_fill(line) for line in fills_of(tr, row.plan_id)],
    }


def _order(line: OrderLine) -> dict[str, Any]:
    return {"client_id": line.client_id, "purpose": line.purpose, "state": line.state, "sent": clock(line.sent_ms),
            "body": _plain(line.body)}  # fmt: skip


def _fill(line: FillLine) -> dict[str, Any]:
    return {"fill_id": line.fill_id, "time": clock(line.time_ms), "body": _plain(line.body)}


def _plain(body: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(json.dumps(body))
    return values
