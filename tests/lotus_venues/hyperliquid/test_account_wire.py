"""An account of the venue as the port has it: exact numbers, positions that are none left out."""

from decimal import Decimal
from typing import Any

from lotus_venues.hyperliquid.account_wire import account_of


def row(coin: str, size: str, **changes: Any) -> dict[str, Any]:
    """A row of `assetPositions` as the venue spells it."""
    position = {
        "coin": coin, "szi": size, "entryPx": "2986.3", "unrealizedPnl": "-0.0134", "marginUsed": "4.967826",
        "leverage": {"type": "isolated", "value": 20, "rawUsd": "-95.059824"}, "liquidationPx": "2866.26936529",
    }  # fmt: skip
    return {"type": "oneWay", "position": position | changes}


def test_numbers_are_exact_and_flat_coins_are_no_positions() -> None:
    told = {
        "marginSummary": {"accountValue": "13109.482328", "totalMarginUsed": "4.967826"},
        "withdrawable": "13104.514502",
        "time": 1_708_622_398_623,
        "assetPositions": [
            row("ETH", "0.0335"),
            row("BTC", "0.0"),
            row("SOL", "-2", leverage={"type": "cross", "value": 3}, liquidationPx=None),
        ],
    }
    account = account_of(told)
    assert account.equity_usd == Decimal("13109.482328")
    assert account.time_ms == 1_708_622_398_623
    eth, sol = account.positions
    assert (eth.coin, eth.size, eth.leverage, eth.is_cross) == ("ETH", Decimal("0.0335"), 20, False)
    assert eth.liquidation_px == Decimal("2866.26936529")
    assert (sol.size, sol.is_cross, sol.liquidation_px) == (Decimal(-2), True, None)
