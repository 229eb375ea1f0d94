"""Jobs of the books within a limit: done, refused, or late and then in nobody's way."""

import asyncio
import threading

import psycopg
import pytest

from lotus_desk.execution.in_time import InTime


def test_a_job_is_done_or_told_why_not() -> None:
    told: list[BaseException] = []
    seen: list[int] = []

    def down() -> None:
        raise psycopg.OperationalError("gone")

    async def go() -> None:
        books = InTime(1.0, told.append)
        assert await books.done(seen.append, 1)
        assert not await books.done(down)
        with pytest.raises(ZeroDivisionError):
            await books.done(lambda: 1 // 0)
        assert await books.done(seen.append, 2)

    asyncio.run(go())
    assert seen == [1, 2]
    assert [type(problem) for problem in told] == [psycopg.OperationalError]


def test_in_step_a_job_is_done_in_the_loop_however_long_it_takes() -> None:
    seen: list[object] = []

    def down() -> None:
        raise psycopg.OperationalError("gone")

    async def go() -> None:
        books = InTime(0.0, seen.append, in_step=True)
        assert await books.done(lambda: seen.append(threading.current_thread()), ended=seen.append)
        assert not await books.done(down, ended=seen.append)
        with pytest.raises(ZeroDivisionError):
            await books.done(lambda: 1 // 0)
        assert not books.is_busy

    asyncio.run(go())
    assert seen[:3] == [threading.main_thread(), True, False]
    assert [type(problem) for problem in seen[3:]] == [psycopg.OperationalError]


def test_a_late_job_keeps_others_from_beginning_until_it_ends() -> None:
    told: list[BaseException] = []
    may_end, seen = threading.Event(), list[int]()

    def slow() -> None:
        may_end.wait(10)
        raise psycopg.OperationalError("gone")

    async def go() -> None:
        books = InTime(0.05, told.append)
        assert not await books.done(slow)
        assert not await books.done(seen.append, 1)
        may_end.set()
        for _ in range(200):
            if await books.done(seen.append, 2):
                return
            await asyncio.sleep(0.01)
        raise AssertionError("it never recovered")

    asyncio.run(go())
    assert seen == [2]
    assert "took longer" in str(told[0])


def test_a_late_job_that_is_done_after_all_says_so_and_what_it_uses_is_closed_after_it() -> None:
    may_end, said = threading.Event(), list[object]()

    async def go() -> None:
        books = InTime(0.05, lambda _: None)
        assert not await books.done(may_end.wait, 10, ended=said.append)
        assert books.is_busy
        closing = asyncio.create_task(books.over(lambda: said.append("closed")))
        await asyncio.sleep(0.05)
        assert said == []
        may_end.set()
        await closing
        assert not books.is_busy
        assert await books.done(int, ended=said.append)
        await books.over(lambda: said.append("closed at once"))

    asyncio.run(go())
    assert said == [True, "closed", True, "closed at once"]


def test_a_job_that_was_left_by_a_cancelled_caller_is_waited_for() -> None:
    may_end, said = threading.Event(), list[object]()

    async def go() -> None:
        books = InTime(None, lambda _: None)
        waiting = asyncio.create_task(books.done(may_end.wait, 10, ended=said.append))
        await asyncio.sleep(0.05)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert waiting.cancelled()
        asyncio.get_running_loop().call_later(0.05, may_end.set)
        await books.over(lambda: said.append("closed"))

    asyncio.run(go())
    assert said == [True, "closed"]
