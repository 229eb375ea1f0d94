"""Measuring wire to score: the daemon's feed and pipeline beside a blocking socket, same frames, same session.

A process of its own sends prepared websocket frames one at a time and notes when; this process notes when the frame
was scored (or, for the floor, read whole from a blocking socket). Only for benchmarks; no result depends on it.
"""

import asyncio
import gc
import multiprocessing
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from itertools import islice
from multiprocessing.connection import Connection

import numpy as np
import uvloop
from numpy.typing import NDArray
from websockets.http11 import Request
from websockets.server import ServerProtocol

from lotus_live.feed.clocks import Arrival
from lotus_live.feed.feed import Feed, FeedPolicy
from lotus_live.feed.tape_file import TapeFile
from lotus_live.feed.wall_clock import WallClock
from lotus_live.parity import neutral_beliefs
from lotus_live.pipeline.day_lane import LaneSpec
from lotus_live.pipeline.lines import Pipeline
from lotus_live.pipeline.warm_up import warm_up

_SETTLE_S = 0.2
Stamps = NDArray[np.int64]
Receive = Callable[[int], tuple[Stamps, Stamps]]


@dataclass(frozen=True, slots=True)
class LatencyReport:
    """Microseconds from before the send to after the score, for the blocking floor, and of the handler alone.

    `spinning` is the feed that never sleeps (`FeedPolicy.spin`), `asleep` the one that the kernel wakes, whose handler
    is `handler`. `pinned`: all were measured on a core of their own; else with more of the neighbours' turns in them.
    """

    frames: int
    spinning_p50: float
    spinning_p99: float
    asleep_p50: float
    asleep_p99: float
    floor_p50: float
    floor_p99: float
    handler_p50: float
    handler_p99: float
    spinning_handler_p50: float
    pinned: bool

    def as_json(self) -> dict[str, float]:
        """Return plain values."""
        return asdict(self)


def measure_latency(tape: TapeFile, spec: LaneSpec, frames: int = 5_000, pause_us: int = 500) -> LatencyReport:
    """Send the first frames of a recording one by one, `pause_us` apart, to the feed and to a blocking socket.

    The floor is taken before, between and after; the lowest one counts.
    """
    lines = list(islice(tape.arrivals(), frames))
    warm_up(spec)
    frozen = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        with core_of_its_own() as pinned:
            floors = [_floor(lines, pause_us)]
            asleep, busy = _scored(lines, spec, pause_us, spin=False)
            floors.append(_floor(lines, pause_us))
            spinning, hot = _scored(lines, spec, pause_us, spin=True)
            floors.append(_floor(lines, pause_us))
    finally:
        if frozen:
            gc.enable()
    skip = len(lines) // 10
    floor = min(floors, key=lambda times: float(np.median(times)))
    measured = (_quantiles(times[skip:] / 1000.0) for times in (spinning, asleep, floor, busy, hot))
    fast, slow, least, handler, hot_handler = measured
    return LatencyReport(len(lines), *fast, *slow, *least, *handler, hot_handler[0], pinned)


def _scored(lines: Sequence[Arrival], spec: LaneSpec, pause_us: int, spin: bool) -> tuple[Stamps, Stamps]:
    """Return the ns from before the send to after the score, and of the handler alone."""
    sent, scored, busy = _through(lines, pause_us, lambda port: uvloop.run(_score(port, lines, spec, spin)))
    return scored - sent, busy


def _floor(lines: Sequence[Arrival], pause_us: int) -> Stamps:
    """Return the ns that the same frames take from a blocking socket."""
    sent, read, _ = _through(lines, pause_us, lambda port: _read(port, [line.raw for line in lines]))
    return read - sent


@contextmanager
def core_of_its_own() -> Iterator[bool]:
    """Pin this process to the last core; yields whether the machine allows it.

    Without real-time priority: a process that never sleeps would starve the kernel's own work of that core.
    """
    cores = os.sched_getaffinity(0)
    allowed = len(cores) > 1
    try:
        os.sched_setaffinity(0, {max(cores)})
    except OSError:
        allowed = False
    try:
        yield allowed
    finally:
        os.sched_setaffinity(0, cores)


