"""Whose funding it is: an account pays on its whole position, a plan bears the part that it held at that hour.

Payments are stored as the venue reported them: a fill of before the hour may arrive after it. Nothing is paid here.
"""

from dataclasses import replace
from decimal import Decimal

from lotus.trading.execution.orders import FundingPayment
from lotus.trading.execution.state import ExecutionState


def held_at(state: ExecutionState, time_ms: int) -> Decimal:
    """Return the signed size that the plan held at a time of the venue, by the fills known now."""
    return sum((f.size * int(f.side) for f in state.fills if f.time_ms <= time_ms), Decimal(0))


def shares(state: ExecutionState) -> tuple[FundingPayment, ...]:
    """Return the plan's part of every payment on its coin, by time; hours at which it held nothing are left out.

    The part is what the plan held over the position that the payment was for, both signed.
    """
    payments = sorted(state.funding.values(), key=lambda payment: payment.time_ms)
    sized = ((payment, held_at(state, payment.time_ms)) for payment in payments)
    return tuple(_part(payment, held) for payment, held in sized if held)


def _part(payment: FundingPayment, held: Decimal) -> FundingPayment:
    if payment.size in (0, held):
        return payment
    return replace(payment, usd=payment.usd * held / payment.size, size=held)
