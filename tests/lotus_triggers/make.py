"""Random triggers and frames for the tests of the trigger language: meaningful texts, short traces with holes."""

import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.manifest import Asset
from lotus.microtape.frames.spec import (
    C_GAP,
    C_MID,
    C_SPREAD,
    C_VOLUME,
    I_END,
    I_FRAME,
    N_FLOATS,
    N_INTS,
)

CADENCE_MS = 200
ASSET = Asset("BTC", 5)  # prices in tenths of a dollar
FIRST_MS = 1_735_689_600_000 + 600
COMPARISONS = (
    "spread_bps < 5",
    "spread_bps >= 0.02%",
    "volume_usd > 0usd",
    "adv_usd > 1e9",
    "mid > 100",
    "mid < 99.5usd",
)


@dataclass(frozen=True, slots=True)
class Trace:
    """Frames of one asset: ints i8[n, N_INTS], floats f8[n, N_FLOATS]."""

    ints: NDArray[np.int64]
    floats: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.ints)

    def part(self, first: int, last: int) -> "Trace":
        """Return a stretch of it."""
        return Trace(self.ints[first:last], self.floats[first:last])


def trace_of(mids: list[float | None], first_ms: int = FIRST_MS, volume: float = 0.0) -> Trace:
    """Return frames in a row with mids in USD; None is a frame without a quote."""
    n = len(mids)
    ints, floats = np.zeros((n, N_INTS), np.int64), np.full((n, N_FLOATS), np.nan)
    ints[:, I_END] = first_ms + CADENCE_MS * np.arange(1, n + 1)
    ints[:, I_FRAME] = ints[:, I_END] // CADENCE_MS
    floats[:, C_MID] = [np.nan if mid is None else mid * 10 for mid in mids]
    floats[:, C_GAP], floats[:, C_VOLUME], floats[:, C_SPREAD] = 0.0, volume, 1.0
    return Trace(ints, floats)


def random_trace(rng: random.Random, frames: int, holes: bool = True) -> Trace:
    """Return a walk on a coarse grid around 100 USD, so that levels are met exactly; with nulls and gaps."""
    mid, mids = 100.0, list[float | None]()
    quiet = 0
    for _ in range(frames):
        quiet = quiet - 1 if quiet else 12 * (holes and rng.random() < 0.008)
        mid = min(104.0, max(96.0, mid + rng.choice((-0.5, -0.25, 0.0, 0.0, 0.25, 0.5))))
        mids.append(None if quiet or (holes and rng.random() < 0.04) else mid)
    trace = trace_of(mids, FIRST_MS + CADENCE_MS * rng.randrange(5))
    trace.floats[:, C_VOLUME] = [rng.choice((0.0, rng.uniform(1.0, 9e4))) for _ in mids]
    trace.floats[:, C_SPREAD] = [rng.choice((np.nan, 1.0, 3.0, 7.0)) for _ in mids]
    if holes:
        keep = np.array([rng.random() > 0.006 for _ in mids])
        trace = Trace(trace.ints[keep], trace.floats[keep])
        trace.floats[:, C_GAP] = [float(rng.random() < 0.004) for _ in range(len(trace))]
    return trace


def level(rng: random.Random) -> str:
    """Return a level near the traces."""
    return rng.choice(("prev_high", "prev_low", "vwap", "entry", f"{rng.randrange(390, 411) / 4:g}", "100usd"))


def memory(rng: random.Random) -> str:
    """Return lookback and bar, short enough for the traces."""
    return f"lookback={rng.randrange(3, 6)}, bar={rng.choice(('1s', '2s', '1s'))}"


def operator(rng: random.Random, scoped: bool) -> str:
    """Return one operator."""
    tol = rng.choice(("0bps", "10bps", "0.3%", "60bps"))
    side = rng.choice(("above", "below", "either"))
    way = rng.choice(("up", "down", "either"))
    band = rng.choice(("0", "0.5sigma", "1sigma", "20bps", "0.1%"))
    found = [
        f"breakout({memory(rng)}, band={band}, side={rng.choice(('up', 'down'))})",
        f"touch({level(rng)}, tol={tol}, {memory(rng)})", f"cross(level={level(rng)}, side={way}, {memory(rng)})",
    ]  # fmt: skip
    if scoped:
        found += [f"retest(level={level(rng)}, tol={tol}, side={side}, {memory(rng)})"] * 2
    return rng.choice(found)


def condition(rng: random.Random, depth: int, scoped: bool) -> str:
    """Return a condition in brackets, at most about `depth` deep."""
    if depth <= 0:
        return operator(rng, scoped) if rng.random() < 0.7 else rng.choice(COMPARISONS)
    draw = rng.random()
    if draw < 0.3:
        return scope(rng, depth - 1)
    if draw < 0.4:
        return f"(NOT {condition(rng, depth - 1, scoped)})"
    word = rng.choice((" AND ", " OR "))
    return f"({word.join(condition(rng, depth - 1, scoped) for _ in range(rng.randrange(2, 4)))})"


def scope(rng: random.Random, depth: int) -> str:
    """Return a WITHIN that something arms."""
    first, second = operator(rng, scoped=False), condition(rng, depth, scoped=True)
    limit = rng.choice(("1s", "2s", "3s", "8s"))
    return f"({first} AND {second} WITHIN {limit})"


def trigger_text(rng: random.Random) -> str:
    """Return a trigger with a meaning, nearly always."""
    return scope(rng, 1) if rng.random() < 0.5 else condition(rng, rng.randrange(3), scoped=False)
