"""`lotus_venues/bounded_http.py`: a client that leaves in the middle of an answer leaves no line in the log."""

import asyncio
import logging
from typing import Any

import pytest
import uvicorn
import uvloop

from lotus_venues.bounded_http import BoundedHttp


async def answered(asked: int, logged: logging.Handler) -> list[str]:
    """Serve a client that asks so often at once, and leaves between two parts of an answer; return how they ended."""
    came: list[str] = []

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a part", "more_body": True})
        await asyncio.sleep(0.1)
        await send({"type": "http.response.body", "body": b"the end"})
        while (await receive())["type"] != "http.disconnect":
            pass
        came.append("told")

    config = uvicorn.Config(app, port=0, http=BoundedHttp, lifespan="off", log_level="warning")
    logging.getLogger("uvicorn.error").addHandler(logged)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    _, writer = await asyncio.open_connection(*server.servers[0].sockets[0].getsockname())
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n" * asked)
    await asyncio.sleep(0.05)
    writer.transport.abort()
    await asyncio.sleep(0.2)
    server.should_exit = True
    await serving
    return came


@pytest.mark.parametrize("asked", [1, 3])
def test_a_client_that_leaves_in_the_middle_of_an_answer_leaves_no_trace(
    asked: int, caplog: pytest.LogCaptureFixture
) -> None:
    assert uvloop.run(answered(asked, caplog.handler))[0] == "told"
    assert caplog.records == []
