"""Years of sketched days: volatility that persists, weekends, and what the monitors' assumptions leave out.

Three assets with eight series each, 400 windows a day. Daily volatility is GARCH(1, 1), of the market and each asset;
scales of the series follow it with different exponents. Nothing is changed in an honest world. What a world adds:

heavy     rows and day effects of Student's t with 3 degrees of freedom
trend     ln volatility rises by .9 over the year, and lies .5 higher in two of its months
missing   one day in twenty has no tape, an asset's feed is dead on one day in forty
holidays  ten working days a year on which the market behaves like on a weekend, and trades half
slow      each series has a day effect of its own that remembers (AR(1), .9), whatever the volatility
slower    the same at .98
common    one such effect (.9) is shared by all series
cycle     each series goes up and down in 20 to 60 days
regimes   each series stays at one of two levels for 30 days on average, 2.5 of its daily deviations apart
breathes  the dispersion of each series, not its level, remembers (.9)
weekdays  each series has a level of its own on each day of the week
moved     two series of the 24 lie .8 standard deviations higher from one day on
eased     the same, reached in ten equal steps
moved-slow, moved-cycle  a moved world in which each series lives slowly as well
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lotus.monitoring.like_days import is_weekend
from lotus.monitoring.sketch_table import DATA, LN_RV, SCORE, DaySketches, SeriesName, sketched, together
from lotus.timebase import next_day

Kind = Literal[
    "honest", "heavy", "trend", "missing", "holidays", "slow", "slower", "common", "cycle", "regimes", "breathes",
    "weekdays", "moved", "eased", "moved-slow", "moved-cycle",
]  # fmt: skip
Floats = NDArray[np.float64]

FIRST_DAY = "2025-01-01"
ASSETS = ("BTC", "ETH", "SOL")
SERIES = (
    (DATA, "spread_bps", 0.8), (DATA, "depth_bid_usd", -0.6), (DATA, "imb_5", 0.0), (DATA, "ret_bps", 1.0),
    (DATA, "volume_usd", 1.2), (DATA, "basis_bps", 0.3), (SCORE, "ln_sigma_0", 0.4), (SCORE, "u0", 0.2),
)  # fmt: skip
SKEWED = frozenset({"spread_bps", "depth_bid_usd", "volume_usd"})
NAMES = tuple(SeriesName(family, asset, "", name) for asset in ASSETS for family, name, _ in SERIES)
MOVED = (NAMES[0], NAMES[12])
MOVE_SD, DAY_SD, FREEDOM = 0.8, 0.08, 3.0
EASES = 10  # days
BREATH = 1.5  # of a day effect, in ln of the dispersion


@dataclass(frozen=True, slots=True)
class Watched:
    """A world: what is peculiar to it, days before those that count, days that count, windows a day."""

    kind: Kind = "honest"
    before: int = 60
    days: int = 365
    windows: int = 400


Tap = Callable[[int, tuple[SeriesName, ...], Floats], None]


def days_of(world: Watched, seed: int, tap: Tap | None = None) -> Iterator[tuple[str, DaySketches]]:
    """Yield the days with tape, oldest first; the moved series move on the first day that counts.

    `tap` gets the rows behind each sketch: number of the day, series of an asset, values f8 [series, rows].
    """
    rng = np.random.default_rng([seed, 241])
    count = world.before + world.days
    dates = [next_day(FIRST_DAY, k) for k in range(count)]
    quiet = np.array([is_weekend(day) for day in dates])
    if world.kind == "holidays":
        quiet |= np.isin(np.arange(count), rng.choice(count, size=max(1, round(count * 10 / 365)), replace=False))
    ln_vol = volatility(rng, world, count) - 0.4 * quiet
    effects = day_effects(rng, world, count)
    for k, day in enumerate(dates):
        if world.kind == "missing" and rng.random() < 0.05:
            continue
        yield (
            day,
            _day(
                rng,
                world,
                ln_vol[:, k],
                effects[:, k],
                quiet[k],
                moved_by(world, k - world.before),
                partial(tap, k) if tap else None,
            ),
        )


def moved_by(world: Watched, since: int) -> float:
    """Return by how many deviations the moved series are off, `since` days after their first one."""
    if since < 0 or not is_moved(world.kind):
        return 0.0
    return MOVE_SD * min(1.0, (since + 1) / EASES) if world.kind == "eased" else MOVE_SD


def is_moved(kind: Kind) -> bool:
    """Tell whether two series move."""
    return kind.startswith("moved") or kind == "eased"


def volatility(rng: np.random.Generator, world: Watched, count: int) -> Floats:
    """Return daily ln volatility of the assets, f8 [3, days]: half the market's GARCH(1, 1), half their own."""
    variance = np.ones((len(ASSETS) + 1, count))
    for k in range(1, count):
        shock = rng.normal(size=len(ASSETS) + 1) ** 2 * variance[:, k - 1]
        variance[:, k] = 0.03 + 0.10 * shock + 0.87 * variance[:, k - 1]
    ln_vol = 0.25 * (np.log(variance[:1]) + np.log(variance[1:]))
    if world.kind == "trend":
        place = np.arange(count) / 365.0
        months = rng.integers(0, max(1, count // 30), size=2)
        ln_vol = ln_vol + 0.9 * place + 0.5 * np.isin(np.arange(count) // 30, months)
    return np.asarray(ln_vol)


def day_effects(rng: np.random.Generator, world: Watched, count: int) -> Floats:
    """Return what each series' level is off by on each day, in standard deviations of its rows, f8 [24, days]."""
    if world.kind == "heavy":
        return DAY_SD * rng.standard_t(FREEDOM, size=(len(NAMES), count))
    effects = DAY_SD * rng.normal(size=(len(NAMES), count))
    kind = world.kind.removeprefix("moved-")
    if kind in ("slow", "slower", "breathes"):
        return remembering(effects, 0.98 if kind == "slower" else 0.9)
    if kind == "common":
        return np.sqrt(0.5) * (effects + remembering(DAY_SD * rng.normal(size=(1, count)), 0.9))
    if kind == "cycle":
        period, phase = rng.uniform(20.0, 60.0, (len(NAMES), 1)), rng.uniform(0.0, 2.0 * np.pi, (len(NAMES), 1))
        return np.sqrt(0.5) * effects + DAY_SD * np.sin(2.0 * np.pi * np.arange(count) / period + phase)
    if kind == "regimes":
        turns = rng.random((len(NAMES), count)) < 1.0 / 30.0
        return 0.5 * effects + 1.25 * DAY_SD * (1.0 - 2.0 * (np.cumsum(turns, axis=1) % 2))
    if kind == "weekdays":
        own = DAY_SD * rng.normal(size=(len(NAMES), 7))
        return np.sqrt(0.5) * (effects + own[:, np.arange(count) % 7])
    return effects


def remembering(shocks: Floats, share: float) -> Floats:
    """Return the AR(1) of `shocks` f8 [S, days] with their deviation that keeps `share` of itself a day."""
    out = shocks.copy()
    for k in range(1, shocks.shape[1]):
        out[:, k] = share * out[:, k - 1] + np.sqrt(1.0 - share * share) * shocks[:, k]
    return out


def _day(
    rng: np.random.Generator,
    world: Watched,
    ln_vol: Floats,
    effects: Floats,
    quiet: bool,
    move: float,
    tap: Callable[[tuple[SeriesName, ...], Floats], None] | None,
) -> DaySketches:
    parts, rows = [], world.windows // 2 if world.kind == "holidays" and quiet else world.windows
    for a, asset in enumerate(ASSETS):
        own = slice(a * len(SERIES), (a + 1) * len(SERIES))
        names = NAMES[own]
        shape = (len(SERIES), rows)
        noise = rng.standard_t(FREEDOM, size=shape) if world.kind == "heavy" else rng.normal(size=shape)
        power = np.array([gamma for _, _, gamma in SERIES])[:, None]
        moved = np.array([[name in MOVED] for name in names])
        level = (0.0 if world.kind == "breathes" else effects[own, None]) + move * moved
        skewed = np.array([[name in SKEWED] for _, name, _ in SERIES])
        scale = np.exp(power * ln_vol[a] + (BREATH * effects[own, None] if world.kind == "breathes" else 0.0))
        values = np.where(skewed, scale * np.exp(0.5 * (noise + level)), scale * noise + level * scale)
        if world.kind == "missing" and rng.random() < 1 / 40:
            values = values[:, :0]
        if tap:
            tap(names, values)
        ln_rv = ln_vol[a] + 0.3 * rng.normal(size=(1, values.shape[1]))
        parts += [sketched(names, values), sketched([SeriesName(DATA, asset, "", LN_RV)], ln_rv)]
    return together(parts)
