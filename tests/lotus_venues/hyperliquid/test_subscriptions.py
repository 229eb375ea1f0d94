"""The route of a raw frame, read without decoding it, and texts that ask for channels and end them."""

import json

import pytest

from lotus_venues.hyperliquid.subscriptions import Subscription, acknowledged, route, subscribe_text, unsubscribe_text


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        (b'{"channel":"bbo","data":{"coin":"BTC","time":1}}', ("bbo", "BTC", False)),
        (b'{"channel":"l2Book","data":{"time":1,"coin":"ETH","fast":true}}', ("l2Book", "ETH", True)),
        (b'{"channel":"activeAssetCtx","data":{"ctx":{},"coin":"SOL"}}', ("activeAssetCtx", "SOL", False)),
        (b'{"channel":"pong"}', ("pong", "", False)),
        (b'{"channel":"trades","data":[]}', ("trades", "", False)),
        (b"not a frame", ("", "", False)),
        (b"", ("", "", False)),
    ],
)
def test_a_frame_has_the_route_that_its_text_begins_with(raw: bytes, wanted: tuple[str, str, bool]) -> None:
    assert route(raw) == wanted


@pytest.mark.parametrize("sub", [Subscription("l2Book", "BTC", fast=True), Subscription("trades", "ETH")])
def test_what_was_asked_for_is_acknowledged_and_nothing_else(sub: Subscription) -> None:
    asked, ended = json.loads(subscribe_text(sub)), json.loads(unsubscribe_text(sub))
    assert (asked["method"], ended["method"]) == ("subscribe", "unsubscribe")
    assert asked["subscription"] == ended["subscription"]
    assert acknowledged(asked["subscription"] | {"mantissa": None}) == sub
    assert acknowledged(asked["subscription"] | {"coin": "XRP"}) != sub
