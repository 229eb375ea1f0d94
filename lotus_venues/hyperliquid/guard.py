"""A session that can only make an account smaller: it looks, cancels what opens and closes what is held.

For a process beside the trading one, with an agent key and a journal of its own: two signers never share a nonce. Its
caps are zero, so nothing that opens is ever signed. No plan is known here. In the literature: least privilege.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lotus.hashing import natural_id
from lotus.manifest import Asset
from lotus.trading.execution.orders import (
    AccountSnapshot,
    NewOrder,
    OpenOrder,
    OrderGrouping,
    Side,
    TimeInForce,
    TriggerKind,
)
from lotus.trading.execution.rounding import round_px
from lotus_venues.hyperliquid.account_wire import account_of
from lotus_venues.hyperliquid.caps import closing_caps
from lotus_venues.hyperliquid.exchange import Exchange
from lotus_venues.hyperliquid.order_wire import open_order_of, order_wire, place_action, statuses_of

SLIPPAGE = Decimal("0.05")
NOT_LISTED = "not among the coins that the venue listed when this session began"


@dataclass(frozen=True, slots=True)
class Holding:
    """What an account holds: money and positions, every order that rests, and the value of both that is open."""

    account: AccountSnapshot
    orders: tuple[OpenOrder, ...]
    open_usd: Decimal

    @property
    def opening(self) -> tuple[OpenOrder, ...]:
        """Orders that could open more."""
        return tuple(order for order in self.orders if not order.reduce_only)

    @property
    def positions(self) -> dict[str, Decimal]:
        """Signed sizes by coin."""
        return {position.coin: position.size for position in self.account.positions}

    @property
    def bare(self) -> dict[str, Decimal]:
        """Positions that the stops at the venue do not cover whole."""
        return {coin: size for coin, size in self.positions.items() if self._stopped(coin, size) < abs(size)}

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is held and nothing could open."""
        return not self.opening and not self.account.positions

    def _stopped(self, coin: str, size: Decimal) -> Decimal:
        against = Side.SELL if size > 0 else Side.BUY
        exits = (o for o in self.orders if o.coin == coin and o.reduce_only and o.side is against)
        stops = [o for o in exits if o.trigger is not None and o.trigger.kind is TriggerKind.STOP_LOSS]
        if any(not stop.size for stop in stops):  # a stop of the position itself names no size
            return abs(size)
        return sum((stop.left for stop in stops), Decimal(0))


