"""The hyperliquid adapter conforms against the local exchange, and survives faults of requests and sockets."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from check_venue import CHECKS, Bed
from local_bed import local_bed


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_local_conforms(check: Callable[[Bed], Awaitable[None]], tmp_path: Path) -> None:
    async def run() -> None:
        async with local_bed(tmp_path) as made:
            await check(made.bed)

    asyncio.run(run())
