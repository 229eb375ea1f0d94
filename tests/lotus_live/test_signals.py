"""SIGTERM and SIGINT end a daemon under their name, SIGHUP wakes it; other threads have no signals."""

import asyncio
import os
import signal
import threading

from lotus_live.signals import on_end_signals


def test_a_signal_ends_under_its_name_and_a_hang_up_wakes() -> None:
    noted: list[str] = []

    async def go() -> None:
        on_end_signals(noted.append, lambda: noted.append("woken"))
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            os.kill(os.getpid(), number)
            await asyncio.sleep(0.01)

    asyncio.run(go())
    assert noted == ["woken", "SIGINT", "SIGTERM"]


def test_another_thread_goes_on_without_signals() -> None:
    async def go() -> None:
        on_end_signals(lambda _: None)

    faults: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(go())
        except BaseException as fault:
            faults.append(fault)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert faults == []
