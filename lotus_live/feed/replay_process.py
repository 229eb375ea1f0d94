"""A replay's server in a process of its own: the daemon then shares no interpreter with it, only the socket.

The child reads the recording itself and ends with its parent, whatever ends that. What is sent and when is the
server's (`lotus_venues.replay_server`); nothing is decoded here.
"""

import asyncio
import multiprocessing
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from multiprocessing.connection import Connection

import uvloop

from lotus.errors import VenueError
from lotus.manifest import Asset
from lotus_live.feed.tape_file import Recording
from lotus_venues.replay_server import ReplayPlan, ReplayServer

OWN_BYTES = 8 << 20  # a recording stored in fewer is over before another interpreter is up


@asynccontextmanager
async def served(
    tape: Recording, first: int, universe: Sequence[Asset], plan: ReplayPlan, on_death: Callable[[VenueError], None]
) -> AsyncIterator[str]:
    """Serve a recording from its line `first` on, as `plan` plays it; give the websocket's address.

    A long one is served by a process of its own, and `on_death` hears when that ends before it should.
    """
    if tape.stored_bytes < OWN_BYTES:
        async with ReplayServer(universe, frames_of(tape, first), plan) as server:
            yield server.url
        return
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    child = context.Process(target=_serve, args=(theirs, tape, first, tuple(universe), plan), daemon=True)
    child.start()
    theirs.close()
    loop = asyncio.get_running_loop()

    def ended() -> None:
        loop.remove_reader(child.sentinel)
        on_death(_gone())

    try:
        url = await asyncio.to_thread(_address, ours)
        loop.add_reader(child.sentinel, ended)
        yield url
    finally:
        loop.remove_reader(child.sentinel)
        child.terminate()
        await asyncio.to_thread(child.join)
        ours.close()


def frames_of(tape: Recording, first: int) -> Iterator[tuple[int, bytes]]:
    """Yield stamps and frames of a recording from its line `first` on."""
    return ((line.recv_ns, line.raw) for line in islice(tape.arrivals(), first, None))


def _address(pipe: Connection) -> str:
    try:
        return str(pipe.recv())
    except EOFError:
        raise _gone() from None


def _gone() -> VenueError:
    return VenueError("the process that serves the replay ended", "one that lives as long as the replay", "killed")


def _serve(pipe: Connection, tape: Recording, first: int, universe: Sequence[Asset], plan: ReplayPlan) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the daemon ends, then this
    uvloop.run(_served_until_alone(pipe, tape, first, universe, plan))


async def _served_until_alone(
    pipe: Connection, tape: Recording, first: int, universe: Sequence[Asset], plan: ReplayPlan
) -> None:
    alone = asyncio.Event()
    asyncio.get_running_loop().add_reader(pipe.fileno(), alone.set)  # the parent sends nothing: it ended
    async with ReplayServer(universe, frames_of(tape, first), plan) as server:
        pipe.send(server.url)
        await alone.wait()
