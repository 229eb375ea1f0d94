"""Mid and mark of one market, from what the tape showed last."""

from lotus.manifest import Asset
from lotus.trading.execution.orders import Side
from lotus_venues.local_exchange.engine.market import Listing, MarketState


def test_without_a_book_the_mid_is_the_mark_or_the_last_print() -> None:
    market = MarketState(Listing(Asset("BTC", 5)))
    assert market.mid == 0
    market.last_px = 90
    assert market.mid == 90
    market.ctx_mark = 100
    assert (market.mid, market.mark) == (100, 100)


def test_each_side_has_its_own_book() -> None:
    market = MarketState(Listing(Asset("BTC", 5)))
    assert market.side(Side.BUY) is market.bids
    assert market.side(Side.SELL) is market.asks
