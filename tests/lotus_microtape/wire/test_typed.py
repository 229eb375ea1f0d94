"""The general path from a frame to an event's integers: every line has a kind, and none raises."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lotus.manifest import Asset
from lotus.microtape.parser.frame import coin_table
from lotus.microtape.wire.reasons import LineKind, QuarantineReason
from lotus.microtape.wire.typed import TypedLine, typed_line
from lotus_venues.local_exchange.frames import bbo_frame, book_frame, context_frame, trade_frame

COINS = coin_table([Asset("BTC", 5)], [Asset("ETH", 4)])


def line(channel: str, data: Any) -> TypedLine:
    return typed_line(json.dumps({"channel": channel, "data": data}).encode(), COINS)


def test_a_quote_becomes_price_size_and_orders_of_both_sides() -> None:
    found = typed_line(bbo_frame("BTC", 7, ("100000.5", "0.25"), None), COINS)
    assert found == TypedLine(LineKind.BBO, 0, 7, (1_000_005, 25_000, 1, 0, 0, 0))


def test_a_book_begins_with_the_number_of_its_levels() -> None:
    found = typed_line(book_frame("BTC", 9, [("10.0", "1"), ("9.5", "2")], [("11.0", "3")]), COINS)
    assert (found.line, found.time_ms) == (LineKind.BOOK, 9)
    assert found.values == (2, 1, 100, 100_000, 1, 95, 200_000, 1, 110, 300_000, 1)
    assert typed_line(book_frame("BTC", 9, [], [], fast=True), COINS).line is LineKind.FAST


def test_the_side_of_a_trade_is_that_of_the_aggressor() -> None:
    for side, sign in (("B", 1), ("A", -1)):
        found = typed_line(trade_frame("BTC", 5, side, "10.0", "1", 77), COINS)
        assert (found.line, found.values) == (LineKind.TRADES, (100, 100_000, sign, 5, 77))
    assert typed_line(trade_frame("BTC", 5, "X", "10.0", "1", 77), COINS).reason is QuarantineReason.BAD_FORM


def test_a_context_counts_funding_in_its_scale_and_twice_the_mid() -> None:
    found = typed_line(context_frame("BTC", "10.0", "10.1"), COINS)
    assert found.line is LineKind.CTX
    assert found.values == (12_500_000, 0, 101, 100, 200, 0, 100, 100)


@pytest.mark.parametrize(
    ("raw", "kind", "reason"),
    [
        (b" ", LineKind.BLANK, None),
        (b"{", LineKind.QUARANTINE, QuarantineReason.BAD_JSON),
        (b"17 {}", LineKind.QUARANTINE, QuarantineReason.STAMP_FAR),
        (bbo_frame("ETH", 7, None, None), LineKind.IGNORED_COIN, None),
        (bbo_frame("DOGE", 7, None, None), LineKind.QUARANTINE, QuarantineReason.UNKNOWN_COIN),
        (bbo_frame("BTC", 7, ("10.01", "1"), None), LineKind.QUARANTINE, QuarantineReason.PRICE_UNIT),
    ],
)
def test_what_is_no_event_has_a_kind_and_a_reason(raw: bytes, kind: LineKind, reason: QuarantineReason | None) -> None:
    found = typed_line(raw, COINS)
    assert (found.line, found.reason) == (kind, reason)


def test_an_empty_message_of_trades_and_an_unknown_channel_are_counted() -> None:
    assert line("trades", []).line is LineKind.NOTHING_NEW
    assert line("weather", {"rain": True}).line is LineKind.UNKNOWN_CHANNEL


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_raise(raw: bytes) -> None:
    assert typed_line(raw, COINS).line in LineKind