def _quantiles(values: NDArray[np.float64]) -> tuple[float, float]:
    return float(np.quantile(values, 0.5)), float(np.quantile(values, 0.99))


def _through(lines: Sequence[Arrival], pause_us: int, receive: Receive) -> tuple[Stamps, Stamps, Stamps]:
    """Run one sender process against one receiver; return ns of sending, of being done, and inside the handler."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    raws = [line.raw for line in lines]
    process = context.Process(target=_send, args=(theirs, raws, pause_us), daemon=True)
    process.start()
    done, busy = receive(ours.recv())
    sent = np.array(ours.recv(), dtype=np.int64)
    process.join()
    return sent, done, busy


async def _score(port: int, lines: Sequence[Arrival], spec: LaneSpec, spin: bool) -> tuple[Stamps, Stamps]:
    pipeline = Pipeline(spec, neutral_beliefs(spec))
    done, busy = np.zeros(len(lines), np.int64), np.zeros(len(lines), np.int64)
    at, last = 0, len(lines) - 1

    def take(line: Arrival) -> None:
        nonlocal at
        began = time.perf_counter_ns()
        pipeline.feed(line.recv_ns, at, line.raw)
        done[at] = now = time.perf_counter_ns()
        busy[at] = now - began
        at += 1
        if at > last:
            feed.stop()

    def stamp() -> int:
        return lines[min(at, last)].recv_ns

    clock = WallClock(stamp, stamp)  # the daemon's own, which compares no frame with a tape
    policy = FeedPolicy(renew_stale=False, watch_s=5.0, spin=spin)
    feed = Feed(f"ws://127.0.0.1:{port}/ws", "", spec.universe, clock, take, policy)
    await asyncio.wait_for(feed.run(), 600)
    return done, busy


def _read(port: int, raws: Sequence[bytes]) -> tuple[Stamps, Stamps]:
    done = np.zeros(len(raws), np.int64)
    buffer = bytearray(1 << 20)
    with socket.create_connection(("127.0.0.1", port)) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire.sendall(b"plain\r\n\r\n")
        for k, frame in enumerate(_frames(raws)):
            got = 0
            while got < len(frame):
                got += wire.recv_into(memoryview(buffer)[got : len(frame)])
            done[k] = time.perf_counter_ns()
    return done, np.zeros(len(raws), np.int64)


def _frames(raws: Sequence[bytes]) -> list[bytes]:
    """Return each text as the bytes of one unmasked websocket frame."""
    out = []
    for raw in raws:
        n = len(raw)
        if n < 126:
            head = bytes([n])
        elif n < 65536:
            head = b"\x7e" + n.to_bytes(2, "big")
        else:
            head = b"\x7f" + n.to_bytes(8, "big")
        out.append(b"\x81" + head + raw)
    return out


def _send(pipe: Connection, raws: Sequence[bytes], pause_us: int) -> None:
    """Sender process: accept one client, greet it as a websocket if it asks for one, send frame by frame."""
    frames, sent = _frames(raws), []
    os.sched_setaffinity(0, set(range(os.cpu_count() or 1)) - os.sched_getaffinity(0) or {0})
    with socket.create_server(("127.0.0.1", 0)) as server:
        pipe.send(server.getsockname()[1])
        wire, _address = server.accept()
        with wire:
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            head = b""
            while b"\r\n\r\n" not in head:
                head += wire.recv(4096)
            if head.startswith(b"GET"):
                _shake_hands(wire, head)
            time.sleep(_SETTLE_S)
            for frame in frames:
                resume = time.perf_counter_ns() + pause_us * 1000
                sent.append(time.perf_counter_ns())
                wire.sendall(frame)
                while time.perf_counter_ns() < resume:
                    time.sleep(0.0001)
            pipe.send(sent)
            with suppress(OSError):
                wire.recv(4096)


def _shake_hands(wire: socket.socket, head: bytes) -> None:
    protocol = ServerProtocol()
    protocol.receive_data(head)
    for event in protocol.events_received():
        if isinstance(event, Request):
            protocol.send_response(protocol.accept(event))
    for data in protocol.data_to_send():
        wire.sendall(data)
