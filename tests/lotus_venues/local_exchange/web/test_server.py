"""The exchange answers programs of this machine, no page of another origin and no other name for loopback."""

import asyncio
import json
import urllib.error
import urllib.request
from typing import Any

import pytest
import websockets

from lotus.manifest import Asset
from lotus_venues.local_exchange.web.server import LocalExchange


def posted(url: str, headers: dict[str, str]) -> int:
    body = json.dumps({"type": "meta"}).encode()
    request = urllib.request.Request(f"{url}/info", body, {"Content-Type": "application/json"} | headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as problem:
        return problem.code


async def opened(url: str, **options: Any) -> bool:
    try:
        async with websockets.connect(url, **options):
            return True
    except websockets.InvalidStatus:
        return False


def test_strangers_are_refused_at_every_route() -> None:
    async def go() -> None:
        async with LocalExchange((Asset("BTC", 5),)) as exchange:
            for headers, status in (
                ({}, 200),
                ({"Host": "evil.example"}, 400),
                ({"Host": f"localhost:{exchange.port}"}, 200),
                ({"Origin": "http://evil.example"}, 403),
                ({"Sec-Fetch-Site": "cross-site"}, 403),
            ):
                assert await asyncio.to_thread(posted, exchange.url, headers) == status, headers
            assert await opened(exchange.ws_url)
            assert not await opened(exchange.ws_url, origin="http://evil.example")

    asyncio.run(go())


@pytest.mark.parametrize("path", ["/exchange", "/lotus"])
def test_a_page_of_another_origin_moves_nothing(path: str) -> None:
    async def go() -> None:
        async with LocalExchange((Asset("BTC", 5),)) as exchange:
            request = urllib.request.Request(exchange.url + path, b"{}", {"Origin": "http://evil.example"})
            with pytest.raises(urllib.error.HTTPError, match="403"):
                await asyncio.to_thread(urllib.request.urlopen, request, None, 5)

    asyncio.run(go())
