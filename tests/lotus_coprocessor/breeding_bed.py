"""A small panel for tests of the breeder: a planted world of a few short days."""

from functools import cache

from lotus.coprocessor.panel import Panel
from lotus.simulation.breeding_world import BreedingWorld, panel_of_days, world_days


@cache
def small_panel(kind: str = "plant", seed: int = 3, days: int = 12, windows: int = 120, snr: float = 2.0) -> Panel:
    """Return the panel of a world with two assets and 120 windows a day, or more."""
    world = BreedingWorld(kind, seed, days=days, assets=2, windows=windows, snr=snr)
    return panel_of_days(world, world_days(world))
