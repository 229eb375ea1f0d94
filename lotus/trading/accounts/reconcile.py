"""What the own state and the venue's do not agree on, and what follows from each difference. A pure comparison.

The venue's word is the truth; own orders that it no longer holds are asked for by name, never assumed dead. Orders
and positions that nobody here owns are taken away, except stops that still protect something. It runs on connecting
and on a timer. In the literature: position and order reconciliation; level-triggered repair.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from lotus.trading.execution.order_machine import ZERO, TrackedOrder, possible_ids
from lotus.trading.execution.orders import (
    OpenOrder,
    OrderState,
    OrderUpdate,
    TriggerKind,
    VenueFill,
    VenuePosition,
)


class Difference(StrEnum):
    """What does not agree."""

    NOT_OPEN = "not_open"  # an own order is believed alive and the venue does not hold it
    ORPHAN = "orphan"  # the venue holds an order that nobody here knows
    LOST_ORDER = "lost_order"  # the venue holds an order of a living plan that its state does not know
    STATE_DIFFERS = "state_differs"  # the venue was asked for an order and says something else
    FILL_MISSING = "fill_missing"  # a fill of an own order was not seen
    FOREIGN_FILL = "foreign_fill"  # a fill of no own order on a coin that a plan holds
    POSITION_UNTRACKED = "position_untracked"  # the venue holds more than all plans together
    POSITION_GONE = "position_gone"  # the venue holds less than all plans together


class Action(StrEnum):
    """What follows."""

    ASK = "ask"
    CANCEL = "cancel"
    KEEP = "keep"
    ADOPT = "adopt"
    MARK_NEVER_PLACED = "mark_never_placed"
    TAKE_FILL = "take_fill"
    GIVE_TO_PLAN = "give_to_plan"
    WAIT_FOR_FILLS = "wait_for_fills"
    CLOSE = "close"
    MARK_REDUCED = "mark_reduced"


@dataclass(frozen=True, slots=True)
class Own:
    """What is believed here: every order of living plans, signed positions by coin over all plans, living plan ids."""

    orders: Mapping[str, TrackedOrder]
    positions: Mapping[str, Decimal]
    plans: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class VenueReport:
    """What the venue reported: open orders taken at `taken_ms` (own clock), positions, fills, answers to questions.

    `fills_complete` says that the fills reach from the last comparison to after the positions were taken; only then
    does a position that differs mean anything but a fill under way. Positions in `moving` coins are left out:
    they changed during the query.
    """

    open_orders: Sequence[OpenOrder]
    positions: Sequence[VenuePosition]
    taken_ms: int
    fills: Sequence[VenueFill] = ()
    answers: Sequence[OrderUpdate] = ()
    fills_complete: bool = False
    moving: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One difference: where, what was found, what was expected, what follows; `size` is signed for positions."""

    difference: Difference
    action: Action
    coin: str
    client_id: str
    found: str
    expected: str
    size: Decimal = ZERO


def findings(own: Own, report: VenueReport) -> tuple[Discrepancy, ...]:
    """Return all differences, orders first, positions last; none at all: both agree."""
    return (
        *_not_open(own, report),
        *_unknown_open(own, report),
        *_answers(own, report),
        *_fills(own, report),
        *_positions(own, report),
    )


def _not_open(own: Own, report: VenueReport) -> Iterable[Discrepancy]:
    held = {o.client_id for o in report.open_orders}
    for name, order in own.orders.items():
        if name in held or order.state.is_final or order.sent_ms >= report.taken_ms:
            continue
        yield Discrepancy(
            difference=Difference.NOT_OPEN,
            action=Action.ASK,
            coin=order.order.coin,
            client_id=name,
            found="not among the open orders",
            expected=order.state.value,
        )


def _unknown_open(own: Own, report: VenueReport) -> Iterable[Discrepancy]:
    """A strange order goes, unless it belongs to a living plan or is a stop of a position that exists."""
    strange = [o for o in report.open_orders if o.client_id not in own.orders]
    own_ids = {name for plan in own.plans for name in possible_ids(plan)} if strange else set()
    held = {p.coin for p in report.positions if p.size}
    for order in strange:
        what = f"{order.side.name} {order.left} {order.coin} at {order.limit_px}"
        if order.client_id in own_ids:
            yield Discrepancy(
                difference=Difference.LOST_ORDER,
                action=Action.ADOPT,
                coin=order.coin,
                client_id=order.client_id,
                found=what,
                expected="known to its plan",
            )
            continue
        stop = order.reduce_only and order.trigger is not None and order.trigger.kind is TriggerKind.STOP_LOSS
        action = Action.KEEP if stop and order.coin in held else Action.CANCEL
        yield Discrepancy(
            difference=Difference.ORPHAN,
            action=action,
            coin=order.coin,
            client_id=order.client_id,
            found=what,
            expected="no order of unknown origin",
        )


def _answers(own: Own, report: VenueReport) -> Iterable[Discrepancy]:
    for update in report.answers:
        order = own.orders.get(update.client_id)
        if order is None or order.state is update.state or update.state is OrderState.UNKNOWN:
            continue
        never = update.state is OrderState.NEVER_PLACED
        action = Action.MARK_NEVER_PLACED if never else Action.ADOPT
        found, expected = update.state.value, order.state.value
        yield Discrepancy(
            difference=Difference.STATE_DIFFERS,
            action=action,
            coin=order.order.coin,
            client_id=update.client_id,
            found=found,
            expected=expected,
        )


def _fills(own: Own, report: VenueReport) -> Iterable[Discrepancy]:
    seen = {fill_id for order in own.orders.values() for fill_id in order.fills}
    for fill in report.fills:
        if fill.fill_id in seen:
            continue
        what, signed = f"{fill.side.name} {fill.size} {fill.coin} at {fill.px}", fill.size * int(fill.side)
        if fill.client_id in own.orders:
            yield Discrepancy(
                difference=Difference.FILL_MISSING,
                action=Action.TAKE_FILL,
                coin=fill.coin,
                client_id=fill.client_id,
                found=what,
                expected="a fill seen",
                size=signed,
            )
        elif own.positions.get(fill.coin):
            yield Discrepancy(
                difference=Difference.FOREIGN_FILL,
                action=Action.GIVE_TO_PLAN,
                coin=fill.coin,
                client_id=fill.client_id,
                found=what,
                expected="fills of own orders",
                size=signed,
            )


def _positions(own: Own, report: VenueReport) -> Iterable[Discrepancy]:
    """Compare signed sizes by coin; what cannot be fills under way is closed at the venue or written off here."""
    venue = {p.coin: p.size for p in report.positions}
    coming = dict.fromkeys({*venue, *own.positions}, ZERO)
    for finding in _fills(own, report):
        coming[finding.coin] = coming.get(finding.coin, ZERO) + finding.size
    for coin in sorted(coming.keys() - report.moving):
        there, here = venue.get(coin, ZERO), own.positions.get(coin, ZERO) + coming[coin]
        if there == here:
            continue
        excess = there - here
        untracked = here == 0 or excess * here > 0 or there * here < 0
        difference = Difference.POSITION_UNTRACKED if untracked else Difference.POSITION_GONE
        action = Action.CLOSE if untracked else Action.MARK_REDUCED
        action = action if report.fills_complete else Action.WAIT_FOR_FILLS
        yield Discrepancy(
            difference=difference,
            action=action,
            coin=coin,
            client_id="",
            found=f"{there} {coin} at the venue",
            expected=f"{here}",
            size=excess,
        )
