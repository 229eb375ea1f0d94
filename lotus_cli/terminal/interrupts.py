"""What Ctrl-C does: an exception while a command works, which puts things in order, and the end before and after.

It imports little, for it must be in force before anything else is imported.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


def end_on_interrupt() -> None:
    """Let Ctrl-C end the process at once; one that ignores SIGINT (begun by a shell in the background) stays so."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


@contextmanager
def interruptible() -> Iterator[None]:
    """Make Ctrl-C an exception again within the block."""
    if signal.getsignal(signal.SIGINT) is not _end:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, _end)


def _end(_number: int, _frame: FrameType | None) -> None:
    os.write(2, b"lotus: interrupted\n")
    os._exit(130)
