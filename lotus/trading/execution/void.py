"""What our own machine prevented is void: it is no evidence of anything, and is counted by its reason.

A pace that the machine does not hold, a feed that stalls, a halt, an order that never left: none of it says what the
window would have paid. What the venue refused or left unfilled is a payoff of 0. Whether a plan is void is settled
before its outcome is known: nothing that reached the venue is void. (Literature: intercurrent events, ICH E9(R1).)
"""

from collections.abc import Sequence

from lotus.trading.execution.order_machine import Purpose
from lotus.trading.execution.orders import OrderState
from lotus.trading.execution.state import Ending, ExecutionState
from lotus.trading.plan.refusals import Refusal, RefusalReason

OWN_MACHINE = frozenset(
    {
        RefusalReason.EXPIRED,
        RefusalReason.NO_EXIT_TIME,
        RefusalReason.STALE_DATA,
        RefusalReason.CLOCK_SKEW,
        RefusalReason.PARITY_FAILED,
        RefusalReason.HALTED,
        RefusalReason.RELEASE_MISMATCH,
    }
)
NEVER_SENT = "never_sent"  # the order did not leave: no connection, no room in the rate budget, the switch, the books


def void_of_refusals(refusals: Sequence[Refusal]) -> str:
    """Return why a refused plan is void, empty where it would have been refused on the best of machines too.

    >>> void_of_refusals([Refusal(RefusalReason.EXPIRED, "valid until 5", "valid at 7")])
    'expired'
    """
    reasons = [refusal.reason for refusal in refusals]
    return reasons[0].value if reasons and all(reason in OWN_MACHINE for reason in reasons) else ""


def void_of(state: ExecutionState) -> str:
    """Return why a finished execution is void, empty where an entry reached the venue or its conditions never held."""
    if state.entered or any(o.state is not OrderState.NEVER_PLACED for o in state.of(Purpose.ENTRY)):
        return ""
    waited = not state.orders and (bool(state.plan.entry_when) or (bool(state.plan.trigger) and not state.triggered))
    match state.entry_ending:
        case Ending.HALTED:
            return RefusalReason.HALTED.value
        case Ending.EXPIRED | Ending.TIME:
            return "" if waited else RefusalReason.EXPIRED.value
        case Ending.REFUSED_BY_VENUE:
            return NEVER_SENT
        case _:
            return ""
