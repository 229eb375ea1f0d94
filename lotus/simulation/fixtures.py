"""What the frozen fixtures must be: the statement recorded beside them, and its check against a fresh world.

The statement holds the manifest and the sha256 of the raw lines of every session of every day; one day is kept as tape.
Reading and writing files is the command line's affair.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lotus.errors import TapeError
from lotus.simulation.spec import WorldSpec
from lotus.simulation.world import World

FIXTURE_WORLD = WorldSpec("demo", seed=7, days=14)


def statement(spec: WorldSpec = FIXTURE_WORLD) -> dict[str, Any]:
    """Return the manifest of a world, the day kept as tape (its last) and the sha256 of each session's raw bytes."""
    world = World(spec)
    hashes = {spec.day(i): world.piece_hashes(i) for i in range(spec.days)}
    return {"manifest": world.manifest, "frozen_day": spec.day(spec.days - 1), "raw_sha256": hashes}


def check(recorded: Mapping[str, Any], days: Sequence[int] | None = None, spec: WorldSpec = FIXTURE_WORLD) -> int:
    """Generate days again and compare them with a recorded statement; return how many sessions were equal.

    Raises `TapeError` naming the first difference. All days when `days` is None.
    """
    world = World(spec)
    if recorded["manifest"] != world.manifest:
        raise TapeError("the fixtures' manifest is not this world's", "equal manifests", "the simulator was changed")
    sessions = 0
    for index in range(spec.days) if days is None else days:
        day = spec.day(index)
        for n, (actual, wanted) in enumerate(zip(world.piece_hashes(index), recorded["raw_sha256"][day], strict=True)):
            if actual != wanted:
                raise TapeError(
                    f"session {n} of {day} has sha256 {actual}", f"{wanted} as recorded", "the simulator was changed"
                )
            sessions += 1
    return sessions
