"""Plans, orders and fills of the trader in the tr database: what is under way, and what a start after a crash needs.

A plan's whole execution is one value beside it, written before anything is sent; orders and fills are for readers.
Every write may be repeated. What the values mean is `lotus.trading`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from lotus.modules.messages.trading import PlanReference
from lotus.timebase import session_of
from lotus.trading.accounts.book import OpenPlan
from lotus.trading.execution.orders import Side
from lotus.trading.plan.styles import CROSSING, Styles
from lotus_store.ledger.bodies import from_body, to_body
from lotus_store.postgres.queries import Connection, put_rows, query


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A plan of a venue: `stage` is accepted, working, done or refused; `reference` names the window it measures.

    `execution` is the state of its executor, empty before the first step; `created_ms` is event time. `session` is the
    run whose feed the venue lives on (a paper account, the exchange of a replay), empty for a venue that outlives runs.
    `ceiling` and `exit_at_ms` are what later decisions of the book made of it; `parent_id` is the message that asked
    for it, the parent of all its messages.
    """

    plan_id: str
    branch: str
    decision_id: str
    lifecycle_id: str
    kind: str
    coin: str
    venue: str
    stage: str
    created_ms: int
    plan: Mapping[str, Any]
    reference: PlanReference
    execution: Mapping[str, Any]
    ceiling: Decimal | None = None
    exit_at_ms: int | None = None
    session: str = ""
    parent_id: str = ""


@dataclass(frozen=True, slots=True)
class PlanStep:
    """What a step changed: stage, execution, what it will hold, the orders and fills that it names, all its funding."""

    plan_id: str
    stage: str
    execution: Mapping[str, Any]
    will_hold: Decimal
    orders: Sequence["OrderLine"] = ()
    fills: Sequence["FillLine"] = ()
    paid: Sequence["FundingLine"] = ()


@dataclass(frozen=True, slots=True)
class OrderLine:
    """An order as it stands."""

    client_id: str
    plan_id: str
    venue: str
    coin: str
    purpose: str
    state: str
    sent_ms: int
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FillLine:
    """One fill of a venue."""

    venue: str
    fill_id: str
    client_id: str
    coin: str
    time_ms: int
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BookResult:
    """A plan of the book and what was filled of it: (purpose, when its order was sent, fill), oldest first.

    `size` is what was planned, base units.
    """

    plan_id: str
    coin: str
    stage: str
    created_ms: int
    funding_usd: float
    styles: Styles = CROSSING
    size: float = 0.0
    fills: Sequence[tuple[str, int, Mapping[str, Any]]] = ()


@dataclass(frozen=True, slots=True)
class FundingLine:
    """A plan's part of the funding that an account paid at an hour."""

    venue: str
    account: str
    coin: str
    time_ms: int
    plan_id: str
    usd: float
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TriggerLine:
    """An event of a plan's trigger, by its number in the watch."""

    plan_id: str
    seq: int
    status: str
    time_ms: int
    body: Mapping[str, Any]


def put_plan(
    connection: Connection,
    row: PlanRow,
    estimate: Mapping[str, Any] | None = None,
    route_hint: str | None = None,
    regime: str | None = None,
) -> None:
    """Write a plan and its strand, with what is thought of it before it is executed; those that are there stay."""
    horizon_s = row.reference.horizon_s
    values = {
        "plan_id": row.plan_id, "branch": row.branch, "decision_id": row.decision_id, "lifecycle_id": row.lifecycle_id,
        "kind": row.kind, "coin": row.coin, "venue": row.venue, "stage": row.stage, "created_ms": row.created_ms,
        "plan": to_body(row.plan), "reference": to_body(row.reference), "execution": to_body(row.execution),
        "session": row.session, "parent_id": row.parent_id, "timeframe": f"{horizon_s}s" if horizon_s else None,
        "session_bucket": session_of(row.created_ms).name, "regime": regime,
        "foretold": None if estimate is None else to_body(estimate), "route_hint": route_hint,
    }  # fmt: skip
    connection.execute(query("tr", "put_plan"), values)


