"""Schedules of slices: how much to send and how long after the start. Sizes are whole lots and sum exactly.

Who sends them, and what becomes of a slice that is not filled, is `entries`. Jitter follows from the
seed given and nothing else. In the literature: TWAP and iceberg orders; Almgren and Chriss 2000 for why evenly.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from lotus.errors import ConfigError
from lotus.hashing import key64
from lotus.manifest import Asset
from lotus.trading.execution.rounding import MIN_NOTIONAL_USD, size_lots
from lotus.trading.plan.plan import Plan, Strategy

_UNIT = 1 << 64


@dataclass(frozen=True, slots=True)
class Slice:
    """One order of a schedule: its size in base units, due `after_ms` the start."""

    size: Decimal
    after_ms: int


def schedule(plan: Plan, asset: Asset, px: Decimal, slice_share: float = 1.0, jitter: float = 0.0) -> tuple[Slice, ...]:
    """Return the slices of a plan's entry at a price of about `px` USD.

    Market and limit are one slice. TWAP and iceberg have at most `plan.slices / slice_share`, fewer where a slice would
    fall below the venue's minimum value. Raises `ConfigError` for an unknown strategy or a size of no whole lot.
    """
    lots = size_lots(asset, plan.size)
    if lots <= 0:
        raise ConfigError(f"a size of {plan.size} {asset.name}", "at least one lot")
    match plan.strategy:
        case Strategy.MARKET.value | Strategy.LIMIT.value:
            return (Slice(plan.size, 0),)
        case Strategy.TWAP.value:
            return _sliced(plan, asset, lots, px, slice_share, jitter, plan.duration_ms)
        case Strategy.ICEBERG.value:
            return _sliced(plan, asset, lots, px, slice_share, jitter, 0)
        case other:
            raise ConfigError(f"strategy {other!r}", "market, limit, twap or iceberg")


def least_lots(asset: Asset, px: Decimal) -> int:
    """Return the least number of lots whose value reaches the venue's minimum.

    >>> least_lots(Asset("BTC", 5), Decimal(100_000))
    10
    """
    lot_usd = px.scaleb(-asset.sz_decimals)
    return max(1, int((MIN_NOTIONAL_USD / lot_usd).to_integral_value(ROUND_CEILING)))


def _sliced(
    plan: Plan, asset: Asset, lots: int, px: Decimal, slice_share: float, jitter: float, duration_ms: int
) -> tuple[Slice, ...]:
    least = least_lots(asset, px)
    count = max(1, min(round(plan.slices / slice_share), lots // least))
    bounds = [_bound(plan, k, count, lots, least, jitter) for k in range(count + 1)]
    step = duration_ms / count
    return tuple(
        Slice(Decimal(bounds[k + 1] - bounds[k]).scaleb(-asset.sz_decimals), _due_ms(plan, k, step, jitter))
        for k in range(count)
    )


def _bound(plan: Plan, k: int, count: int, lots: int, least: int, jitter: float) -> int:
    """Return the lots sent before slice `k`; an inner bound moves by less than half of what a slice may lose."""
    even = lots * k // count
    if k in (0, count):
        return even
    room = min(jitter * (lots // count), lots // count - least) / 2
    return even + int(room * _symmetric(plan, "size", k))


def _due_ms(plan: Plan, k: int, step: float, jitter: float) -> int:
    return 0 if k == 0 else int(step * (k + jitter / 2 * _symmetric(plan, "time", k)))


def _symmetric(plan: Plan, what: str, k: int) -> float:
    """Return a number in [-1, 1) that belongs to the seed, the use and the slice."""
    return 2.0 * key64("slice", plan.seed, what, k) / _UNIT - 1.0
