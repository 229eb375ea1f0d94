"""Fees of the venue's perpetuals by tier of 14-day volume. Rebates and staking discounts are not modelled."""

from lotus.errors import ConfigError

# (14-day volume above which the tier holds in USD, taker bps, maker bps)
TIERS: tuple[tuple[int, float, float], ...] = (
    (0, 4.5, 1.5),
    (5_000_000, 4.0, 1.2),
    (25_000_000, 3.5, 0.8),
    (100_000_000, 3.0, 0.4),
    (500_000_000, 2.8, 0.0),
    (2_000_000_000, 2.6, 0.0),
    (7_000_000_000, 2.4, 0.0),
)


def taker_fee_bps(tier: int) -> float:
    """Return the taker fee of a tier in bps; raises `ConfigError` for a tier that does not exist."""
    if not 0 <= tier < len(TIERS):
        raise ConfigError(f"fee tier {tier}", f"0 to {len(TIERS) - 1}")
    return TIERS[tier][1]


def maker_fee_bps(tier: int) -> float:
    """Return the maker fee of a tier in bps; raises `ConfigError` for a tier that does not exist."""
    taker_fee_bps(tier)
    return TIERS[tier][2]


def fee_micro(notional_micro: int, fee_bps: float) -> int:
    """Return the fee in millionths of a dollar, rounded up to a whole one (never in the trader's favour).

    >>> fee_micro(1_000_000_000, 4.5)
    450000
    """
    hundredths = round(fee_bps * 100)
    return -(-notional_micro * hundredths // 1_000_000)
