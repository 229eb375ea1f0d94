"""The book's targets against the plans that are open: what has to be opened, lowered or held. A pure comparison.

A target is a signed size and the range in which the trader may leave it. An open plan counts with what it will hold
once all that is under way is over. More of a direction is one new plan; less is a ceiling on open plans, the oldest
first; the other direction waits until the coin is flat, for a venue would net them. In the literature: parent order
netting, target-position execution.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from lotus.hashing import natural_id
from lotus.manifest import Asset
from lotus.trading.execution.orders import Side
from lotus.trading.execution.rounding import MIN_NOTIONAL_USD, round_px, round_size
from lotus.trading.plan.plan import BPS, Authority, Limits, Plan, PlanId, PlanKind
from lotus.trading.plan.styles import CROSSING, Styles

ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class BookTarget:
    """What a coin of the book shall be: signed base units, with the least and the most that it may be left at.

    `more` (from 0 on) is what the decision adds to what it saw: a decision that only holds or lowers opens nothing,
    even when the plans that it counted on have ended since.
    """

    coin: str
    size: Decimal
    low: Decimal
    high: Decimal
    more: Decimal


@dataclass(frozen=True, slots=True)
class OpenPlan:
    """A plan of the book that is not over: what it will hold (from 0 on, base units), and when it is left."""

    plan_id: str
    side: Side
    will_hold: Decimal
    exit_at_ms: int


@dataclass(frozen=True, slots=True)
class PositionChange:
    """What follows for a coin: the signed size to open (0: nothing), new ceilings by plan, plans to be held on.

    `after` is the signed size that the coin's plans will hold then.
    """

    opened: Decimal
    ceilings: tuple[tuple[str, Decimal], ...]
    held_on: tuple[str, ...]
    after: Decimal


@dataclass(frozen=True, slots=True)
class BookTerms:
    """What plans of the book share: stop distance, styles, where and by whom they are executed, how long held."""

    stop_bps: Decimal
    authority: Authority
    venues: tuple[str, ...]
    max_leverage: int
    entry_valid_ms: int
    hold_ms: int
    release: str = ""
    strategy: str = "market"
    styles: Styles = CROSSING
    rest_ms: int = 0


@dataclass(frozen=True, slots=True)
class BookEntry:
    """What one decision says of the plan that opens a coin; `trigger` "" enters at once."""

    decision_id: str
    lifecycle_id: str
    signal_id: str
    valid_until_ms: int
    trigger: str
    confidence: float


def change_of(
    target: BookTarget, plans: Sequence[OpenPlan], asset: Asset, px: Decimal, least_usd: Decimal
) -> PositionChange:
    """Return what brings a coin's open `plans` (oldest first) to its target; a step is worth at least `least_usd`.

    Inside the range nothing moves; what moves goes to the target, in whole lots. A plan that would be left with less
    than the venue's minimum is left whole.
    """
    held = sum((int(p.side) * p.will_hold for p in plans), ZERO)
    own = [p for p in plans if int(p.side) * target.size > 0]
    others = [p for p in plans if int(p.side) * target.size <= 0]
    if target.low <= held <= target.high:
        return PositionChange(ZERO, (), tuple(p.plan_id for p in own if p.will_hold), held)
    ceilings = [(p.plan_id, ZERO) for p in others if p.will_hold]
    have, want = sum((p.will_hold for p in own), ZERO), abs(target.size)
    opened = round_size(asset, min(want - have, target.more)) if want > have and not others else ZERO
    surplus = round_size(asset, have - want) if have > want else ZERO
    if surplus * px >= least_usd:
        ceilings += _lowered(own, surplus, px)
    if opened * px < max(least_usd, MIN_NOTIONAL_USD):
        opened = ZERO
    sign, lowered = (1 if target.size > 0 else -1), dict(ceilings)
    kept = [p for p in own if lowered.get(p.plan_id, p.will_hold)]
    after = sum((lowered.get(p.plan_id, p.will_hold) for p in own), ZERO) + opened
    return PositionChange(sign * opened, tuple(ceilings), tuple(p.plan_id for p in kept), sign * after)


def _lowered(plans: Sequence[OpenPlan], surplus: Decimal, px: Decimal) -> list[tuple[str, Decimal]]:
    """Return ceilings that take `surplus` off, the oldest plan first."""
    made: list[tuple[str, Decimal]] = []
    for plan in plans:
        left = plan.will_hold - min(plan.will_hold, surplus)
        if surplus <= 0 or not plan.will_hold:
            continue
        surplus -= plan.will_hold - left
        made.append((plan.plan_id, left if left * px >= MIN_NOTIONAL_USD else ZERO))
    return made


def book_plan(entry: BookEntry, asset: Asset, size: Decimal, mark_px: Decimal, now_ms: int, terms: BookTerms) -> Plan:
    """Return the plan that opens a signed `size` of a coin for one decision: one plan a decision and coin.

    Its stop is `stop_bps` from the mark; it is left at the end of its hold unless a later decision moves that on.
    """
    side = Side.BUY if size > 0 else Side.SELL
    soon_ms = entry.valid_until_ms if entry.trigger else min(entry.valid_until_ms, now_ms + terms.entry_valid_ms)
    return Plan(
        plan_id=PlanId(natural_id("book plan", entry.decision_id, asset.name)),
        signal_id=entry.signal_id,
        decision_id=entry.decision_id,
        lifecycle_id=entry.lifecycle_id,
        kind=PlanKind.BOOK,
        coin=asset.name,
        side=side,
        size=abs(size),
        created_ms=now_ms,
        valid_until_ms=soon_ms,
        stop_px=round_px(asset, mark_px * (1 - int(side) * terms.stop_bps * BPS)),
        limits=Limits(abs(size), terms.authority.budget_usd, terms.max_leverage),
        authority=terms.authority,
        venues=terms.venues,
        strategy=terms.strategy,
        trigger=entry.trigger,
        exit_at_ms=now_ms + terms.hold_ms,
        confidence=entry.confidence,
        release=terms.release,
        styles=terms.styles,
        rest_ms=terms.rest_ms,
    )
