"""A subject is asked about twice at most at a time, a venue few things at a time, and every question gets its turn."""

import asyncio
from contextlib import AsyncExitStack

from lotus_desk.execution.questions import LANES, MOST, OpenQuestions


def test_questions_beyond_the_most_are_not_asked_until_one_is_answered() -> None:
    async def run() -> None:
        questions = OpenQuestions()
        async with questions.about("b"):
            async with AsyncExitStack() as stack:
                asked = [await stack.enter_async_context(questions.about("a")) for _ in range(MOST + 1)]
                assert asked == [True] * MOST + [False]
            async with questions.about("a") as is_free:
                assert is_free

    asyncio.run(run())


def test_a_subject_that_waits_in_turn_waits_once() -> None:
    async def run() -> None:
        questions, may_end = OpenQuestions(), asyncio.Event()
        answered: list[bool] = []

        async def ask(subject: str) -> None:
            async with questions.about(subject) as is_free:
                if is_free:
                    await may_end.wait()
                answered.append(is_free)

        hanging = [asyncio.create_task(ask(f"hangs {k}")) for k in range(LANES)]
        waiting = [asyncio.create_task(ask("a")) for _ in range(5)]
        await asyncio.sleep(0.01)
        assert answered == [False] * 4
        waiting[0].cancel()
        await asyncio.sleep(0.01)
        again = asyncio.create_task(ask("a"))
        may_end.set()
        await asyncio.gather(*hanging, again)
        assert answered == [False] * 4 + [True] * (LANES + 1)

    asyncio.run(run())


def test_a_flood_of_questions_is_asked_in_turn_and_all_of_it() -> None:
    async def run() -> None:
        questions, at_once, most, answered = OpenQuestions(), 0, 0, []

        async def ask(subject: int) -> None:
            nonlocal at_once, most
            async with questions.about(str(subject)) as is_free:
                assert is_free
                at_once += 1
                most = max(most, at_once)
                await asyncio.sleep(0.001)
                at_once -= 1
                answered.append(subject)

        await asyncio.gather(*(ask(k) for k in range(10 * LANES)))
        assert most == LANES
        assert sorted(answered) == list(range(10 * LANES))

    asyncio.run(run())
