"""A venue that only counts, by the venue's own weights, in a loop whose time passes when nothing is left to do."""

import asyncio
import selectors
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from lotus_venues.local_exchange.requests.limits import action_weight, info_weight

START_MS = 1_767_225_600_000


class _NoWait(selectors.DefaultSelector):  # type: ignore[valid-type,misc]
    """A selector that never waits but moves the clock on."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready and timeout:
            self.now_s += timeout
        return ready


class QuickLoop(asyncio.SelectorEventLoop):
    """A loop whose time is what its tasks slept."""

    def __init__(self) -> None:
        self.quick = _NoWait()
        super().__init__(self.quick)

    def time(self) -> float:
        return float(self.quick.now_s)

    def now_ms(self) -> int:
        """Return the wall clock that goes with it."""
        return START_MS + int(1000 * self.quick.now_s)


def passed(loop: QuickLoop, work: Coroutine[Any, Any, None]) -> None:
    """Run a piece of work to its end."""
    try:
        loop.run_until_complete(work)
    finally:
        loop.close()


@dataclass
class Counter:
    """What one address asked of the venue: (time ms, what, weight), and orders by state."""

    loop: QuickLoop
    log: list[tuple[int, str, int]] = field(default_factory=list)
    states: dict[str, str] = field(default_factory=dict)

    def of_a_minute(self) -> int:
        """Return the most weight that any 60 s held."""
        return max(sum(w for t, _, w in self.log if end - 60_000 < t <= end) for end, _, _ in self.log)

    def since(self, time_ms: int) -> int:
        """Return the weight from a time on."""
        return sum(w for t, _, w in self.log if t >= time_ms)

    def count(self, kind: str, weight: int) -> None:
        """Count a request."""
        self.log.append((self.loop.now_ms(), kind, weight))


@dataclass
class CountingPoster:
    """Answers as the venue would for one account that holds nothing."""

    counter: Counter
    agent: str
    user: str
    base_url: str

    def open(self) -> None:
        """Nothing to open."""

    def close(self) -> None:
        """Nothing to close."""

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """Return the answer after a tenth of a second."""
        if path == "/info":
            self.counter.count(body["type"], info_weight(body["type"]))
        else:
            self.counter.count(body["action"]["type"], action_weight(body["action"]))
        await asyncio.sleep(0.1)
        return self._told(body) if path == "/info" else self._done(body["action"])

    def _told(self, body: dict[str, Any]) -> Any:
        money = {"accountValue": "1000", "totalMarginUsed": "0", "totalNtlPos": "0"}
        now_ms = self.counter.loop.now_ms()
        match body["type"]:
            case "meta":
                return {"universe": [{"name": "BTC", "szDecimals": 5, "maxLeverage": 40}]}
            case "userRole":
                return {"role": "agent", "data": {"user": self.user}}
            case "clearinghouseState":
                return {"marginSummary": money, "withdrawable": "1000", "assetPositions": [], "time": now_ms}
            case "userRateLimit":
                return {"cumVlm": "0", "nRequestsUsed": 0, "nRequestsCap": 10_000}
            case "orderStatus":
                order = {
                    "coin": "BTC", "side": "B", "limitPx": "1", "sz": "1", "oid": 1 + abs(hash(body["oid"])) % 10**9,
                    "timestamp": now_ms, "origSz": "1", "cloid": body["oid"],
                }  # fmt: skip
                word = self.counter.states.get(body["oid"], "open")
                return {"status": "order", "order": {"order": order, "status": word, "statusTimestamp": now_ms}}
            case _:
                return []

    def _done(self, action: dict[str, Any]) -> Any:
        kind = action["type"]
        if kind == "order":
            told: list[Any] = [
                {"resting": {"oid": 1 + abs(hash(order["c"])) % 10**9, "cloid": order["c"]}}
                for order in action["orders"]
            ]
        elif kind == "cancelByCloid":
            self.counter.states |= dict.fromkeys((c["cloid"] for c in action["cancels"]), "canceled")
            told = ["success"] * len(action["cancels"])
        else:
            return {"status": "ok", "response": {"type": "default"}}
        return {"status": "ok", "response": {"type": kind, "data": {"statuses": told}}}
