"""Figures of a cross account as the venue spells them."""

import pytest
from small_engine import BTC, USD, ask, put, show, small_engine

from lotus_venues.local_exchange.requests.wire_out import WireEncoder


def test_a_cross_account_by_hand() -> None:
    made = small_engine(usd=10_000)
    put(made, ask(True, "100001", "0.5", "Ioc"))
    account = made.state.accounts["ann"]
    shown = WireEncoder(made.state).clearinghouse(account)
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
