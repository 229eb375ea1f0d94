"""Prints of a tape: each once, in order of arrival, by coin."""

import numpy as np

from lotus.microtape.events import EventInput, EventKind, book_values, build_batch, empty_batch
from lotus.microtape.prints import MICROTAPE_PRINTS, print_columns, prints_in


def test_every_print_of_every_message_stands_in_its_place() -> None:
    first = (100, 5, 1, 1_000, 7, 101, 6, -1, 1_001, 8)  # two prints of one message: px, sz, side, time, number
    batch = build_batch(
        [
            EventInput(10, 1_001, 3, EventKind.TRADES, 1, first),
            EventInput(20, 1_002, 4, EventKind.BOOK, 0, book_values([(99, 1, 1)], [(101, 1, 1)])),
            EventInput(30, 1_003, 5, EventKind.TRADES, 0, (99, 2, -1, 1_003, 9)),
        ]
    )
    rows = prints_in(batch)
    assert rows.tolist() == [
        [1, 3, 0, 10, 1_000, 100, 5, 1],
        [1, 3, 1, 10, 1_001, 101, 6, -1],
        [0, 5, 0, 30, 1_003, 99, 2, -1],
    ]
    own = print_columns(rows, 1)
    assert own["px"].tolist() == [100, 101]
    assert all(own[c.name].dtype == np.dtype(c.dtype) for c in MICROTAPE_PRINTS.columns)


def test_a_tape_without_prints_has_none() -> None:
    assert prints_in(empty_batch()).shape == (0, len(MICROTAPE_PRINTS.columns))
