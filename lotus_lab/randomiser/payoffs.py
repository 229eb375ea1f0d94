"""From fills to the payoff of one unit: bps of the entry's notional, in the direction of the entry, net of fees.

Nothing is guessed: while a position is open it has no payoff. In the literature: implementation shortfall of a round
trip, volume-weighted prices.
"""

from collections.abc import Sequence
from typing import NamedTuple

from lotus.errors import SchemaError

_CLOSED = 1e-9  # share of the entry that may stay open by rounding


class OwnFill(NamedTuple):
    """One fill: `side` 1 buys and -1 sells, price per unit, size in units, fee in bps of its notional."""

    side: int
    price: float
    size: float
    fee_bps: float


def round_trip(fills: Sequence[OwnFill], wanted: float = 0.0) -> float | None:
    """Return the payoff of a position in bps, None while it is open or was never entered.

    `wanted` is the size that was ordered (0: what was filled): a part that was not filled counts as 0. The first fill's
    side is the direction. Raises `SchemaError` when more is closed than was opened.

    >>> round_trip([OwnFill(1, 100.0, 2.0, 0.0), OwnFill(-1, 101.0, 2.0, 0.0)])
    100.0
    """
    if not fills:
        return None
    side = fills[0].side
    entry = [f for f in fills if f.side == side]
    leave = [f for f in fills if f.side != side]
    opened, closed = (sum(f.size for f in part) for part in (entry, leave))
    if closed > opened * (1.0 + _CLOSED):
        raise SchemaError(
            f"{closed:g} closed of {opened:g} opened", "at most what was opened", "fills of another draw?"
        )
    if closed < opened * (1.0 - _CLOSED):
        return None
    paid, got = (sum(f.price * f.size for f in part) for part in (entry, leave))
    fees = sum(f.fee_bps * f.price * f.size for f in fills) / paid
    share = min(1.0, opened / wanted) if wanted else 1.0
    return share * (side * (got - paid) / paid * 1e4 - fees)
