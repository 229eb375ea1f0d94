"""Hyperliquid behind the venue port: the real one, or the local exchange over loopback (then its name is `local`).

An order whose answer was lost is `UNKNOWN` and never sent again; `order_of` finds it, and `unknownOid` is believed only
for a name that was never signed or once the venue's own clock has passed the order's expiry. Requests, signing, the
stream and the translation live beside this file. In the literature: ports and adapters.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from lotus.errors import VenueError, WireError
from lotus.manifest import Asset
from lotus.trading.execution.orders import (
    AccountSnapshot,
    NewOrder,
    OpenOrder,
    OrderGrouping,
    OrderState,
    OrderUpdate,
    VenueFill,
)
from lotus.trading.venue import VenueEvent
from lotus_venues.event_queue import EventQueue
from lotus_venues.hyperliquid.account_wire import account_of
from lotus_venues.hyperliquid.exchange import Exchange
from lotus_venues.hyperliquid.http import Unanswered
from lotus_venues.hyperliquid.info import LOOPBACK
from lotus_venues.hyperliquid.known_orders import KnownOrders
from lotus_venues.hyperliquid.looks import AccountLooks, Pacing
from lotus_venues.hyperliquid.order_wire import (
    cancel_action,
    modify_action,
    order_wire,
    place_action,
    placed_update,
    statuses_of,
)
from lotus_venues.hyperliquid.rate_budget import action_weight
from lotus_venues.hyperliquid.user_stream import ODD_ANSWERS, StreamPolicy, UserStream
from lotus_venues.order_form import form_fault

_SKEW_MS = 500  # beyond it nobody trades


@dataclass(frozen=True, slots=True)
class VenuePolicy:
    """Seconds between looks at what is open and at the venue's clock, and patience with a first connection.

    `pacing` says what is not asked again so soon; as it stands, everything is. `patience_s` is how long after `connect`
    questions wait for room in the rate budget. `name` is that in reports, empty for the usual one.
    """

    look_s: float = 15.0
    ready_s: float = 15.0
    stream: StreamPolicy = field(default_factory=StreamPolicy)
    pacing: Pacing = field(default_factory=Pacing)
    patience_s: float = 0.0
    name: str = ""


class HyperliquidVenue:
    """The port for one account. `exchange` sends and signs; `connect` checks the key's role (not on loopback)."""

    def __init__(self, exchange: Exchange, coins: Sequence[str] = (), policy: VenuePolicy | None = None) -> None:
        """Trade `coins` (all listed ones when empty)."""
        self.exchange, self.policy = exchange, policy or VenuePolicy()
        self.queue, self.known = EventQueue(), KnownOrders()
        self.looks = AccountLooks(exchange, self.known, self.queue, self.order_of, self.policy.pacing)
        self.is_loopback = urlsplit(exchange.poster.base_url).hostname in LOOPBACK
        self._wanted = tuple(coins)
        self._assets: dict[str, tuple[int, Asset, int]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.stream: UserStream | None = None
        self._armed = False

    @property
    def name(self) -> str:
        """Name in reports."""
        return self.policy.name or ("local" if self.is_loopback else "hyperliquid")

    @property
    def universe(self) -> Sequence[Asset]:
        """Assets that can be traded."""
        return [asset for _, asset, _ in self._assets.values()]

    async def connect(self) -> None:
        """Read the listing, check the key, open the stream and learn what is open; raises `VenueError`."""
        if self._tasks:
            return
        self.exchange.poster.open()
        self.exchange.patient_till_ms = self.exchange.clock_ms() + int(1000 * self.policy.patience_s)
        try:
            await self._read_listing()
            if not self.is_loopback:
                await self.exchange.require_agent()
            await self.looks.begin()
        except VenueError:
            self.exchange.poster.close()
            raise
        self.queue.open()
        url = "ws" + self.exchange.poster.base_url.removeprefix("http") + "/ws"
        self.stream = UserStream(url, self.exchange.user, self._on_frame, self.looks.resync, self.policy.stream)
        self._tasks = [asyncio.create_task(self.stream.run()), asyncio.create_task(self.looks.run(self.policy.look_s))]
        try:
            async with asyncio.timeout(self.policy.ready_s):
                await self.stream.ready.wait()
        except TimeoutError as error:
            await self.close()
            raise VenueError("the user stream did not open", f"within {self.policy.ready_s} s") from error

    async def close(self) -> None:
        """End the stream and the connections; resting orders stay."""
        tasks, self._tasks, self.stream = self._tasks, [], None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.exchange.poster.close()
        self.queue.close()

    async def place(
        self, orders: Sequence[NewOrder], grouping: OrderGrouping = OrderGrouping.NONE
    ) -> Sequence[OrderUpdate]:
        """Send orders in one request; those signed before are asked for instead, those of a wrong form refused here."""
        self._require_open()
        if self._armed and any(o.trigger for o in orders):
            await self._disarm()
        refused = {o.client_id: reason for o in orders if (reason := form_fault(o, self._asset(o.coin)[1]))}
        used = {o.client_id for o in orders if o.client_id in self.exchange.signer.journal.names}
        is_refused = bool(refused) and grouping is not OrderGrouping.NONE
        fresh = [] if is_refused else [o for o in orders if o.client_id not in used and o.client_id not in refused]
        if grouping is not OrderGrouping.NONE and used and fresh:
            raise VenueError("a group was sent before in part", "all of its orders or none", "another plan's names")
        placed = {u.client_id: u for u in await self._send(fresh, grouping)} if fresh else {}
        answers = []
        for order in orders:
            name = order.client_id
            if name in placed:
                answers.append(placed[name])
            elif name in used:
                answers.append(await self._standing(name))
            else:
                reason = refused.get(name, "another order of its group was refused")
                answers.append(OrderUpdate(name, OrderState.REJECTED, self.exchange.now_ms, reason=reason))
        return answers

    async def cancel(self, coin: str, client_ids: Sequence[str]) -> Sequence[OrderUpdate]:
        """Cancel by name; whatever the answer, each order comes back as the venue says it stands."""
        self._require_open()
        number = self._asset(coin)[0]
        if not client_ids:
            return ()
        is_lost, statuses = False, []
        try:
            answer = await self.exchange.act(cancel_action(number, client_ids), len(client_ids), is_urgent=True)
            payload = statuses_of(answer)
            statuses = payload if isinstance(payload, list) else []
        except (Unanswered, WireError):
            is_lost = True
        done = [entry == "success" for entry in statuses] + [False] * (len(client_ids) - len(statuses))
        return [await self._canceled(name, ok, is_lost) for name, ok in zip(client_ids, done, strict=True)]

    async def modify(self, order: NewOrder) -> OrderUpdate:
        """Replace a resting order; it gets a new number and a new count of what it filled."""
        self._require_open()
        reason = form_fault(order, self._asset(order.coin)[1])
        if reason or order.client_id not in self.exchange.signer.journal.names:
            standing = await self.order_of(order.client_id)
            return replace(standing, reason=reason or standing.reason)
        before, now_ms = self.known.of(order.client_id), self.exchange.now_ms
        if before.modifying_till_ms and not self.known.is_modify_over(order.client_id, now_ms):
            raise VenueError("an earlier modify of the order is not decided", "order_of until it is")
        self.queue.put(self.known.modified(order.client_id))
        self.known.modifying(order.client_id, now_ms + self.exchange.expires_ms + _SKEW_MS)
        try:
            wire = order_wire(order, self._asset(order.coin)[0])
            statuses = statuses_of(await self.exchange.act(modify_action(wire), is_urgent=order.reduce_only))
            entry = statuses[0] if isinstance(statuses, list) else {"error": statuses}
            update = placed_update(entry, order, self.exchange.now_ms)
        except (Unanswered, WireError, IndexError):
            return OrderUpdate(order.client_id, OrderState.UNKNOWN, self.exchange.now_ms, before.oid)
        except VenueError:
            self.queue.put(self.known.modified(order.client_id))
            raise
        if update.state is OrderState.REJECTED:
            self.queue.put(self.known.modified(order.client_id))
            return replace(await self._standing(order.client_id), reason=update.reason)
        update = self.known.keep(update)
        self.queue.put(self.known.modified(order.client_id))
        return update

    async def set_leverage(self, coin: str, leverage: int, is_cross: bool = True) -> None:
        """Set the leverage of a coin; it is the same twice, so a lost answer is asked for once more."""
        self._require_open()
        number, _, most = self._asset(coin)
        if not 1 <= leverage <= most:
            raise VenueError(f"leverage {leverage} of {coin}", f"1 to {most}")
        if is_cross and coin in self.exchange.isolated_only:
            raise VenueError(f"cross leverage of {coin}", "isolated margin", "the venue lists it as isolated only")
        action = {"type": "updateLeverage", "asset": number, "isCross": is_cross, "leverage": leverage}
        await self.exchange.room(action_weight(1))
        try:
            statuses = statuses_of(await self.exchange.act(action))
        except (Unanswered, WireError):
            statuses = statuses_of(await self.exchange.act(action))
        if isinstance(statuses, str):
            raise VenueError(statuses, f"leverage {leverage} of {coin}")

    async def account(self) -> AccountSnapshot:
        """Return equity, margin and positions."""
        self._require_open()
        return account_of(await self.looks.state_for_owner())

    async def open_orders(self) -> Sequence[OpenOrder]:
        """Return all orders that the venue holds, triggers too. Raises `VenueError` when paced and asked too soon."""
        self._require_open()
        return await self.looks.orders_for_owner()

    async def order_of(self, client_id: str) -> OrderUpdate:
        """Return where an order stands. A signed one that the venue does not show is `UNKNOWN` until its expiry."""
        self._require_open()
        payload = await self.exchange.status(client_id)
        last = self.known.of(client_id).last
        if payload is None and last is not None and last.state.is_final:
            return last  # a refusal that the venue sent and did not store
        if payload is None:
            signed = self.exchange.signer.journal.names.get(client_id)
            if signed is not None and not await self._is_past(signed.expires_ms):
                return OrderUpdate(client_id, OrderState.UNKNOWN, self.exchange.now_ms)
            payload = await self.exchange.status(client_id) if signed is not None else None
        if payload is None:  # the venue has said so of orders that rest: what it holds and what was filled decide
            payload = await self._resting(client_id)
        if payload is None and self.known.of(client_id).lots:
            return OrderUpdate(client_id, OrderState.UNKNOWN, self.exchange.now_ms)
        if payload is None:
            return self.known.keep(OrderUpdate(client_id, OrderState.NEVER_PLACED, self.exchange.now_ms))
        update = self.known.update_of(client_id, payload["order"], payload["status"], int(payload["statusTimestamp"]))
        self.known.number(client_id, update.oid)
        if update.filled and self.known.average(self.known.of(client_id), update.filled) is None:
            self.looks.learn(await self.exchange.fills(int(payload["order"]["timestamp"])))
        if self.known.is_modify_over(client_id, self.exchange.now_ms):
            self.queue.put(self.known.modified(client_id))
        return self.known.keep(update)

    async def _resting(self, client_id: str) -> dict[str, Any] | None:
        """Return an order that rests under a name, as `orderStatus` would tell it; None when none does."""
        rows = await self.exchange.info("frontendOpenOrders", user=self.exchange.user)
        for row in rows:
            if row.get("cloid") == client_id:
                return {"order": row, "status": "open", "statusTimestamp": row["timestamp"]}
        return None

    async def fills_since(self, time_ms: int) -> Sequence[VenueFill]:
        """Return executions from a time on, oldest first, page by page until the venue has no more."""
        self._require_open()
        rows = await self.looks.fills_for_owner(time_ms)
        for oid in {int(row["oid"]) for row in rows if not row.get("cloid")} - self.known.names.keys():
            payload = await self.exchange.status(oid)
            self.known.names[oid] = (payload["order"].get("cloid") or "") if payload else ""
        fills = {fill.fill_id: fill for fill in map(self.known.fill_of, rows)}
        return sorted(fills.values(), key=lambda fill: fill.time_ms)

    async def schedule_cancel(self, time_ms: int | None) -> bool:
        """Arm the venue's cancel-all, or disarm it. It removes stops too: refused while a trigger rests."""
        self._require_open()
        if time_ms is None:
            is_done = await self.exchange.schedule_cancel(None)
            self._armed = self._armed and not is_done
            return is_done
        if any(order.trigger for order in await self.looks.orders()):
            return False
        self._armed = True  # even when the answer is lost: the next stop disarms it first
        return await self.exchange.schedule_cancel(time_ms)

    def events(self) -> AsyncIterator[VenueEvent]:
        """Yield updates, fills and funding as the stream tells them and as reconciling finds them."""
        return self.queue.read()

    async def server_time_ms(self) -> int:
        """Return the venue's clock; `exchange.skew_ms` keeps its distance from ours."""
        self._require_open()
        return await self.looks.time_for_owner()

    async def best_prices(self, coin: str) -> tuple[Decimal, Decimal] | None:
        """Return best bid and ask from the venue's book."""
        self._require_open()
        self._asset(coin)
        bids, asks = (await self.exchange.info("l2Book", coin=coin))["levels"]
        if not bids or not asks:
            return None
        best = Decimal(bids[0]["px"]), Decimal(asks[0]["px"])
        self.exchange.signer.reference[coin] = best[1]
        return best

    async def _send(self, orders: list[NewOrder], grouping: OrderGrouping) -> list[OrderUpdate]:
        wires = [order_wire(order, self._asset(order.coin)[0]) for order in orders]
        is_urgent = all(order.reduce_only for order in orders)
        self.known.expect(orders)
        try:
            statuses = statuses_of(await self.exchange.act(place_action(wires, grouping), len(orders), is_urgent))
        except (Unanswered, WireError) as error:
            now_ms, reason = self.exchange.now_ms, str(error)
            return [OrderUpdate(order.client_id, OrderState.UNKNOWN, now_ms, reason=reason) for order in orders]
        except VenueError:
            self.known.forget(order.client_id for order in orders)
            raise
        if isinstance(statuses, str) or (len(statuses) == 1 < len(orders) and "error" in statuses[0]):
            statuses = [{"error": statuses if isinstance(statuses, str) else statuses[0]["error"]}] * len(orders)
        if len(statuses) != len(orders):
            return [await self._standing(order.client_id) for order in orders]
        return [self._placed(entry, order) for entry, order in zip(statuses, orders, strict=True)]

    def _placed(self, entry: Any, order: NewOrder) -> OrderUpdate:
        try:
            update = placed_update(entry, order, self.exchange.now_ms)
        except (WireError, KeyError, ValueError, ArithmeticError) as error:
            return OrderUpdate(order.client_id, OrderState.UNKNOWN, self.exchange.now_ms, reason=str(error))
        return self.known.keep(update)

    async def _canceled(self, name: str, is_done: bool, is_lost: bool) -> OrderUpdate:
        standing = await self._standing(name)
        if standing.state.is_final:
            return standing
        if is_done:
            canceled = OrderUpdate(
                name, OrderState.CANCELED, self.exchange.now_ms, standing.oid, standing.filled, reason="canceled"
            )
            return self.known.keep(canceled)
        if is_lost:
            return OrderUpdate(name, OrderState.UNKNOWN, self.exchange.now_ms, standing.oid, standing.filled)
        return standing

    async def _standing(self, name: str) -> OrderUpdate:
        """Return where an order stands after something was sent: a question that fails leaves it unknown."""
        try:
            return await self.order_of(name)
        except VenueError as error:
            return OrderUpdate(name, OrderState.UNKNOWN, self.exchange.now_ms, reason=str(error))

    async def _is_past(self, expires_ms: int) -> bool:
        return self.exchange.now_ms > expires_ms and await self.exchange.time_ms() > expires_ms

    async def _disarm(self) -> None:
        self._armed = not await self.exchange.schedule_cancel(None)
        if self._armed:
            raise VenueError("the scheduled cancel could not be disarmed", "no cancel-all while stops rest")

    async def _read_listing(self) -> None:
        listed = await self.exchange.listing()
        missing = [coin for coin in self._wanted if coin not in listed]
        if missing:
            raise VenueError(f"unknown coins {', '.join(missing)}", "names listed in meta")
        self._assets = {coin: listed[coin] for coin in self._wanted} if self._wanted else listed

    def _asset(self, coin: str) -> tuple[int, Asset, int]:
        if coin not in self._assets:
            raise VenueError(f"{coin} is not traded here", "a coin of the universe")
        return self._assets[coin]

    def _require_open(self) -> None:
        if not self._tasks:
            raise VenueError("the venue is not connected", "connect() first")

    def _on_frame(self, channel: str, data: Any) -> None:
        with contextlib.suppress(*ODD_ANSWERS):
            if channel == "orderUpdates":
                self.queue.put(update for payload in data if (update := self.known.told_order(payload)) is not None)
            elif channel == "userFills":
                self.looks.learn(data["fills"])
            elif channel == "user":
                self.looks.learn(data.get("fills", ()))
                if "funding" in data:
                    self.queue.put(self.known.told_funding([data["funding"]]))
