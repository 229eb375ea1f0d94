"""The watch hears every spelling of a frame that routing knows, and what it knows by sight stays bounded."""

import pytest
from tapes import UNIVERSE

from lotus_live.feed.staleness import StaleWatch
from lotus_venues.hyperliquid.subscriptions import Subscription, universe_subscriptions

S = 1_000_000_000
COIN = UNIVERSE[0].name
SUBSCRIPTIONS = universe_subscriptions([COIN])
FRAMES = {
    ("bbo", False): b'{"channel":"bbo","data":{"coin":"%b","time":%d,"bbo":[null,null]}}',
    ("l2Book", False): b'{"channel":"l2Book","data":{"coin":"%b","time":%d,"levels":[[],[]]}}',
    ("l2Book", True): b'{"channel":"l2Book","data":{"coin":"%b","time":%d,"levels":[[],[]],"fast":true}}',
    ("activeAssetCtx", False): b'{"channel":"activeAssetCtx","data":{"coin":"%b","ctx":{"funding":"0.%d"}}}',
}


def watch() -> StaleWatch:
    made = StaleWatch(SUBSCRIPTIONS)
    made.start(0)
    return made


def fresh_at(made: StaleWatch, now_ns: int) -> set[Subscription]:
    """Return the subscriptions with a limit that are not stale."""
    made.newly_stale(now_ns)
    return {s for s in SUBSCRIPTIONS if s.stale_after_s is not None and s.label not in made.stale}


@pytest.mark.parametrize(("channel", "fast"), FRAMES)
def test_a_frame_keeps_its_own_subscription_fresh_and_no_other(channel: str, fast: bool) -> None:
    made = watch()
    for k in range(60):
        made.note(FRAMES[channel, fast] % (COIN.encode(), k), k * S)
    assert fresh_at(made, 60 * S) == {Subscription(channel, COIN, fast)}


def test_other_orders_of_keys_are_heard_without_being_remembered() -> None:
    made = watch()
    for k in range(60):
        made.note(b'{"channel":"bbo","data":{"time":%d,"bbo":[],"coin":"%b"}}' % (k, COIN.encode()), k * S)
        made.note(b'{"channel":"l2Book","data":{"coin":"%b","fast":true,"time":%d}}' % (COIN.encode(), k), k * S)
    assert fresh_at(made, 60 * S) == {Subscription("bbo", COIN), Subscription("l2Book", COIN, fast=True)}
    assert not made._heads
    assert not made._fast_heads


def test_both_forms_of_the_book_and_coins_without_a_subscription_stay_apart() -> None:
    made = watch()
    for k in range(60):
        for form in (True, False) if k < 50 else (True,):
            made.note(FRAMES["l2Book", form] % (COIN.encode(), k), k * S)
        made.note(FRAMES["bbo", False] % (COIN.encode() + b"X", k), k * S)
        made.note(b'{"channel":"pong"}', k * S)
        made.note(b"", k * S)
    assert fresh_at(made, 60 * S) == {Subscription("l2Book", COIN, fast=True), Subscription("l2Book", COIN)}
    assert fresh_at(made, 62 * S) == set()
