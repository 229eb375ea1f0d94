"""Fills given to plans so that they agree with their account: what plans of a coin took from one another, what is gone.

A venue nets a coin within an account, so a stop that fires beside an exit takes the second time from the position of
another plan. The account is right then, the plans are not: one stands against its side, the others hold what is gone,
and no reduce-only order can end either. Fills move between them here, at the price at which they happened, so that
sizes, money and the account stay as they are. What the venue does not hold any more, and no fill says why, is taken off
the plans that believe in it. In the literature: allocation of fills, internal crossing, position break.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from lotus.hashing import natural_id
from lotus.trading.execution.order_machine import ZERO
from lotus.trading.execution.orders import Side, VenueFill
from lotus.trading.execution.state import ExecutionState
from lotus.trading.plan.plan import PlanId


def handed_over(states: Sequence[ExecutionState]) -> list[tuple[PlanId, VenueFill]]:
    """Return the fills that settle plans of one account and coin, to be taken in as foreign; [] when none is against
    its side or nobody holds anything.

    They come in pairs that sum to nothing. The names follow from the plans and their fills, so that the same pair is
    the same two fills.
    """
    foreign: list[tuple[PlanId, VenueFill]] = []
    holds = {state.plan.plan_id: state.held for state in states}
    for flipped in (s for s in states if s.held < 0):
        last = max((f for f in flipped.fills if f.side is flipped.plan.exit_side), key=lambda f: (f.time_ms, f.fill_id))
        for other in states:
            plan = other.plan
            if plan.coin != flipped.plan.coin or plan.side is not flipped.plan.side or other is flipped:
                continue
            size = min(-holds[flipped.plan.plan_id], max(ZERO, holds[plan.plan_id]))
            if size <= 0:
                continue
            number = len(flipped.foreign) + len(other.foreign)
            name = natural_id("handed over", flipped.plan.plan_id, plan.plan_id, number)
            given = replace(last, fill_id=f"{name}-to", client_id="", size=size, fee_usd=ZERO)
            foreign += [
                (plan.plan_id, given),
                (flipped.plan.plan_id, replace(given, fill_id=f"{name}-from", side=flipped.plan.side)),
            ]
            holds[flipped.plan.plan_id] += size
            holds[plan.plan_id] -= size
    return foreign


def written_off(
    states: Sequence[ExecutionState], coin: str, size: Decimal, px: Decimal, time_ms: int
) -> list[tuple[PlanId, VenueFill]]:
    """Return the fills that take a signed `size` (the venue's position less the plans') off plans that hold it.

    They are valued at `px` without a fee and taken in as foreign; no plan gives more than it holds. The names follow
    from the plans and what they took in before, so that the same loss is the same fills.
    """
    side, left = (Side.BUY if size > 0 else Side.SELL), abs(size)
    foreign: list[tuple[PlanId, VenueFill]] = []
    for state in states:
        plan, signed = state.plan, state.held * int(state.plan.side)
        part = min(left, abs(signed))
        if plan.coin != coin or signed * size >= 0 or part <= 0:
            continue
        name = natural_id("written off", plan.plan_id, len(state.foreign))
        foreign.append(
            (
                plan.plan_id,
                VenueFill(
                    fill_id=name,
                    client_id="",
                    oid=0,
                    coin=coin,
                    side=side,
                    size=part,
                    px=px,
                    fee_usd=ZERO,
                    is_taker=True,
                    time_ms=time_ms,
                ),
            )
        )
        left -= part
    return foreign
