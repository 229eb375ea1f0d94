"""The block of a day that is looked at: each as likely, the same again, and every window in one of them."""

from collections import Counter

import numpy as np

from lotus.governance.credit.sampled_block import BLOCKS, drawn_block, in_block, is_tenth
from lotus.timebase import BLOCK_MS, DAY_MS, next_day


def test_the_draw_is_of_branch_and_day_alone_and_even() -> None:
    days = [next_day("2024-01-01", k) for k in range(4_000)]
    drawn = [drawn_block("main", day) for day in days]
    assert drawn == [drawn_block("main", day) for day in days]
    assert drawn[:60] != [drawn_block("other", day) for day in days[:60]]
    counts = Counter(drawn)
    assert set(counts) == set(range(BLOCKS))
    assert all(abs(n - 1_000) < 5 * np.sqrt(4_000 * 0.25 * 0.75) for n in counts.values())


def test_every_window_lies_in_one_block_whatever_it_was_late_by() -> None:
    first = 1_767_571_200_000
    ends = first + np.array([0, BLOCK_MS - 1, BLOCK_MS, DAY_MS - 1, DAY_MS + 5, -7])
    inside = np.array([in_block(ends, first, block) for block in range(BLOCKS)])
    assert inside.sum(axis=0).tolist() == [1] * len(ends)
    assert inside.argmax(axis=0).tolist() == [0, 0, 1, 3, 3, 0]
    assert in_block(np.empty(0, np.int64), first, 0).tolist() == []


def test_one_window_in_ten_of_all_coins_at_once() -> None:
    ends = np.arange(100, dtype=np.int64) * 5_000
    assert np.flatnonzero(is_tenth(ends, 5_000)).tolist() == list(range(0, 100, 10))
