"""A small hand-driven market and signed clients for the tests of the local exchange."""

import asyncio
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import eth_account
from eth_account.signers.local import LocalAccount

from lotus.manifest import Asset
from lotus_venues.local_exchange.frames import book_frame, context_frame
from lotus_venues.local_exchange.options import Options
from lotus_venues.local_exchange.server import LocalExchange

BTC, ETH = Asset("BTC", 5), Asset("ETH", 4)
UNIVERSE = (BTC, ETH)
T0 = 1_767_600_000_000  # the market's first ms
KEY = "0x" + "11" * 32
OTHER_KEY = "0x" + "22" * 32


def wallet(key: str = KEY) -> LocalAccount:
    """The signer of a test."""
    return eth_account.Account.from_key(key)


def rich(**changes: Any) -> Options:
    """Options with 10,000 USD for the usual wallet and no volume gate."""
    return Options(**({"accounts": {wallet().address: Decimal(10_000)}, "schedule_volume_usd": 0} | changes))


def open_market(exchange: LocalExchange, time_ms: int = T0) -> None:
    """Show a book of two levels a side around 100,000 (BTC) and 4,000 (ETH), with contexts."""
    exchange.feed(context_frame("BTC", "100000.5", "100000.0"))
    exchange.feed(context_frame("ETH", "4000.05", "4000.0"))
    bids, asks = [("100000.0", "0.5"), ("99990.0", "2.0")], [("100001.0", "0.5"), ("100011.0", "2.0")]
    exchange.feed(book_frame("BTC", time_ms, bids, asks))
    bids, asks = [("4000.0", "5.0"), ("3999.0", "50.0")], [("4000.1", "5.0"), ("4001.1", "50.0")]
    exchange.feed(book_frame("ETH", time_ms, bids, asks))


async def in_thread(work: Callable[..., Any], *args: Any, **keys: Any) -> Any:
    """Run a blocking call of the SDK beside the server's loop, with a bound on its time."""
    return await asyncio.wait_for(asyncio.to_thread(work, *args, **keys), 20)


async def until(condition: Callable[[], Any], seconds: float = 5.0) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen"
        await asyncio.sleep(0.005)
