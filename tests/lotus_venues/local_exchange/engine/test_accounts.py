"""Account figures against the venue's own: the isolated position of its documentation."""

from lotus.manifest import Asset
from lotus_venues.local_exchange.engine.accounts import Account, ExchangePosition
from lotus_venues.local_exchange.engine.market import Listing, MarketState
from lotus_venues.local_exchange.engine.state import ExchangeState
from lotus_venues.local_exchange.requests.wire_out import WireEncoder


def test_the_isolated_position_of_the_documentation() -> None:
    """ETH, 20x isolated, 0.0335 at 2986.3, raw -95.059824, value 100.02765: as the venue's page shows them."""
    market = MarketState(Listing(Asset("ETH", 4), 50))
    market.ctx_mark = 298_590  # 100.02765 / 0.0335 = 2985.9
    account = Account("ann")
    account.positions[0] = ExchangePosition(20, False, 335, 335 * 298_630, -95_059_824)
    shown = WireEncoder(ExchangeState([market])).position(account, 0)
    assert shown["leverage"] == {"type": "isolated", "value": 20, "rawUsd": "-95.059824"}
    assert (shown["entryPx"], shown["szi"]) == ("2986.3", "0.0335")
    assert shown["positionValue"] == "100.02765"
    assert shown["marginUsed"] == "4.967826"
    assert shown["unrealizedPnl"] == "-0.0134"
    assert shown["returnOnEquity"].startswith("-0.0026789")
    assert shown["liquidationPx"].startswith("2866.26936")
