"""How a process of the daemon hears that it shall end (SIGTERM, SIGINT) or look for new beliefs (SIGHUP)."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress


def on_end_signals(end: Callable[[str], None], wake: Callable[[], None] | None = None) -> None:
    """Call `end` with the signal's name, `wake` on SIGHUP; does nothing outside the main thread."""
    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError, RuntimeError, ValueError):
        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sign, end, sign.name)
        if wake is not None:
            loop.add_signal_handler(signal.SIGHUP, wake)
