"""One POST to a model: one deadline for the whole exchange, a bound on every byte read, no redirect, no second try.

Nothing is decompressed: an answer in another encoding than plain is refused unread, so a small one cannot become large.
Proxies and netrc files of the environment are not read. Resolving a name is the system's and not within the deadline.
"""

import asyncio
import re
import time
from dataclasses import dataclass
from typing import Final

import httpx

from lotus.coprocessor.model.calls import CallVerdict
from lotus_llm.endpoint import ModelEndpoint

ANSWER_BYTES: Final = 256 * 1024  # of an answer with its envelope; a reply in it has at most 64 KB
CONNECT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """What came back: the status (0: none), the bytes that were read, how it ended, and how long it took in ms."""

    verdict: CallVerdict
    status: int
    body: bytes
    took_ms: float


def post(endpoint: ModelEndpoint, body: bytes, transport: httpx.AsyncBaseTransport | None = None) -> ModelAnswer:
    """Post a request and return how it ended; raises nothing for what a server or a network does."""
    began = time.monotonic()
    verdict, status, answer = asyncio.run(_bounded(endpoint, body, transport))
    if endpoint.key:
        answer = _escaped(endpoint.key).sub(b"***", answer)
    return ModelAnswer(verdict, status, answer, (time.monotonic() - began) * 1e3)


def _escaped(key: str) -> re.Pattern[bytes]:
    """Return a pattern of a key as it stands or as JSON may write it, inside of a text of JSON too."""
    return re.compile(b"".join(rb"\\{0,8}(?:%b|u00(?i:%02x))" % (re.escape(c.encode()), ord(c)) for c in key))


async def _bounded(
    endpoint: ModelEndpoint, body: bytes, transport: httpx.AsyncBaseTransport | None
) -> tuple[CallVerdict, int, bytes]:
    got = bytearray()
    try:
        async with asyncio.timeout(endpoint.timeout_s):
            return await _exchange(endpoint, body, transport, got)
    except (httpx.ConnectError, httpx.ConnectTimeout):
        return CallVerdict.UNREACHABLE, 0, b""
    except (TimeoutError, httpx.TimeoutException):
        return CallVerdict.SLOW, 0, bytes(got)
    except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError):
        return CallVerdict.CUT, 0, bytes(got)


async def _exchange(
    endpoint: ModelEndpoint, body: bytes, transport: httpx.AsyncBaseTransport | None, got: bytearray
) -> tuple[CallVerdict, int, bytes]:
    headers = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "identity"}
    if endpoint.key:
        headers["Authorization"] = f"Bearer {endpoint.key}"
    limits = httpx.Timeout(endpoint.timeout_s, connect=min(CONNECT_S, endpoint.timeout_s / 2))
    client = httpx.AsyncClient(transport=transport, timeout=limits, follow_redirects=False, trust_env=False)
    async with client, client.stream("POST", endpoint.address, content=body, headers=headers) as answer:
        status = answer.status_code
        if answer.is_redirect or 300 <= status < 400:
            return CallVerdict.REDIRECT, status, b""
        if answer.headers.get("content-encoding", "identity").strip().lower() != "identity":
            return CallVerdict.ENCODED, status, b""
        async for piece in answer.aiter_raw():
            got += piece[: ANSWER_BYTES + 1 - len(got)]
            if len(got) > ANSWER_BYTES:
                return CallVerdict.HUGE, status, bytes(got[:ANSWER_BYTES])
    if status == 200:
        return CallVerdict.ANSWERED, status, bytes(got)
    return CallVerdict.BUSY if status == 429 else CallVerdict.FAILED, status, bytes(got)