def move_plan(connection: Connection, plan_id: str, row: PlanRow) -> None:
    """Write the plan that takes the place of one that is done and never reached its venue; safe to repeat."""
    put_plan(connection, row)
    connection.execute(query("tr", "move_plan"), [row.plan_id, plan_id])


def step_plans(connection: Connection, steps: Sequence[PlanStep]) -> None:
    """Write what steps changed, in the caller's transaction."""
    stepped = [[step.plan_id, step.stage, to_body(step.execution), step.will_hold] for step in steps]
    put_rows(connection, query("tr", "step_plans"), stepped)
    put_rows(connection, query("tr", "put_tr_funding"), [_paid(paid) for step in steps for paid in step.paid])
    note_lines(connection, [o for step in steps for o in step.orders], [f for step in steps for f in step.fills])


def note_lines(connection: Connection, orders: Sequence[OrderLine], fills: Sequence[FillLine]) -> None:
    """Write orders, each but once, and fills, in the caller's transaction; fills that are there stay."""
    put_rows(connection, query("tr", "put_tr_orders"), [_order(order) for order in orders])
    put_rows(connection, query("tr", "put_tr_fills"), [_fill(fill) for fill in fills])


def judge_plan(
    connection: Connection,
    plan_id: str,
    fills: Sequence[Mapping[str, Any]],
    metrics: Mapping[str, Any],
    position: Mapping[str, Any],
) -> None:
    """Write what became of a plan to its strand."""
    connection.execute(query("tr", "judge_tr_strand"), [to_body(fills), to_body(metrics), to_body(position), plan_id])


def open_plans(connection: Connection, venues: Sequence[str], session: str = "") -> list[PlanRow]:
    """Return the plans of some venues and a session that are accepted or working, oldest first."""
    return [_plan(row) for row in connection.execute(query("tr", "open_plans"), [list(venues), session])]


def book_plans(connection: Connection, accounts: Sequence[tuple[str, str]], session: str) -> dict[str, list[OpenPlan]]:
    """Return the open plans of the book in some accounts, each with its venue first, by coin, oldest first."""
    plans: dict[str, list[OpenPlan]] = {}
    venues, names = [venue for venue, _ in accounts], [name for _, name in accounts]
    for row in connection.execute(query("tr", "book_plans"), [session, venues, names]):
        plan_id, coin, side, will_hold, exit_at_ms = row
        plans.setdefault(coin, []).append(OpenPlan(plan_id, Side(side), will_hold, exit_at_ms))
    return plans


def book_results(connection: Connection, branch: str) -> list[BookResult]:
    """Return all plans of a branch's book, refused ones too, oldest first."""
    fills: dict[str, list[tuple[str, int, Mapping[str, Any]]]] = {}
    for row in connection.execute(query("tr", "book_fills"), [branch]):
        plan_id, *fill = row
        fills.setdefault(plan_id, []).append((fill[0], fill[1], fill[2]))
    rows = list(connection.execute(query("tr", "book_results"), [branch]))
    return [
        BookResult(
            plan_id=name,
            coin=coin,
            stage=stage,
            created_ms=ms,
            funding_usd=usd,
            styles=CROSSING if styles is None else from_body(styles, Styles),
            size=size,
            fills=fills.get(name, ()),
        )
        for name, coin, stage, ms, usd, styles, size in rows
    ]


def plan_styles(connection: Connection, plan_ids: Sequence[str]) -> dict[str, Styles]:
    """Return by name the styles in which plans were ordered, of those that were planned at all."""
    rows = connection.execute(query("tr", "plan_styles"), [list(plan_ids)])
    return {str(plan_id): from_body(styles, Styles) for plan_id, styles in rows}


def at_work(connection: Connection, decisions: Sequence[str], since_s: float) -> frozenset[str]:
    """Return which of these DM_DECISION messages wait for no report: taken in, and no plan of theirs is over yet.

    A plan that was over for less than `since_s` seconds counts as under way, for its report is.
    """
    return frozenset(str(row[0]) for row in connection.execute(query("tr", "at_work"), [list(decisions), since_s]))


