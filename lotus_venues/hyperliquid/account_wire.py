"""The venue's account to the port's: equity, margin, positions. Pure translation."""

from decimal import Decimal
from typing import Any, Final

from lotus.trading.execution.orders import AccountSnapshot, VenuePosition

STANDARD: Final = frozenset({"default", "disabled"})  # account abstractions whose perp state tells all collateral


def account_of(payload: dict[str, Any]) -> AccountSnapshot:
    """Return an account of `clearinghouseState`."""
    margin = payload["marginSummary"]
    held = [row["position"] for row in payload["assetPositions"] if Decimal(row["position"]["szi"])]
    return AccountSnapshot(
        Decimal(margin["accountValue"]),
        Decimal(margin["totalMarginUsed"]),
        Decimal(payload["withdrawable"]),
        tuple(position_of(position) for position in held),
        int(payload["time"]),
    )


def position_of(payload: dict[str, Any]) -> VenuePosition:
    """Return one position."""
    leverage, end = payload["leverage"], payload.get("liquidationPx")
    return VenuePosition(
        coin=payload["coin"],
        size=Decimal(payload["szi"]),
        entry_px=Decimal(payload["entryPx"]),
        unrealised_usd=Decimal(payload["unrealizedPnl"]),
        margin_usd=Decimal(payload["marginUsed"]),
        leverage=int(leverage["value"]),
        is_cross=leverage["type"] == "cross",
        liquidation_px=Decimal(end) if end else None,
    )
