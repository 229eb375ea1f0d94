"""Frames made by hand are spelt as the venue spells them: the strict byte parser takes every one."""

import json

import numpy as np
import pytest

from lotus.manifest import Asset
from lotus.microtape.events import EventKind
from lotus.microtape.parser.frame import coin_table, parse_frame
from lotus_venues.local_exchange.frames import bbo_frame, book_frame, context_frame, trade_frame

COINS = coin_table([Asset("BTC", 5)])
BIDS, ASKS = [("10.0", "1"), ("9.0", "2")], [("11.0", "3")]
QUOTE, PRINT = bbo_frame("BTC", 5, ("10.0", "1"), None), trade_frame("BTC", 6, "A", "10.0", "0.5", 42)
BOOK, FAST = book_frame("BTC", 5, BIDS, ASKS), book_frame("BTC", 5, BIDS, ASKS, fast=True)
CONTEXT = context_frame("BTC", "10.0", "10.5", "-0.0001")


def parsed(frame: bytes) -> tuple[int, tuple[int, ...]]:
    """Return the kind and the integers that the byte parser makes of a frame."""
    pool = np.zeros(200, dtype=np.int64)
    buf = np.frombuffer(frame + b"\n", dtype=np.uint8)
    kind, _, _, end, newline = parse_frame(buf, 0, COINS.slots, COINS.names, COINS.spec, pool, 0)
    assert newline == len(frame)
    return kind, tuple(int(value) for value in pool[:end])


def test_a_book_has_bids_before_asks_best_first() -> None:
    levels = (2, 1, 100, 100_000, 1, 90, 200_000, 1, 110, 300_000, 1)
    assert parsed(BOOK) == (EventKind.BOOK, levels)
    assert parsed(FAST) == (EventKind.FAST, levels)


def test_a_side_without_a_quote_is_empty() -> None:
    assert parsed(QUOTE) == (EventKind.BBO, (100, 100_000, 1, 0, 0, 0))


def test_a_print_names_its_aggressor() -> None:
    assert parsed(PRINT) == (EventKind.TRADES, (100, 50_000, -1, 6, 42))


def test_a_context_takes_the_mark_for_the_mid() -> None:
    assert parsed(CONTEXT) == (EventKind.CTX, (-100_000_000, 0, 105, 100, 200, 0, 100, 100))


@pytest.mark.parametrize(
    ("frame", "channel"),
    [(BOOK, "l2Book"), (FAST, "l2Book"), (QUOTE, "bbo"), (PRINT, "trades"), (CONTEXT, "activeAssetCtx")],
)
def test_a_frame_is_json_of_its_channel(frame: bytes, channel: str) -> None:
    assert json.loads(frame)["channel"] == channel
    assert b" " not in frame
