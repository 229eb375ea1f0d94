"""The round trips of windows as a venue executed them, read from what the trader told; nothing is split here."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from lotus.timebase import NS_PER_MS, day_of, day_start_ms, next_day
from lotus.trading.plan.styles import CROSSING, Styles
from lotus_store.databases import Connection
from lotus_store.facts.pnl.trips import RoundTrip, TripFill
from lotus_store.ledger.signals.executions import Execution, executions_of
from lotus_store.ledger.trading.plans import plan_styles

PAPER = "paper"


class _Ordered(TypedDict):
    styles: Styles
    planned: float


def executions_on(sig: Connection, branch: str, days: Sequence[str]) -> list[Execution]:
    """Return the executions of a branch that may have closed on some days: of their windows, and of the day before."""
    return executions_of(sig, branch, day_start_ms(next_day(days[0], -1)), day_start_ms(next_day(days[-1])))


def venue_trips(executions: Sequence[Execution], days: Sequence[str], paper: bool = False) -> list[RoundTrip]:
    """Return the windows that a venue answered for and closed on some days, in the order of `executions`.

    With `paper` those that the desk's paper accounts answered for, else those of other venues.

    A window that was refused or not filled is a trip without fills on the day of its end; a void one is none.
    """
    trips = [_trip(row) for row in executions if (row.venue == PAPER) == paper and not row.void]
    return [trip for trip in trips if trip.closed_day in days]


def causes_of_void(executions: Sequence[Execution], days: Sequence[str]) -> dict[str, int]:
    """Count the executions of windows that ended on some days by what made them void, under "" those that are evidence.

    The causes are those of `lotus.trading.execution.void`.
    """
    return dict(sorted(Counter(row.void for row in executions if day_of(row.window_end_ms) in days).items()))


def void_styles(
    tr: Connection, executions: Sequence[Execution], days: Sequence[str], paper: bool = False
) -> list[Styles]:
    """Return the styles of the windows of some days whose plans our own machine prevented, as they were ordered."""
    void = [row for row in executions if row.void and (row.venue == PAPER) == paper]
    asked = [str(row.body.get("plan_id", "")) for row in void if day_of(row.window_end_ms) in days]
    styles = plan_styles(tr, asked)
    return [styles.get(plan_id, CROSSING) for plan_id in asked]


def _trip(row: Execution) -> RoundTrip:
    report: Mapping[str, Any] = row.body.get("report") or {}
    fills = report.get("fills", ())
    side, opening = (1, "buy") if report.get("side", "long") == "long" else (-1, "sell")
    entry = tuple(_fill(fill) for fill in fills if fill["side"] == opening)
    leave = tuple(_fill(fill) for fill in fills if fill["side"] != opening)
    names = report.get("styles", {})
    ordered: _Ordered = {
        "styles": CROSSING.ordered(*(names.get(name, "") for name in ("entry", "fallback", "exit"))),
        "planned": float(report.get("size_planned", 0.0)),
    }
    if not fills:
        return RoundTrip(
            event_id=row.event_id,
            side=side,
            closed_day=day_of(row.window_end_ms),
            fees_usd=0.0,
            funding_usd=0.0,
            net_usd=0.0,
            entry=(),
            exit=(),
            **ordered,
        )
    fees = sum(float(usd) for usd in report["fees"].values())
    funding, net = float(report["funding_usd"]), float(report["pnl"]["net_usd"])
    closed = day_of(max(int(fill["ts"]) for fill in fills))
    return RoundTrip(
        event_id=row.event_id,
        side=side,
        closed_day=closed,
        fees_usd=fees,
        funding_usd=funding,
        net_usd=net,
        entry=entry,
        exit=leave,
        **ordered,
    )


def _fill(body: Mapping[str, Any]) -> TripFill:
    return TripFill(float(body["px"]), float(body["size"]), int(body["ts"]) * NS_PER_MS, not body["is_taker"])
