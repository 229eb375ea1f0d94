"""The price at which the venue takes a position away: where margin has shrunk to what it must maintain.

Maintenance is half of the initial margin at the coin's highest leverage, as the venue documents for its perpetuals. No
margin tiers above the first. (Literature: maintenance margin of perpetual futures.)
"""

from decimal import Decimal

from lotus.trading.execution.orders import Side


def liquidation_px(side: Side, size: Decimal, px: Decimal, margin_usd: Decimal, max_leverage: int) -> Decimal | None:
    """Return the liquidation price of `size` base units held from `px` USD on `margin_usd`, or None when there is none.

    With l = 1 / (2 max_leverage) it solves margin + d * size * (P - px) = l * size * P, d the sign of the side.

    >>> liquidation_px(Side.BUY, Decimal(1), Decimal(100), Decimal(20), 50).quantize(Decimal("0.01"))
    Decimal('80.81')
    """
    share = Decimal(1) / (2 * max_leverage)
    sign = int(side)
    solved = (sign * size * px - margin_usd) / (size * (sign - share))
    return solved if solved > 0 else None
