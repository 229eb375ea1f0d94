"""The venue port: what the trader asks of any venue. Adapters implement it in `lotus_venues`, nothing does here.

A call never raises for a venue's answer and never guesses: an order whose fate is not reported comes back `UNKNOWN`,
and stays so until `order_of` finds it. In the literature: a port of hexagonal architecture.
"""

from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import Protocol

from lotus.manifest import Asset
from lotus.trading.execution.orders import (
    AccountSnapshot,
    FundingPayment,
    NewOrder,
    OpenOrder,
    OrderGrouping,
    OrderUpdate,
    VenueFill,
)

VenueEvent = OrderUpdate | VenueFill | FundingPayment


class Venue(Protocol):
    """A place where orders are executed, for one account.

    Every call may raise `VenueError` only when nothing can have happened at the venue (not connected, no rate budget,
    bad arguments). `place`, `cancel` and `modify` return one update an order, in order.
    """

    @property
    def name(self) -> str:
        """Name in reports: `paper`, `local`, `hyperliquid`."""
        ...

    @property
    def universe(self) -> Sequence[Asset]:
        """Assets that can be traded."""
        ...

    async def connect(self) -> None:
        """Open what is needed; idempotent."""
        ...

    async def close(self) -> None:
        """Close it; resting orders stay."""
        ...

    async def place(
        self, orders: Sequence[NewOrder], grouping: OrderGrouping = OrderGrouping.NONE
    ) -> Sequence[OrderUpdate]:
        """Send orders in one request; the same client id again is never a second order."""
        ...

    async def cancel(self, coin: str, client_ids: Sequence[str]) -> Sequence[OrderUpdate]:
        """Cancel orders of a coin; one that is already final comes back in its final state."""
        ...

    async def modify(self, order: NewOrder) -> OrderUpdate:
        """Replace the price and size of a resting order, which keeps its client id."""
        ...

    async def set_leverage(self, coin: str, leverage: int, is_cross: bool = True) -> None:
        """Set the leverage of a coin."""
        ...

    async def account(self) -> AccountSnapshot:
        """Return equity, margin and positions."""
        ...

    async def open_orders(self) -> Sequence[OpenOrder]:
        """Return every order the venue holds for the account, triggers too."""
        ...

    async def order_of(self, client_id: str) -> OrderUpdate:
        """Return where an order stands; `NEVER_PLACED` when the venue does not know it."""
        ...

    async def fills_since(self, time_ms: int) -> Sequence[VenueFill]:
        """Return executions from a time on, oldest first, complete."""
        ...

    async def schedule_cancel(self, time_ms: int | None) -> bool:
        """Arm (or disarm: None) the venue's own cancel-all; False where the venue refuses or has none."""
        ...

    def events(self) -> AsyncIterator[VenueEvent]:
        """Yield updates, fills and funding as they are reported: perhaps twice, perhaps out of order.

        After `close` it still yields what was reported before, and ends.
        """
        ...

    async def server_time_ms(self) -> int:
        """Return the venue's clock, to be compared with one's own."""
        ...

    async def best_prices(self, coin: str) -> tuple[Decimal, Decimal] | None:
        """Return best bid and ask; None on an empty side."""
        ...
