"""The replay memory against an exact oracle: a set with first-in first-out forgetting."""

import random
from collections import OrderedDict

import numpy as np

from lotus.microtape.wire.dedupe import MEMORY, ROW_WIDTH, first_seen, remembers_as


def test_memory_is_an_exact_fifo_set() -> None:
    source = random.Random(3)
    row = np.zeros(ROW_WIDTH, dtype=np.int64)
    known: OrderedDict[tuple[int, int], None] = OrderedDict()
    seen_again = 0
    for step in range(40_000):
        if known and source.random() < 0.3:
            key = list(known)[-source.randrange(1, len(known) + 1)] if step % 50 == 0 else next(reversed(known))
        else:
            key = (1_757_000_000_000 + source.randrange(step // 4 + 2), source.randrange(2**50))
        fresh = key not in known
        assert first_seen(row, *key) == fresh
        seen_again += not fresh
        if fresh:
            known[key] = None
            if len(known) > MEMORY:
                known.popitem(last=False)
    assert seen_again > 5_000


def test_equal_buckets_are_told_apart_and_forgotten_in_order() -> None:
    row = np.zeros(ROW_WIDTH, dtype=np.int64)
    keys = [(5, tid) for tid in range(MEMORY + 10)]
    assert all(first_seen(row, *key) for key in keys)
    assert not any(first_seen(row, *key) for key in keys[10:])
    assert first_seen(row, *keys[0])


def test_memories_are_alike_once_both_are_full_of_the_same_prints_in_one_order() -> None:
    rows = np.zeros((3, ROW_WIDTH), dtype=np.int64)
    for tid in range(1, 100):
        first_seen(rows[0], 4, tid)
    for tid in range(MEMORY):
        for row, other in zip(rows, (0, 0, 1), strict=True):
            first_seen(row, 5, tid ^ other)
        assert remembers_as(rows[0], rows[1]) == (tid == MEMORY - 1)
    assert not remembers_as(rows[1], rows[2]), "another order is another age"
    first_seen(rows[1], 6, 1)
    assert not remembers_as(rows[0], rows[1])
    first_seen(rows[0], 6, 1)
    assert remembers_as(rows[0], rows[1])
