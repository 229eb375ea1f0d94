"""Headers of safety stand on every answer, pages are not stored and files are."""

import asyncio
from typing import Any

import pytest

from lotus_console.safety import HEADERS, SafetyHeaders


@pytest.mark.parametrize(("path", "storing"), [("/", b"no-store"), ("/static/console.css", b"max-age=3600")])
def test_every_answer_has_them(path: str, storing: bytes) -> None:
    sent: list[Any] = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 500, "headers": [(b"a", b"b")]})
        await send({"type": "http.response.body", "body": b""})

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(SafetyHeaders(app)({"type": "http", "path": path}, None, send))
    assert sent[0]["headers"] == [(b"a", b"b"), *HEADERS, (b"cache-control", storing)]
    policy = dict(HEADERS)[b"content-security-policy"].decode()
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
