"""Bounds of a process that answers one question: memory by the kernel, time where DuckDB cannot be interrupted."""

import os
import resource
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

GRACE_S = 2.0  # beyond the time limit, for what DuckDB does not interrupt
SPARE_MB = 1024  # beyond DuckDB's own limit: the program, Arrow, and what functions allocate beside it
ENDED = (
    "the question was not answered within {seconds:g} s",
    "less to compute",
    "a function over a very long text, or very many joins",
)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one question may take: seconds, threads, megabytes of DuckDB, rows of one scan of a ledger's table."""

    seconds: float = 10.0
    threads: int = 2
    memory_mb: int = 1024
    ledger_rows: int = 2_000_000


@contextmanager
def bounded_process(bounds: Bounds, end: Callable[[], None]) -> Iterator[None]:
    """Bound this whole process within the block; `end` is called from a thread at the end of the time, and must end it.

    For a process that answers one question and nothing else.
    """
    limits = resource.getrlimit(resource.RLIMIT_DATA)
    most = _data_bytes() + ((bounds.memory_mb + SPARE_MB) << 20)
    resource.setrlimit(resource.RLIMIT_DATA, (most if limits[1] < 0 else min(most, limits[1]), limits[1]))
    timer = threading.Timer(bounds.seconds + GRACE_S, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        resource.setrlimit(resource.RLIMIT_DATA, limits)


def end_with(code: int, text: str) -> None:
    """End the process at once with a text on standard error: DuckDB is in the midst of what it does not interrupt."""
    os.write(2, text.encode())
    os._exit(code)


def _data_bytes() -> int:
    """Return the memory that this process has reserved for itself so far, as the kernel counts it."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmData:")[2].split()[0]) << 10