def lower_ceiling(connection: Connection, plan_id: str, ceiling: Decimal) -> None:
    """Let an open plan hold no more than `ceiling` from now on; a lower one stays."""
    connection.execute(query("tr", "lower_ceiling"), {"plan_id": plan_id, "ceiling": ceiling})


def move_exit_on(connection: Connection, plan_id: str, exit_at_ms: int) -> None:
    """Let an open plan be held until `exit_at_ms`; a later time stays."""
    connection.execute(query("tr", "move_exit_on"), {"plan_id": plan_id, "exit_at_ms": exit_at_ms})


def plans_for(connection: Connection, name: str) -> list[PlanRow]:
    """Return the plan of that name, or the plans of a lifecycle (the window that they measure), oldest first."""
    return [_plan(row) for row in connection.execute(query("tr", "plans_for"), {"name": name})]


def traded_days(connection: Connection, branch: str, venues: Sequence[str]) -> list[str]:
    """Return the UTC days on which plans of a branch were filled at one of the venues, newest first."""
    return [str(day) for (day,) in connection.execute(query("tr", "traded_days"), [branch, list(venues)])]


def orders_of(connection: Connection, plan_id: str) -> list[OrderLine]:
    """Return the orders of a plan, oldest first."""
    return [OrderLine(*row) for row in connection.execute(query("tr", "orders_of_plan"), [plan_id])]


def fills_of(connection: Connection, plan_id: str) -> list[FillLine]:
    """Return the fills of a plan, oldest first."""
    return [FillLine(*row) for row in connection.execute(query("tr", "fills_of_plan"), [plan_id])]


def funding_of(connection: Connection, plan_id: str) -> list[FundingLine]:
    """Return what a plan bore of its account's funding, oldest first."""
    return [FundingLine(*row) for row in connection.execute(query("tr", "funding_of_plan"), [plan_id])]


def put_trigger_events(connection: Connection, lines: Sequence[TriggerLine]) -> None:
    """Write events of triggers; those that are there stay."""
    rows = [[line.plan_id, line.seq, line.status, line.time_ms, to_body(line.body)] for line in lines]
    with connection.cursor() as cursor:
        cursor.executemany(query("tr", "put_trigger_event"), rows)


def trigger_events_of(connection: Connection, plan_id: str) -> list[TriggerLine]:
    """Return the events of a plan's trigger, in order."""
    return [TriggerLine(*row) for row in connection.execute(query("tr", "trigger_events_of"), [plan_id])]


def plan_of_order(connection: Connection, client_id: str) -> str | None:
    """Return the plan whose order this is."""
    row = connection.execute(query("tr", "plan_of_order"), [client_id]).fetchone()
    return str(row[0]) if row else None


def known_orders(connection: Connection, client_ids: Sequence[str]) -> frozenset[str]:
    """Return which of these orders were ever written down."""
    rows = connection.execute(query("tr", "known_orders"), [list(client_ids)])
    return frozenset(str(row[0]) for row in rows)


def fill_of(connection: Connection, fill_id: str) -> FillLine | None:
    """Return a fill by the name its venue gave it."""
    row = connection.execute(query("tr", "tr_fill"), [fill_id]).fetchone()
    return FillLine(*row) if row else None


def _plan(row: Sequence[Any]) -> PlanRow:
    values: dict[str, Any] = {f.name: value for f, value in zip(fields(PlanRow), row, strict=True)}
    return PlanRow(**values | {"reference": from_body(values["reference"], PlanReference)})


def _order(line: OrderLine) -> list[Any]:
    place = [line.client_id, line.plan_id, line.venue, line.coin, line.purpose, line.state, line.sent_ms]
    return [*place, to_body(line.body)]


def _fill(line: FillLine) -> list[Any]:
    return [line.venue, line.fill_id, line.client_id, line.coin, line.time_ms, to_body(line.body)]


def _paid(line: FundingLine) -> list[Any]:
    return [line.venue, line.account, line.coin, line.time_ms, line.plan_id, line.usd, to_body(line.body)]
