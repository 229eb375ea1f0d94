"""An adapter against a local exchange with faults."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from local_bed import LocalBed, local_bed


def against(work: Callable[[LocalBed], Awaitable[None]], folder: Path, **changes: Any) -> None:
    """Run a test against a bed of quick timeouts."""

    async def run() -> None:
        async with local_bed(folder, timeout_s=0.4, expires_ms=800, **changes) as made:
            await work(made)

    asyncio.run(run())
