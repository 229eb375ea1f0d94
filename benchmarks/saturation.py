"""Saturated live capacity: frames per CPU second of the receiving process, socket to score.

Reference of the same run: the `websockets` client with `json.loads`, which does nothing with the result. The daemon's
tape writer and ledger live in other threads and are not part of it.
"""

import gc
import json
import time
from collections.abc import Sequence
from itertools import islice

import uvloop
from websockets.asyncio.client import connect

from benchmarks.burst import burst
from benchmarks.harness import Figure, Sizes
from benchmarks.material import Tape
from lotus_live.feed.clocks import Arrival, ReplayClock
from lotus_live.feed.feed import Feed, FeedPolicy
from lotus_live.feed.tape_file import TapeFile
from lotus_live.parity import neutral_beliefs
from lotus_live.pipeline.lines import Pipeline
from lotus_live.pipeline.warm_up import warm_up

_QUIET = FeedPolicy(renew_stale=False, watch_s=5.0)
_ROUNDS = 3


class _Meter:
    """CPU and wall seconds from the first message to the last."""

    def __init__(self) -> None:
        self.first: tuple[float, float] | None = None
        self.cpu = self.wall = 0.0

    def tick(self) -> None:
        now = time.process_time(), time.perf_counter()
        self.first = self.first or now
        self.cpu, self.wall = now[0] - self.first[0], now[1] - self.first[1]


def run(tape: Tape, sizes: Sizes) -> list[Figure]:
    """Measure `live.saturated_msgs_per_s`."""
    lines = list(islice(TapeFile((tape.path,)).arrivals(), sizes.messages))
    warm_up(tape.lane)
    gc.collect()
    gc.disable()
    try:
        pairs = [(_through_lotus(lines, tape), _through_json(lines)) for _ in range(min(_ROUNDS, sizes.repeats))]
    finally:
        gc.enable()
    n = len(lines) - 1
    rates = sorted(n / ours.cpu for ours, _ in pairs)
    theirs = sorted(n / other.cpu for _, other in pairs)
    wall = sorted(n / ours.wall for ours, _ in pairs)
    middle = len(pairs) // 2
    note = f"{wall[middle]:,.0f} a second of wall time, sender on the other core"
    return [
        Figure(
            "live.saturated_msgs_per_s", rates[middle], "msgs/s", "websockets + json.loads", theirs[middle],
            rates[0], note,
        )
    ]  # fmt: skip


def _through_lotus(lines: Sequence[Arrival], tape: Tape) -> _Meter:
    pipeline, meter = Pipeline(tape.lane, neutral_beliefs(tape.lane)), _Meter()
    last = len(lines)

    def take(line: Arrival) -> None:
        pipeline.feed(line.recv_ns, line.seq, line.raw)
        if pipeline.lines in (1, last):
            meter.tick()

    with burst([line.raw for line in lines]) as port:
        feed = Feed(f"ws://127.0.0.1:{port}/ws", "", tape.universe, ReplayClock(lines), take, _QUIET)
        uvloop.run(feed.run())
    return meter


def _through_json(lines: Sequence[Arrival]) -> _Meter:
    meter, last = _Meter(), len(lines)

    async def read(port: int) -> None:
        async with connect(f"ws://127.0.0.1:{port}/ws", compression=None, max_size=None) as client:
            for k in range(last):
                text = await client.recv(decode=True)
                if text.startswith("{"):
                    json.loads(text)
                if k in (0, last - 1):
                    meter.tick()
            client.transport.abort()

    with burst([line.raw for line in lines]) as port:
        uvloop.run(read(port))
    return meter
