"""A pool whose threads are all there from the start: a process has as many in its first minute as in its last.

One that grows with the demand takes a thread, its stack and its arena whenever more is asked at once than ever before.
"""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Final

_MEET_S: Final = 10.0


def begun_pool(threads: int, name: str) -> ThreadPoolExecutor:
    """Return a pool of so many threads that have begun, or are about to; jobs given at once run after that."""
    pool = ThreadPoolExecutor(threads, name)
    meeting = Barrier(threads)
    for _ in range(threads):
        pool.submit(meeting.wait, _MEET_S)
    return pool
