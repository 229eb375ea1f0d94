"""Account figures against the venue's own: the isolated position of its documentation, a cross account by hand."""

import pytest
from small_engine import BTC, USD, ask, put, show, small_engine

from lotus.manifest import Asset
from lotus_venues.local_exchange.accounts import Account, ExchangePosition
from lotus_venues.local_exchange.market import Listing, MarketState
from lotus_venues.local_exchange.state import ExchangeState
from lotus_venues.local_exchange.wire_out import Spelling


def test_the_isolated_position_of_the_documentation() -> None:
    """ETH, 20x isolated, 0.0335 at 2986.3, raw -95.059824, value 100.02765: as the venue's page shows them."""
    market = MarketState(Listing(Asset("ETH", 4), 50))
    market.ctx_mark = 298_590  # 100.02765 / 0.0335 = 2985.9
    account = Account("ann")
    account.positions[0] = ExchangePosition(20, False, 335, 335 * 298_630, -95_059_824)
    shown = Spelling(ExchangeState([market])).position(account, 0)
    assert shown["leverage"] == {"type": "isolated", "value": 20, "rawUsd": "-95.059824"}
    assert (shown["entryPx"], shown["szi"]) == ("2986.3", "0.0335")
    assert shown["positionValue"] == "100.02765"
    assert shown["marginUsed"] == "4.967826"
    assert shown["unrealizedPnl"] == "-0.0134"
    assert shown["returnOnEquity"].startswith("-0.0026789")
    assert shown["liquidationPx"].startswith("2866.26936")


def test_a_cross_account_by_hand() -> None:
    made = small_engine(usd=10_000)
    put(made, ask(True, "100001", "0.5", "Ioc"))
    account = made.state.accounts["ann"]
    shown = Spelling(made.state).clearinghouse(account)
    fee = 50_000.5 * 0.00045
    assert shown["marginSummary"]["accountValue"] == str(round(10_000 - 0.5 - fee, 6))
    assert shown["marginSummary"]["totalNtlPos"] == "50000.0"
    assert shown["marginSummary"]["totalMarginUsed"] == "2500.0"  # 20x
    assert shown["crossMaintenanceMarginUsed"] == "625.0"  # half of 40x
    assert float(shown["withdrawable"]) == round(10_000 - 0.5 - fee - 2_500, 6)
    liquidation = float(shown["assetPositions"][0]["position"]["liquidationPx"])
    mark = round(liquidation * 10)
    show(made, mark)
    made.on_context(BTC, mark + 2, mark, 0)
    assert account.lots(BTC) == 50_000
    made.on_context(BTC, mark - 2, mark, 0)
    assert account.lots(BTC) == 0
    maintenance = 0.5 * liquidation / 80
    assert account.raw_micro / USD == pytest.approx(maintenance - 0.5 * liquidation * 0.00045, abs=1)  # less the fee
