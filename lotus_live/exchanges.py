"""The local exchanges of a traded recording: one that plays it, and where it is wanted a second one on the same tape.

The second takes each line right after the first, so both show the same market at every barrier; it has fees of another
tier, and orders reach it later. The feed is the first one's.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from lotus.manifest import Asset
from lotus_store.settings.sections import TradingSettings
from lotus_venues.local_exchange.late import END_MS
from lotus_venues.local_exchange.options import Options
from lotus_venues.local_exchange.web.server import LocalExchange

SECOND = "local-2"
Frame = tuple[int, bytes]


@asynccontextmanager
async def local_exchanges(
    coins: Sequence[Asset], frames: Iterable[Frame], options: Options, trading: TradingSettings
) -> AsyncIterator[tuple[LocalExchange, LocalExchange | None]]:
    """Serve the exchanges that the settings want: the one that plays the tape, and the second one, None without it."""
    if trading.exchanges == 1:
        async with LocalExchange(coins, frames, options=options) as exchange:
            yield exchange, None
        return
    beside = replace(
        options, speed=None, hold=None, fee_tier=trading.second_fee_tier, latency_ms=trading.second_latency_ms
    )
    second = LocalExchange(coins, options=beside)
    async with second, LocalExchange(coins, _along(frames, second), options=options) as exchange:
        yield exchange, second


def _along(frames: Iterable[Frame], second: LocalExchange) -> Iterator[Frame]:
    """Yield frames; each is played at the second exchange when the first asks for the next one."""
    for frame in frames:
        yield frame
        second.play(frame)
    second.way.reach(END_MS)
