"""Requests to the venue: information under the rate budget, and signed actions that are sent once and never again.

An action ends in one of three ways: answered, certainly not accepted (`VenueError`), or unknown (`Unanswered`). An
action whose bytes never left is voided in the journal. What an answer means for an order is not decided here.
In the literature: at-most-once remote procedure call.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from lotus.errors import VenueError, WireError
from lotus.manifest import Asset
from lotus_venues.hyperliquid.http import GatewayRefused, JsonPoster, NotSent, Unanswered
from lotus_venues.hyperliquid.order_wire import UNKNOWN_OID, statuses_of
from lotus_venues.hyperliquid.rate_budget import RateBudget, action_weight, info_weight, rows_weight
from lotus_venues.hyperliquid.signer import AgentSigner

_READS = 3
_NO_CROSS = ("strictIsolated", "noCross")
_FILLS_A_PAGE, _FUNDINGS_A_PAGE = 2_000, 500
_WAIT_S = 0.25  # between two looks whether there is room
_JITTER_MS = 500  # by which a new measure of the skew may set the time back; more is a clock set back


class _Money(NamedTuple):
    """An answer about money and positions: when it was asked for (local ms), and what was signed by then (USD)."""

    asked_ms: int
    signed_before: Decimal
    state: dict[str, Any]


@dataclass(slots=True)
class Exchange:
    """The venue's two endpoints for one account.

    `now_ms` is the local clock corrected by `skew_ms` (venue minus local); orders expire `expires_ms` after signing.
    Until `patient_till_ms` of the local clock a question waits for room in the budget instead of being refused, for a
    start asks much at once. `heard_ms` is when the venue last sent its clock. An answer about money and positions is
    good for what is open as long as the local clock stands.
    With `shares_clock` the local clock is the venue's own, a tape's that may run on while an answer is under way, and
    nothing is measured. `isolated_only` are the coins that take no cross margin, by the last listing.
    """

    poster: JsonPoster
    signer: AgentSigner
    user: str
    clock_ms: Callable[[], int]
    budget: RateBudget = field(default_factory=RateBudget)
    expires_ms: int = 5_000
    shares_clock: bool = False
    skew_ms: int = 0
    unknowns: int = 0
    patient_till_ms: int = 0
    heard_ms: int = 0
    isolated_only: frozenset[str] = frozenset()
    _money: _Money | None = None

    @property
    def now_ms(self) -> int:
        """The venue's time as far as known."""
        return self.clock_ms() + self.skew_ms

    async def info(self, kind: str, **fields: Any) -> Any:
        """Ask for information; asking again is harmless, so silence is asked again. Raises `VenueError`."""
        for attempt in range(_READS):
            await self.room(info_weight(kind))
            self.budget.spend(info_weight(kind), self.clock_ms())
            try:
                answer = await self.poster.post("/info", {"type": kind, **fields})
                self.budget.weight.note(rows_weight(kind, answer), self.clock_ms())
                return answer
            except Unanswered:
                if attempt == _READS - 1:
                    raise
        raise AssertionError(kind)

    async def room(self, weight: int) -> None:
        """Wait until a request of a weight may be sent, while the start lasts; nothing is taken."""
        while (now_ms := self.clock_ms()) < self.patient_till_ms and not self.budget.weight.has_room(weight, now_ms):
            await asyncio.sleep(_WAIT_S)

    async def act(self, action: Mapping[str, Any], size: int = 1, is_urgent: bool = False) -> Any:
        """Sign an action and send it once. Raises `Unanswered` when it may have been accepted, else `VenueError`."""
        self.budget.spend(action_weight(size), self.clock_ms(), size, is_urgent)
        now_ms, seen_ms = self.now_ms, self.signer.exposure.seen_ms
        if seen_ms - _JITTER_MS <= now_ms < seen_ms:
            now_ms = seen_ms
        body = self.signer.sign(action, now_ms, now_ms + self.expires_ms)
        try:
            return await self.poster.post("/exchange", body)
        except (NotSent, GatewayRefused):
            with contextlib.suppress(VenueError):
                self.signer.journal.void(now_ms, body["nonce"])
            raise
        except Unanswered:
            self.unknowns += 1
            raise

    async def state(self) -> dict[str, Any]:
        """Return money and positions as the venue tells them (and keep how far its clock is from ours)."""
        await self.room(info_weight("clearinghouseState"))  # a wait is no part of the way
        before = self.clock_ms()
        state = await self.money()
        self.heard_ms = self.clock_ms()
        if not self.shares_clock:
            self.skew_ms = int(state["time"]) - (before + self.heard_ms) // 2
        return state

    async def money(self) -> dict[str, Any]:
        """Return money and positions."""
        self._money = await self._ask_money()
        return self._money.state

    async def _ask_money(self) -> _Money:
        asked_ms, signed_before = self.clock_ms(), self.signer.exposure.signed_usd
        state: dict[str, Any] = await self.info("clearinghouseState", user=self.user)
        return _Money(asked_ms, signed_before, state)

    async def time_ms(self) -> int:
        """Return the venue's clock (and keep how far it is from ours)."""
        return int((await self.state())["time"])

    async def require_agent(self) -> None:
        """Raise `VenueError` unless the key is an agent of the account: a master key moves money."""
        answer = await self.info("userRole", user=self.signer.address)
        role = answer.get("role") if isinstance(answer, dict) else None
        master = str((answer.get("data") or {}).get("user", "")).lower() if role == "agent" else ""
        if role != "agent" or master != self.user.lower():
            raise VenueError(
                f"the key's role is {role!r}", "agent of the account", "a master key, or another account's"
            )

    async def listing(self) -> dict[str, tuple[int, Asset, int]]:
        """Return (asset number, asset, largest leverage) by coin, delisted ones left out, and tell the signer."""
        rows = (await self.info("meta"))["universe"]
        self.signer.coins = [row["name"] for row in rows]
        alone = (row for row in rows if row.get("onlyIsolated") or row.get("marginMode") in _NO_CROSS)
        self.isolated_only = frozenset(row["name"] for row in alone)
        return {
            row["name"]: (number, Asset(row["name"], int(row["szDecimals"])), int(row["maxLeverage"]))
            for number, row in enumerate(rows)
            if not row.get("isDelisted")
        }

    async def look_at_exposure(self) -> list[dict[str, Any]]:
        """Tell the signer what is open, positions and resting orders that may open more; return all resting orders."""
        asked, self._money = self._money, None
        if asked is None or asked.asked_ms != self.clock_ms():
            asked = await self._ask_money()
        orders: list[dict[str, Any]] = await self.info("frontendOpenOrders", user=self.user)
        value = Decimal(asked.state["marginSummary"]["totalNtlPos"])
        value += sum((Decimal(o["sz"]) * Decimal(o["limitPx"]) for o in orders if not o.get("reduceOnly")), Decimal(0))
        self.signer.saw_open(value, self.now_ms, asked.signed_before)
        self._money = None  # what it says was signed is counted no more
        return orders

    async def look_at_limit(self) -> None:
        """Take the venue's own count of the account's actions into the budget."""
        payload = await self.info("userRateLimit", user=self.user)
        self.budget.set_used(int(payload["nRequestsUsed"]), int(payload["nRequestsCap"]))

    async def schedule_cancel(self, time_ms: int | None) -> bool:
        """Arm or disarm (None) the venue's cancel-all; False when it refused or its answer was lost."""
        action = {"type": "scheduleCancel"} | ({} if time_ms is None else {"time": time_ms})
        try:
            return not isinstance(statuses_of(await self.act(action, is_urgent=True)), str)
        except (Unanswered, WireError):
            return False

    async def status(self, name: str | int) -> dict[str, Any] | None:
        """Return what the venue knows of an order by client id or number, None for nothing."""
        answer = await self.info("orderStatus", user=self.user, oid=name)
        if answer.get("status") == UNKNOWN_OID:
            return None
        payload: dict[str, Any] = answer["order"]
        return payload

    async def fundings(self, time_ms: int) -> list[dict[str, Any]]:
        """Return all funding payments from a time on, in the stream's form; pages may overlap, as those of fills."""
        rows = await self._pages("userFunding", _FUNDINGS_A_PAGE, time_ms)
        return [row["delta"] | {"time": row["time"]} for row in rows]

    async def fills(self, time_ms: int) -> list[dict[str, Any]]:
        """Return all fills from a time on, page by page until the venue has no more; pages may overlap."""
        return await self._pages("userFillsByTime", _FILLS_A_PAGE, time_ms)

    async def _pages(self, kind: str, most: int, time_ms: int) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        start = time_ms
        while True:
            page = await self.info(kind, user=self.user, startTime=start)
            rows += page
            last = max((int(row["time"]) for row in page), default=start)
            if len(page) < most or last == start:
                return rows
            start = last
