"""A pool has all its threads from the start, and works as any other."""

import threading

from lotus_venues.begun_pool import begun_pool


def test_all_threads_are_there_before_there_is_work() -> None:
    with begun_pool(7, "begun-test") as pool:
        assert sum(one.name.startswith("begun-test") for one in threading.enumerate()) == 7
        assert [*pool.map(abs, range(-20, 0))] == [*range(20, 0, -1)]
        assert sum(one.name.startswith("begun-test") for one in threading.enumerate()) == 7
