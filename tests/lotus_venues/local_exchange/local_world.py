"""A small hand-driven market and signed clients for the tests of the local exchange."""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import eth_account
import requests
from eth_account.signers.local import LocalAccount
from hyperliquid.utils.signing import sign_l1_action
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from lotus.manifest import Asset
from lotus_venues.local_exchange.frames import book_frame, context_frame
from lotus_venues.local_exchange.options import Options
from lotus_venues.local_exchange.web.server import LocalExchange

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


@asynccontextmanager
async def venue(options: Options | None = None, **keys: Any) -> AsyncIterator[LocalExchange]:
    """An exchange with an open market."""
    async with LocalExchange(UNIVERSE, options=options or rich(**keys)) as exchange:
        await exchange.advance(T0)
        open_market(exchange)
        yield exchange


def order_action(px: str = "99000", size: str = "0.01", tif: str = "Gtc", *, buys: bool = True) -> dict[str, Any]:
    """An order as the wire spells it."""
    order = {"a": 0, "b": buys, "p": px, "s": size, "r": False, "t": {"limit": {"tif": tif}}}
    return {"type": "order", "orders": [order], "grouping": "na"}


def signed(
    action: dict[str, Any],
    nonce: int | None = None,
    *,
    key: str = KEY,
    expires: int | None = None,
    mainnet: bool = False,
    vault: str | None = None,
) -> dict[str, Any]:
    """A signed body; the nonce is the machine's time unless given."""
    nonce = next(_NONCES) if nonce is None else nonce
    signature = sign_l1_action(wallet(key), action, vault, nonce, expires, mainnet)
    body = {"action": action, "nonce": nonce, "signature": signature, "vaultAddress": vault}
    return body | {"expiresAfter": expires}


_NONCES = itertools.count(time.time_ns() // 1_000_000)


async def post(exchange: LocalExchange, path: str, body: Any, timeout: float = 5.0) -> tuple[int, Any]:
    """POST a body; return status and JSON (or text)."""
    answer = await in_thread(requests.post, exchange.url + path, json=body, timeout=timeout)
    try:
        return answer.status_code, answer.json()
    except ValueError:
        return answer.status_code, answer.text


class Listener:
    """A raw websocket client: what it heard, frame by frame, and how it ended."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.heard: list[dict[str, Any]] = []
        self.texts: list[str] = []
        self.code: int | None = None
        self._task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        try:
            async for text in self.socket:
                assert isinstance(text, str)
                self.texts.append(text)
                if text.startswith("{"):
                    self.heard.append(json.loads(text))
        except ConnectionClosed:
            pass
        self.code = self.socket.close_code

    def on(self, channel: str) -> list[Any]:
        """Data of the frames of a channel."""
        return [frame.get("data") for frame in self.heard if frame["channel"] == channel]

    async def say(self, message: Any) -> None:
        """Send a message."""
        await self.socket.send(message if isinstance(message, str) else json.dumps(message))

    async def subscribe(self, kind: str, **fields: Any) -> None:
        """Subscribe and wait for the answer."""
        before = len(self.heard)
        await self.say({"method": "subscribe", "subscription": {"type": kind, **fields}})
        await until(lambda: len(self.heard) > before or self.code is not None)

    async def settled(self) -> None:
        """Wait until all that was queued for this client is heard: messages come in order, and the pong last."""
        pongs = sum(frame["channel"] == "pong" for frame in self.heard)
        await self.say({"method": "ping"})
        await until(lambda: sum(frame["channel"] == "pong" for frame in self.heard) > pongs)


@asynccontextmanager
async def listener(exchange: LocalExchange) -> AsyncIterator[Listener]:
    """A connected raw client."""
    async with connect(exchange.ws_url, ping_interval=None, close_timeout=0.2) as socket:
        yield Listener(socket)
