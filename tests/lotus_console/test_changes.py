"""`lotus_console/changes.py`: one look serves all listeners, who are bounded; a lost ledger stops nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest

from lotus_console import changes
from lotus_console.changes import LISTENERS, Changes, Listening

PLACE: Any = None  # the stream reads nothing of its request


class Ledger:
    """What the watch asks: a state that a test changes, and how often it was asked."""

    def __init__(self) -> None:
        """Nothing is new."""
        self.state: tuple[object, ...] = (1,)
        self.lost = False
        self.asked = 0

    def newest(self) -> tuple[object, ...]:
        """Return the state, or fail as a database that is away."""
        self.asked += 1
        if self.lost:
            raise psycopg.OperationalError("no server")
        return self.state


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """A ledger that is looked at often."""
    monkeypatch.setattr(changes, "LOOK_S", 0.005)
    return Ledger()


@asynccontextmanager
async def watched(ledger: Ledger) -> AsyncIterator[Changes]:
    news = Changes(ledger)  # type: ignore[arg-type]
    async with news.watched():
        yield news


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(5.0):
        while not is_so():
            await asyncio.sleep(0.002)


def run(job: Callable[[], Any]) -> None:
    asyncio.run(job())


def test_every_listener_hears_each_change_once(ledger: Ledger) -> None:
    async def job() -> None:
        async with watched(ledger) as news:
            await until(lambda: ledger.asked > 0)
            news.listeners = 3
            heard = [news.events() for _ in range(3)]
            assert [await anext(one) for one in heard] == [b"retry: 5000\n\n"] * 3
            for turn in (2, 3):  # the first look was a change from nothing
                waiting = [asyncio.ensure_future(anext(one)) for one in heard]
                await asyncio.sleep(0.03)
                assert not any(one.done() for one in waiting), "nothing is new"
                ledger.state = (turn,)
                found = await asyncio.wait_for(asyncio.gather(*waiting), 5.0)
                assert found == [b"event: changed\ndata: %d\n\n" % turn] * 3

    run(job)


def test_nobody_listens_so_nobody_asks(ledger: Ledger) -> None:
    async def job() -> None:
        async with watched(ledger) as news:
            await until(lambda: ledger.asked == 1)
            await asyncio.sleep(0.05)
            assert ledger.asked == 1
            news.listeners = 1
            await until(lambda: ledger.asked > 3)

    run(job)


def test_a_ledger_that_is_away_is_asked_again(ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    async def job() -> None:
        async with watched(ledger) as news:
            await until(lambda: ledger.asked > 0)
            news.listeners, heard = 1, news.events()
            await anext(heard)
            ledger.lost = True
            await until(lambda: "cannot be asked for news" in caplog.text)
            ledger.lost, ledger.state = False, ("back",)
            assert await asyncio.wait_for(anext(heard), 5.0) == b"event: changed\ndata: 2\n\n"

    run(job)


def test_a_pulse_finds_those_that_are_gone(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "PULSE_S", 0.01)

    async def job() -> None:
        async with watched(ledger) as news:
            await until(lambda: news._turn == 1)
            heard = news.events()
            await anext(heard)
            assert [await anext(heard) for _ in range(3)] == [b": pulse\n\n"] * 3

    run(job)


def test_listeners_are_bounded_and_counted_until_they_are_gone(ledger: Ledger) -> None:
    async def job() -> None:
        news = Changes(ledger)  # type: ignore[arg-type]
        accepted = [await news.stream(PLACE) for _ in range(LISTENERS)]
        assert all(isinstance(one, Listening) for one in accepted)
        refused = await news.stream(PLACE)
        assert (refused.status_code, news.listeners) == (503, LISTENERS)

        async def receive() -> dict[str, Any]:
            return {"type": "http.disconnect"}

        async def send(_message: Any) -> None:
            raise OSError("the browser is gone")

        scope = {"type": "http", "asgi": {"spec_version": "2.0"}}
        for one in accepted:
            try:
                await asyncio.wait_for(one(scope, receive, send), 5.0)
            except* OSError:
                pass
            except* Exception as odd:
                raise AssertionError("only the browser may fail") from odd
        assert news.listeners == 0
        assert isinstance(await news.stream(PLACE), Listening)

    run(job)
