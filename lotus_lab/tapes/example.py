"""`lab.example_tape`: a stretch of a simulated market as a tape in a home of its own, to try a detector on.

The market is that of `lotus demo`; what is planted in it says nothing about real ones.
"""

from pathlib import Path

from lotus.errors import ConfigError
from lotus.simulation.spec import WorldSpec
from lotus.simulation.world import World
from lotus_lab.extras import require
from lotus_lab.tapes.tape import RecordedTape, tape
from lotus_store.branch_settings import write_branch_settings
from lotus_store.tape.import_world import import_world
from lotus_store.tape.store import TapeStore

NAME = "example"
SEED = 7
FROM_H = 8
HORIZONS_S = [30, 300]
MOST_MINUTES = 900


def example_tape(home: str | Path, *, minutes: int = 30, days: int = 1) -> RecordedTape:
    """Write the tape `example` into a home and return it: so many minutes from 08:00 UTC of each day, three coins.

    Days that are there stay. Raises `ConfigError` for lengths that cannot be and `TapeError` where the home has another
    tape of that name.
    """
    if not (10 <= minutes <= MOST_MINUTES and days >= 1):
        raise ConfigError(f"{days} days of {minutes} minutes", f"1 day or more of 10 to {MOST_MINUTES} minutes")
    require("lab", "lab.example_tape", "zstandard", "lark")
    end = f"{FROM_H + minutes // 60:02d}:{minutes % 60:02d}"
    world = World(WorldSpec("demo", SEED, days, sessions=((f"{FROM_H:02d}:00", end),)))
    import_world(TapeStore(Path(home), NAME), world, range(days))
    coins = [{"name": a.name, "sz_decimals": a.sz_decimals} for a in world.spec.assets]
    write_branch_settings(Path(home), NAME, {"universe": {"assets": coins}, "outcomes": {"horizons_s": HORIZONS_S}})
    return tape(NAME, home=home, branch=NAME)
