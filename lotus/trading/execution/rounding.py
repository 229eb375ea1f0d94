"""Which prices and sizes the venue takes: tick by significant figures, lot by size decimals, a minimum value.

Prices and sizes are Decimal, never float. The integer units of the tape are `lotus.manifest.Asset`'s, kept apart.
"""

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from lotus.manifest import Asset
from lotus.trading.execution.orders import Side

MAX_SIGNIFICANT_FIGURES = 5
MIN_NOTIONAL_USD = Decimal(10)


def tick_of(asset: Asset, px: Decimal) -> Decimal:
    """Return the price step at a price: 5 significant figures and at most 6 - szDecimals decimals, integers always.

    >>> tick_of(Asset("BTC", 5), Decimal("105055"))
    Decimal('1')
    >>> tick_of(Asset("ETH", 4), Decimal("4344.1"))
    Decimal('0.1')
    """
    figures = px.adjusted() - (MAX_SIGNIFICANT_FIGURES - 1)
    return Decimal(1).scaleb(min(0, max(figures, -asset.px_decimals)))


def is_valid_px(asset: Asset, px: Decimal) -> bool:
    """Tell whether a price is positive and on its tick."""
    return px.is_finite() and px > 0 and px % tick_of(asset, px) == 0


def is_valid_size(asset: Asset, size: Decimal) -> bool:
    """Tell whether a size is positive and a whole number of lots of 10^-szDecimals."""
    return size.is_finite() and size > 0 and size == size.quantize(_lot(asset), ROUND_DOWN)


def round_px(asset: Asset, px: Decimal) -> Decimal:
    """Return the nearest price on the tick, at least one tick."""
    return _round_px(asset, px, ROUND_HALF_EVEN)


def round_px_for(asset: Asset, px: Decimal, side: Side) -> Decimal:
    """Return the price on the tick that is never worse than `px`: down for a buyer, up for a seller.

    >>> round_px_for(Asset("BTC", 5), Decimal("100000.7"), Side.BUY)
    Decimal('100000')
    """
    return _round_px(asset, px, ROUND_FLOOR if side is Side.BUY else ROUND_CEILING)


def round_size(asset: Asset, size: Decimal) -> Decimal:
    """Return the size rounded down to whole lots."""
    return size.quantize(_lot(asset), ROUND_DOWN)


def px_units(asset: Asset, px: Decimal) -> int:
    """Return a price in integer units of 10^-(6 - szDecimals) USD."""
    return int(px.scaleb(asset.px_decimals).to_integral_value())


def size_lots(asset: Asset, size: Decimal) -> int:
    """Return a size in integer lots of 10^-szDecimals."""
    return int(size.scaleb(asset.sz_decimals).to_integral_value())


def _round_px(asset: Asset, px: Decimal, rounding: str) -> Decimal:
    tick = tick_of(asset, px)
    return max((px / tick).quantize(Decimal(1), rounding) * tick, Decimal(1).scaleb(-asset.px_decimals))


def _lot(asset: Asset) -> Decimal:
    return Decimal(1).scaleb(-asset.sz_decimals)
