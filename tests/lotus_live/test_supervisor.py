"""What breaks beside the feed is begun again, and each cause is counted by itself."""

import asyncio
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from lotus.errors import LedgerError
from lotus_live import supervisor as supervisor_module
from lotus_live.pipeline.beliefs import Poll
from lotus_live.reports.status import FailureCause, LiveCounts
from lotus_live.supervisor import Supervisor


def made(watch: Any) -> tuple[Supervisor, LiveCounts]:
    """Return a supervisor with this watch over beliefs, and its counts."""
    counts = LiveCounts()
    taker: Any = SimpleNamespace(counts=counts, last_ns=1, announcer=None, trading=None)
    context: Any = SimpleNamespace(ids={})
    out = Supervisor(context, Any, taker, watch, lambda: None)  # type: ignore[arg-type]
    out._commands = SimpleNamespace(take=list)  # type: ignore[assignment]
    return out, counts


async def for_a_moment(job: Any) -> None:
    """Run a job that has no end."""
    with suppress(TimeoutError):
        async with asyncio.timeout(0.3):
            await job


def test_a_ledger_that_is_away_is_counted_and_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor_module, "POLL_S", 0.01)
    answers: list[Any] = [Poll([], []), LedgerError("away"), LedgerError("away")]
    taken: list[Poll] = []

    def poll() -> Poll:
        answer = answers.pop() if answers else Poll([], [])
        if isinstance(answer, Exception):
            raise answer
        return answer

    one, counts = made(SimpleNamespace(poll=poll, take=taken.append))
    asyncio.run(for_a_moment(one._poll()))
    failures = counts.failures[FailureCause.POLLS]
    assert (failures.count, failures.lasts) == (2, False)
    assert taken


def test_a_desk_that_breaks_is_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor_module, "POLL_S", 0.01)
    runs: list[int] = []

    async def run() -> None:
        runs.append(1)
        if len(runs) < 3:
            raise RuntimeError("broke")
        await asyncio.sleep(10)

    one, counts = made(None)
    desk: Any = SimpleNamespace(run=run)
    asyncio.run(for_a_moment(one._trade(desk)))
    assert len(runs) == 3
    assert counts.failures[FailureCause.DESK].count == 2
    assert counts.failures[FailureCause.POLLS].count == 0


def test_a_helper_that_ends_by_an_error_ends_the_daemon_and_a_status_that_cannot_be_made_does_not() -> None:
    failed: list[BaseException] = []
    feed: Any = SimpleNamespace(failed=failed.append, clock=None)

    async def run(job: Any) -> None:
        one, _ = made(SimpleNamespace(poll=lambda: Poll([], []), take=lambda poll: None))
        one._context = SimpleNamespace(ids={}, replaying=True)  # type: ignore[assignment]
        one._write_status = lambda: 1 / 0  # type: ignore[assignment, return-value]
        one._taker.in_step, one._taker.hand_over = False, lambda: None  # type: ignore[misc, method-assign]
        one._tape = SimpleNamespace(recorder=SimpleNamespace(sync=lambda now_ns: None))  # type: ignore[assignment]
        feed.clock = SimpleNamespace(now_ns=lambda: 1)
        one.beside = [job]
        one.start(feed)
        await asyncio.sleep(0.6)
        assert one._status_failure.startswith("ZeroDivisionError")
        assert not one._helpers[0].done(), "the house is kept all the same"
        await one.close()

    async def breaks() -> None:
        raise RuntimeError("broke")

    asyncio.run(run(breaks))
    assert [str(error) for error in failed] == ["broke"]
    failed.clear()
    asyncio.run(run(lambda: asyncio.sleep(10)))
    assert not failed
