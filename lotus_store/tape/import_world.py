"""A simulated world as a tape: each day is generated into a temporary folder and renamed: it is there whole or not."""

import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from lotus.errors import TapeError
from lotus.simulation.world import World
from lotus_store.files import fsync_folder, make_folder
from lotus_store.tape.bulk import write_segment
from lotus_store.tape.header import HeaderAsset, TapeHeader
from lotus_store.tape.store import TapeStore


def import_world(
    store: TapeStore,
    world: World,
    days: Sequence[int],
    *,
    recorded: Mapping[str, Sequence[str]] | None = None,
    workers: int = 2,
) -> int:
    """Write the days (indices) that the tape does not have yet, on `workers` threads; return how many were made.

    `recorded` maps a day to the sha256 of each session's raw bytes: a difference raises `TapeError` and leaves no day.
    """
    with days_coming(store, world, days, recorded, workers) as coming:
        for made in coming.values():
            made.result()
        return len(coming)


@contextmanager
def days_coming(
    store: TapeStore, world: World, days: Sequence[int], recorded: Mapping[str, Sequence[str]] | None, workers: int
) -> Iterator[Mapping[str, "Future[None]"]]:
    """Begin to write the days that the tape does not have yet, in order; give them, each with what waits for it.

    Arguments as of `import_world`. Who leaves early waits for the days that are being written.
    """
    make_folder(store.folder)
    store.write_header(_header(store.tape, world))
    missing = [i for i in days if not (store.folder / world.spec.day(i)).exists()]
    pool = ThreadPoolExecutor(workers)
    try:
        yield {world.spec.day(i): pool.submit(_make_day, store, world, i, recorded) for i in missing}
    finally:
        pool.shutdown(cancel_futures=True)


def _make_day(store: TapeStore, world: World, index: int, recorded: Mapping[str, Sequence[str]] | None) -> None:
    day = world.spec.day(index)
    draft = store.folder / f".world-{day}"
    shutil.rmtree(draft, ignore_errors=True)
    make_folder(draft)
    try:
        number = seq = 0
        for session, chunks in enumerate(_sessions(world, index)):
            digest = hashlib.sha256()
            for lines in chunks:
                digest.update(lines)
                seq += write_segment(draft, store.tape, lines, number, seq).lines
                number += 1
            if recorded is not None and digest.hexdigest() != recorded[day][session]:
                raise TapeError(
                    f"session {session} of {day} has sha256 {digest.hexdigest()}",
                    f"{recorded[day][session]} as recorded",
                    "the simulator was changed without freezing the fixtures again",
                )
        fsync_folder(draft)
        draft.replace(store.folder / day)
        fsync_folder(store.folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _sessions(world: World, index: int) -> Iterator[Iterator[bytes]]:
    for session in range(len(world.spec.sessions)):
        yield (lines for _, lines in world.span_chunks(index, session))


def _header(tape: str, world: World) -> TapeHeader:
    spec = world.spec
    universe = tuple(HeaderAsset(a.name, a.sz_decimals) for a in spec.assets)
    return TapeHeader(tape, f"world {spec.name} seed {spec.seed}", universe, spec.sessions, "simulation")
