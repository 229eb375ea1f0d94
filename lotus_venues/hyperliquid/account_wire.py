"""The venue's account to the port's: equity, margin, positions. Pure translation."""

from decimal import Decimal
from typing import Any, Final

from lotus.trading.execution.orders import AccountSnapshot, VenuePosition

STANDARD: Final = frozenset({"default", "disabled"})  # account abstractions whose perp state tells all collateral


def account_of(told: dict[str, Any]) -> AccountSnapshot:
    """Return an account of `clearinghouseState`."""
    margin = told["marginSummary"]
    held = [row["position"] for row in told["assetPositions"] if Decimal(row["position"]["szi"])]
    return AccountSnapshot(
        Decimal(margin["accountValue"]),
        Decimal(margin["totalMarginUsed"]),
        Decimal(told["withdrawable"]),
        tuple(position_of(position) for position in held),
        int(told["time"]),
    )


def position_of(told: dict[str, Any]) -> VenuePosition:
    """Return one position."""
    leverage, end = told["leverage"], told.get("liquidationPx")
    return VenuePosition(
        coin=told["coin"],
        size=Decimal(told["szi"]),
        entry_px=Decimal(told["entryPx"]),
        unrealised_usd=Decimal(told["unrealizedPnl"]),
        margin_usd=Decimal(told["marginUsed"]),
        leverage=int(leverage["value"]),
        is_cross=leverage["type"] == "cross",
        liquidation_px=Decimal(end) if end else None,
    )
