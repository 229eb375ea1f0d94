"""A task that breaks is reported; one that must go on is begun again; a cancelled one ended as it should."""

import asyncio

import pytest

from lotus.errors import LotusError
from lotus_desk.execution import chores as chores_module
from lotus_desk.execution.chores import Chores


def test_a_task_that_breaks_is_reported_and_a_cancelled_one_is_not() -> None:
    broken: list[tuple[str, str]] = []

    async def breaks() -> None:
        raise RuntimeError("gone")

    async def go() -> None:
        chores = Chores(lambda what, problem: broken.append((what, str(problem))))
        chores.begin("an order", breaks())
        chores.begin("a wait", asyncio.sleep(60))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await chores.close()

    asyncio.run(go())
    assert broken == [("an order", "gone")]


def test_a_task_that_must_go_on_is_begun_again_whether_it_broke_or_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chores_module, "AGAIN_S", 0.0)
    broken: list[BaseException] = []
    begun: list[int] = []

    async def job() -> None:
        begun.append(1)
        if len(begun) == 1:
            raise RuntimeError("gone")
        if len(begun) > 2:
            await asyncio.sleep(60)

    async def go() -> None:
        chores = Chores(lambda _, problem: broken.append(problem))
        chores.keep("listening", job)
        while len(begun) < 3:
            await asyncio.sleep(0)
        await chores.close()

    asyncio.run(go())
    assert [type(problem) for problem in broken] == [RuntimeError, LotusError]
