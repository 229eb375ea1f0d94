"""Where the program `lotus` begins: Ctrl-C is heard before anything else is imported, and after a command has ended.

Only what a command does can be unwound. Before and after it there is nothing to be put in order, and an exception in
the midst of an import would be told with a traceback. No command belongs here.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


def main() -> None:
    """Run `lotus`; a process that was begun deaf to SIGINT (by a shell, in the background) stays so."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)
    from lotus_cli.main import main as lotus

    lotus(prog_name="lotus")


@contextmanager
def interruptible() -> Iterator[None]:
    """Within the block Ctrl-C is an exception again, so that a command can put things in order."""
    if signal.getsignal(signal.SIGINT) is not _leave:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, _leave)


def _leave(_number: int, _frame: FrameType | None) -> None:
    os.write(2, b"lotus: interrupted\n")
    os._exit(130)
