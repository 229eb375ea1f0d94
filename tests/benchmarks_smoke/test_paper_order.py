"""The benchmark of paper orders runs, and its orders do what it says they do (it asserts their ends)."""

import asyncio

from benchmarks.venues.paper_order import quantile, run


def test_paper_orders_are_timed() -> None:
    figures = asyncio.run(run(20))
    assert len(figures) == 3
    for _, times, reference in figures:
        assert len(times) == len(reference) == 20
        assert 0 < quantile(times, 0.5) <= quantile(times, 0.99)