class GuardSession:
    """The session of one account. `exchange` signs with a key of its own whose caps allow nothing that opens."""

    def __init__(self, exchange: Exchange) -> None:
        """Open nothing yet."""
        self.exchange = exchange
        self._assets: dict[str, tuple[int, Asset, int]] = {}
        self._sent = 0

    async def open(self) -> None:
        """Learn what is listed and the venue's clock; may be repeated. Raises `VenueError`."""
        self.exchange.poster.open()
        self._assets = await self.exchange.listing()
        self.exchange.signer.caps = closing_caps(self._assets)
        await self.exchange.time_ms()

    def close(self) -> None:
        """Close connections and journal; what rests stays."""
        self.exchange.poster.close()
        self.exchange.signer.journal.close()

    async def look(self) -> Holding:
        """Return what the account holds. Raises `VenueError`."""
        user = self.exchange.user
        state, rows = await asyncio.gather(
            self.exchange.info("clearinghouseState", user=user),
            self.exchange.info("frontendOpenOrders", user=user),
        )
        orders = tuple(open_order_of(row) for row in rows)
        resting = sum((order.left * order.limit_px for order in orders if not order.reduce_only), Decimal(0))
        return Holding(account_of(state), orders, Decimal(state["marginSummary"]["totalNtlPos"]) + resting)

    async def agents(self) -> list[tuple[str, str, int]]:
        """Return (name, address, last ms) of the account's named agents. Raises `VenueError`."""
        rows = await self.exchange.info("extraAgents", user=self.exchange.user)
        return [(str(row["name"]), str(row["address"]).lower(), int(row["validUntil"])) for row in rows]

    async def abstraction(self) -> str:
        """Return how the account holds its money (`account_wire.STANDARD`). Raises `VenueError`."""
        return str(await self.exchange.info("userAbstraction", user=self.exchange.user))

    async def cancel(self, orders: Sequence[OpenOrder]) -> list[str]:
        """Cancel orders by their numbers, known by name or not; return why some were not. Raises `VenueError`."""
        listed = [order for order in orders if order.coin in self._assets]
        refused = [f"{o.coin}: {NOT_LISTED}" for o in orders if o.coin not in self._assets]
        if listed:
            rows = [{"a": self._assets[o.coin][0], "o": o.oid} for o in listed]
            statuses = statuses_of(
                await self.exchange.act({"type": "cancel", "cancels": rows}, len(rows), is_urgent=True)
            )
            refused += [f"{o.coin}: {why}" for o, why in zip(listed, _each(statuses, len(listed)), strict=True) if why]
        return refused

    async def close_out(self, positions: Mapping[str, Decimal]) -> dict[str, str]:
        """Send a reduce-only order for each signed size, at most 5 % beyond the best price.

        Return by coin what the venue did not close and why, empty where it filled the whole size. Raises `VenueError`.
        """
        wires = await asyncio.gather(*(self._closing(coin, size) for coin, size in positions.items()))
        sent = [(coin, wire) for coin, wire in zip(positions, wires, strict=True) if not isinstance(wire, str)]
        left = {coin: wire for coin, wire in zip(positions, wires, strict=True) if isinstance(wire, str)}
        if sent:
            action = place_action([wire for _, wire in sent], OrderGrouping.NONE)
            statuses = statuses_of(await self.exchange.act(action, len(sent), is_urgent=True))
            sizes = [abs(positions[coin]) for coin, _ in sent]
            left |= dict(zip((coin for coin, _ in sent), _each(statuses, len(sent), sizes), strict=True))
        return left

    async def _closing(self, coin: str, size: Decimal) -> dict[str, Any] | str:
        if coin not in self._assets:
            return NOT_LISTED
        number, asset, _ = self._assets[coin]
        bids, asks = (await self.exchange.info("l2Book", coin=coin))["levels"]
        side = Side.SELL if size > 0 else Side.BUY
        levels = bids if side is Side.SELL else asks
        if not levels:
            return "nobody stands on the other side"
        limit = round_px(asset, Decimal(levels[0]["px"]) * (1 + int(side) * SLIPPAGE))
        self._sent += 1
        name = "0x" + natural_id("watchdog", self.exchange.signer.address, coin, self.exchange.now_ms, self._sent)
        return order_wire(
            NewOrder(
                client_id=name,
                coin=coin,
                side=side,
                size=abs(size),
                limit_px=limit,
                tif=TimeInForce.IOC,
                reduce_only=True,
            ),
            number,
        )


def _each(statuses: list[Any] | str, n: int, sizes: Sequence[Decimal] = ()) -> list[str]:
    """Return why each of n orders was not done, empty where it was: filled to its size, or cancelled."""
    if isinstance(statuses, str):
        return [statuses] * n
    if len(statuses) == 1:  # the venue may answer one error for all of them
        statuses = statuses * n
    out = []
    for k in range(n):
        entry = statuses[k] if k < len(statuses) else "no answer to it"
        filled = Decimal(entry["filled"]["totalSz"]) if isinstance(entry, dict) and "filled" in entry else Decimal(0)
        if isinstance(entry, dict) and "error" in entry:
            out.append(str(entry["error"]))
        elif sizes and filled < sizes[k]:
            out.append(f"{filled} of {sizes[k]} filled")
        else:
            out.append("" if sizes or entry == "success" else str(entry))
    return out
