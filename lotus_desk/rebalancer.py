"""The rebalancer of the book: once a scored window it lets the book be decided, in a thread, beside the feed.

A window is decided a moment after it was scored, so that what it proposed has arrived; in a replay both are as much
shorter as the tape is faster. When a decision takes longer than a window, the windows between are skipped and counted:
only the newest counts. Without knowledge of earlier days, or without an account, nothing is decided, and the status
says so. What is decided for a window is `lotus_modules.dm.allocate`'s.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg

from lotus.decision import ticket
from lotus.modules.intents import Module
from lotus.timebase import day_of
from lotus_desk.execution.in_time import InTime
from lotus_modules.dm.allocate import Allocator, Decided, PortfolioSnapshot, WindowOutcome
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.trading.knowledge import Knowledge, knowledge_before

logger = logging.getLogger(__name__)

SETTLE_S: Final = 0.25
SETTLE_SHARE: Final = 1 / 3  # of a window at the pace of the tape, where that is less
LOOK_S: Final = 0.05
LOOK_SHARE: Final = 1 / 20
KNOWLEDGE_S: Final = 30.0  # how often a newer nightly run is looked for

KnowledgeOf = Callable[[Connection, str, str], Knowledge | None]


@dataclass(slots=True)
class Rebalancer:
    """Decides for one book; `portfolio` is what is seen of its account and markets now.

    `window_ms` is the length of a window, `pace` how many times as fast as the wall its time runs. `knowledge_of` reads
    what is known on a day of a branch.
    """

    databases: Databases
    allocator: Allocator
    portfolio: Callable[[], PortfolioSnapshot | None]
    window_ms: int
    pace: float = 1.0
    knowledge_of: KnowledgeOf = knowledge_before
    counts: Counter[str] = field(default_factory=Counter)
    last: dict[str, Any] = field(default_factory=dict)
    last_failure: str = ""
    _connection: Connection | None = None
    _knowledge: Knowledge | None = None
    _known_day: str = ""
    _asked: float = -float("inf")
    _at_work: InTime = field(default_factory=lambda: InTime(None, lambda _: None))  # `decide` tells

    async def run(self, scored: Callable[[], tuple[int, int]]) -> None:
        """Decide for every window until cancelled; `scored` tells how many there were so far, and the newest's end."""
        await asyncio.to_thread(ticket.prepare)
        wall_s = self.window_ms / 1000 / max(1.0, self.pace)
        done, _ = scored()
        try:
            while True:
                await asyncio.sleep(min(LOOK_S, wall_s * LOOK_SHARE))
                if scored()[0] == done:
                    continue
                await asyncio.sleep(min(SETTLE_S, wall_s * SETTLE_SHARE))
                count, end_ms = scored()
                self.counts["skipped"] += count - done - 1
                done = count
                await self._at_work.done(self.decide, end_ms)
        finally:
            await self.over()

    def window(self, end_ms: int) -> bool:
        """Decide for one window now, for a caller who waits; return whether something was sent."""
        sent = self.counts[WindowOutcome.SENT]
        self.decide(end_ms)
        return self.counts[WindowOutcome.SENT] > sent

    async def over(self) -> None:
        """Close the connection once no decision is under way."""
        await self._at_work.over(self.close)

    def decide(self, window_end_ms: int) -> None:
        """Decide for one window and keep the books about it; what breaks is counted and logged, the next goes on."""
        began = time.perf_counter()
        try:
            decided = self._decide(window_end_ms)
        except Exception as problem:  # a fault of the program too: a book that is never decided again is worse
            self.close()
            self.counts["failed"] += 1
            self.last_failure = f"{type(problem).__name__}: {problem}"
            logger.error("window %s is not decided: %s", window_end_ms, self.last_failure)
            return
        self.counts[decided.outcome] += 1
        if decided.outcome is not WindowOutcome.DECIDED_BEFORE:
            self.last = self._told(decided, window_end_ms, time.perf_counter() - began)

    def close(self) -> None:
        """Close the connection; the next window opens another."""
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None

    def status(self) -> dict[str, Any]:
        """Return what was decided so far as plain values."""
        knowledge = self._knowledge.day if self._knowledge else "none: nothing is decided"
        return {"windows": dict(sorted(self.counts.items())), "knowledge": knowledge, "last": self.last,
                "last_failure": self.last_failure}  # fmt: skip

    def _decide(self, window_end_ms: int) -> Decided:
        if self._connection is None:
            self._connection = self.databases.connect(Module.DM.value, autocommit=True)
        portfolio = self.portfolio()
        knowledge = self._known(self._connection, day_of(portfolio.now_ms if portfolio else window_end_ms))
        return self.allocator.window(self._connection, window_end_ms, portfolio, knowledge)

    def _known(self, connection: Connection, day: str) -> Knowledge | None:
        """Return what is known on a day; a nightly run that was late is found within `KNOWLEDGE_S`."""
        if day != self._known_day or time.monotonic() >= self._asked + KNOWLEDGE_S:
            self._knowledge = self.knowledge_of(connection, self.allocator.branch, day)
            self._known_day, self._asked = day, time.monotonic()
        return self._knowledge

    def _told(self, decided: Decided, window_end_ms: int, took_s: float) -> dict[str, Any]:
        last: dict[str, Any] = {"window_end_ms": window_end_ms, "outcome": decided.outcome.value}
        last["took_ms"] = round(1e3 * took_s, 1)
        decision = decided.decision
        if decision is not None:
            allocation = decision.allocation
            last["views"], last["status"] = len(decision.alphas), allocation.status if allocation else "empty"
            last["detail"] = allocation.detail[:200] if allocation else ""
            last["weights"] = {t.coin: round(t.weight, 6) for t in decision.targets}
            last["relaxed"] = [step.cap for step in allocation.relaxations] if allocation else []
        return last
