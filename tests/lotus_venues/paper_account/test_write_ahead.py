"""Nothing is told that could not be saved."""

import asyncio
from decimal import Decimal

import pytest
from paper_market import market

from lotus.errors import LedgerError, VenueError
from lotus.timebase import NS_PER_MS
from lotus.trading.execution.orders import (
    NewOrder,
    OrderState,
    Side,
    client_order_id,
)
from lotus_venues.paper_account.state import Stored
from lotus_venues.paper_account.venue import PaperAccountVenue


class FailingStore:
    """A store that can be switched to fail."""

    def __init__(self) -> None:
        """Work at first."""
        self.fails, self.saved = False, 0

    def load(self) -> Stored | None:
        """Hold nothing."""
        return None

    def save(self, change: Stored) -> None:
        """Count or fail."""
        if self.fails:
            raise LedgerError("no disk")
        self.saved += len(change["orders"])


def test_nothing_is_told_that_could_not_be_saved() -> None:
    async def run() -> None:
        made, store = market(), FailingStore()
        venue = PaperAccountVenue(made.account, lambda: made.now_ms * NS_PER_MS, store, timeout_s=0.05)
        await venue.connect()
        order = NewOrder(client_order_id("a", "entry"), "BTC", Side.BUY, Decimal("0.01"), Decimal(99_000))
        store.fails = True
        (update,) = await venue.place([order])
        assert (update.state, update.reason) == (OrderState.UNKNOWN, "no disk")
        with pytest.raises(VenueError, match="cannot be saved"):
            await venue.order_of(order.client_id)
        store.fails = False
        assert (await venue.order_of(order.client_id)).state is OrderState.RESTING
        assert store.saved == 1
        told = venue.events()
        assert await asyncio.wait_for(anext(told), 1) == await venue.order_of(order.client_id)

    asyncio.run(run())
