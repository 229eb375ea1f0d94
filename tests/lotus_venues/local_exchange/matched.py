"""An engine on one coin whose book is shown by hand."""

from lotus.manifest import Asset
from lotus_venues.local_exchange.engine.exchange import Engine
from lotus_venues.local_exchange.engine.market import Listing

BTC = Asset("BTC", 5)
MID, TICK = 1_000_000, 10  # 100,000 USD in units; levels 1 USD apart
OWNERS = ("ann", "bob", "cid")


def engine(cash_usd: int = 10_000_000) -> Engine:
    """An engine of one asset with three rich accounts."""
    made = Engine([Listing(BTC, 40)])
    for owner in OWNERS:
        made.deposit(owner, cash_usd * 1_000_000)
    made.advance(1_000)
    made.on_context(0, MID, MID, 0)
    return made
