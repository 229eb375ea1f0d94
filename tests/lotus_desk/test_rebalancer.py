"""The rebalancer with a scripted book: every window once, the newest first when it is late, and told when it cannot."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest

from lotus_desk import rebalancer as rebalancer_module
from lotus_desk.rebalancer import Rebalancer
from lotus_modules.dm.allocate import Decided, PortfolioSnapshot, WindowOutcome

WINDOW_MS = 5_000


@dataclass
class Book:
    """Answers for windows and remembers what it was asked; `takes_s` is how long that takes."""

    takes_s: float = 0.0
    fault: Exception | None = None
    branch: str = "main"
    asked: list[int] = field(default_factory=list)
    known: list[Any] = field(default_factory=list)

    def window(
        self, _connection: object, window_end_ms: int, portfolio: PortfolioSnapshot | None, knowledge: Any
    ) -> Decided:
        if self.fault is not None:
            raise self.fault
        time.sleep(self.takes_s)
        self.asked.append(window_end_ms)
        self.known.append(knowledge)
        if knowledge is None:
            return Decided(WindowOutcome.NO_KNOWLEDGE)
        return Decided(WindowOutcome.NO_ACCOUNT if portfolio is None else WindowOutcome.QUIET)


class Server:
    """A database that opens connections of no use; `closed_after` is how many windows the book had when they were."""

    opened = 0

    def __init__(self, book: "Book") -> None:
        self.book = book
        self.closed_after: list[int] = []

    def connect(self, _name: str, **_: object) -> "Server":
        self.opened += 1
        return self

    def close(self) -> None:
        self.closed_after.append(len(self.book.asked))


PORTFOLIO = PortfolioSnapshot(1_735_689_600_000, 1e5, {}, {}, {})


def rebalancer_of(
    book: Book, portfolio: PortfolioSnapshot | None = PORTFOLIO, knowledge_of: Callable[..., Any] = lambda *_: NIGHT
) -> Rebalancer:
    return Rebalancer(Server(book), book, lambda: portfolio, WINDOW_MS, 500.0, knowledge_of)  # type: ignore[arg-type]


@dataclass
class Night:
    """What a night knew, as far as the rebalancer looks at it."""

    day: str = "2024-12-31"


NIGHT = Night()


async def feed(rebalancer: Rebalancer, ends: int, every_s: float) -> None:
    """Let windows close at a pace while the rebalancer runs."""
    closed = [0, 0]
    running = asyncio.create_task(rebalancer.run(lambda: (closed[0], closed[1])))
    await asyncio.sleep(0.3)  # the ticket's schema is compiled first
    for _ in range(ends):
        closed[0], closed[1] = closed[0] + 1, closed[1] + WINDOW_MS
        await asyncio.sleep(every_s)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_every_window_is_decided_once_in_order() -> None:
    book = Book()
    asyncio.run(feed(rebalancer := rebalancer_of(book), 6, 0.1))
    assert book.asked == [WINDOW_MS * k for k in range(1, 7)]
    assert rebalancer.status()["windows"] == {"quiet": 6, "skipped": 0}
    assert rebalancer.status()["knowledge"] == "2024-12-31"


def test_a_connection_is_closed_after_the_decision_under_way() -> None:
    book = Book(takes_s=0.3)
    asyncio.run(feed(rebalancer := rebalancer_of(book), 1, 0.1))
    assert rebalancer.databases.closed_after == [1]  # type: ignore[attr-defined]


def test_a_slow_decision_skips_to_the_newest_window_and_counts() -> None:
    book = Book(takes_s=0.35)
    asyncio.run(feed(rebalancer := rebalancer_of(book), 10, 0.1))
    assert book.asked == sorted(set(book.asked))
    assert len(book.asked) < 8
    told = rebalancer.status()["windows"]
    assert told["skipped"] >= 2
    assert told["quiet"] + told["skipped"] <= 10


@pytest.mark.parametrize(
    ("portfolio", "night", "outcome"), [(PORTFOLIO, None, "no_knowledge"), (None, NIGHT, "no_account")]
)
def test_what_is_lacking_is_told(portfolio: PortfolioSnapshot | None, night: Night | None, outcome: str) -> None:
    rebalancer = rebalancer_of(Book(), portfolio, lambda *_: night)
    rebalancer.decide(WINDOW_MS)
    assert rebalancer.status()["windows"] == {outcome: 1}
    assert rebalancer.status()["last"]["outcome"] == outcome
    assert (rebalancer.status()["knowledge"] == "none: nothing is decided") == (night is None)


@pytest.mark.parametrize("fault", [psycopg.OperationalError("gone"), RuntimeError("a bug")])
def test_a_fault_is_told_and_the_next_window_is_tried(fault: Exception, caplog: pytest.LogCaptureFixture) -> None:
    book = Book(fault=fault)
    rebalancer = rebalancer_of(book)
    rebalancer.decide(WINDOW_MS)
    book.fault = None
    rebalancer.decide(2 * WINDOW_MS)
    assert rebalancer.status()["windows"] == {"failed": 1, "quiet": 1}
    assert str(fault) in rebalancer.status()["last_failure"]
    assert "is not decided" in caplog.text
    assert book.asked == [2 * WINDOW_MS]


def test_a_later_night_is_found_and_a_new_day_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    nights: list[Any] = [None, Night("a"), Night("b")]
    asked: list[str] = []

    def knowledge_of(_connection: object, _branch: str, day: str) -> Any:
        asked.append(day)
        return nights.pop(0)

    book, portfolios = Book(), [PORTFOLIO]
    rebalancer = Rebalancer(Server(book), book, lambda: portfolios[0], WINDOW_MS, 500.0, knowledge_of)  # type: ignore[arg-type]
    rebalancer.decide(1)
    rebalancer.decide(2)
    assert asked == ["2025-01-01"], "asked again only after a while"
    monkeypatch.setattr(rebalancer_module, "KNOWLEDGE_S", 0.0)
    rebalancer.decide(3)
    monkeypatch.setattr(rebalancer_module, "KNOWLEDGE_S", 1e9)
    portfolios[0] = PortfolioSnapshot(PORTFOLIO.now_ms + 86_400_000, 1e5, {}, {}, {})
    rebalancer.decide(4)
    assert asked == ["2025-01-01", "2025-01-01", "2025-01-02"]
    assert [night.day if night else None for night in book.known] == [None, None, "a", "b"]
