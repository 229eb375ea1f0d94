"""The price: a near martingale in integer steps with a common factor, plus what the manifest plants.

Returns are integers of 10^-6 bps; a pending move becomes a new quote in about half of the venue's blocks. A planted
episode spreads its effect over a pulse after its pattern has ended, so that every window of the pattern earns the whole
of it within the horizon and no later pattern is coloured by it. Text and book sizes are `render`'s business.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.errors import ConfigError
from lotus.jit import allocating_kernel
from lotus.simulation.contexts import Contexts, aligned_bin, contexts, slope_bins
from lotus.simulation.layout import At, Ints
from lotus.simulation.lessons import Planted, PlantedLiteral, PlantedStyle, Trap, planted_of, style_of
from lotus.simulation.rng import below, fat_bell, streams
from lotus.simulation.schedule import (
    DRIFT,
    FAMILIES,
    IMBALANCE,
    RANGE,
    SWEEP,
    VACUUM,
    Episode,
    bag_order,
    episodes,
)
from lotus.simulation.spec import MICRO, SUB_TICK, WorldSpec

PULSE_FROM_MS, PULSE_MS = 16_500, 12_000  # after the onset: behind the pattern, within the horizon of its windows
SWEEP_MS, SWEEP_BPS = 800, 3  # a sweep moves the price by so much, for good
STALL_Q8 = 90  # noise of a stall, in 256ths
DEAD = 2  # how quiet it is where nobody meets an order at rest: a trade in a minute
CALM_Q8 = 170  # noise of a trap while it decides
RANGE_Q8 = 100  # noise of a compressed range
COMMON_STEP, OWN_STEP = 90, 72  # micro-bps per fat_bell unit and sqrt(10 ms): 1.15 bps per sqrt(s) together


@dataclass(frozen=True, slots=True)
class Planting:
    """One episode with what was planted on it: rule name ("" = nothing), signed price effect in micro-bps."""

    episode: Episode
    rule: str
    effect: int


@dataclass(frozen=True, slots=True)
class MarketSpan:
    """A span: venue times, path [blocks, assets, At], planted cumulative drift [assets, blocks] in micro-bps."""

    time_ms: Ints
    path: Ints
    drift: Ints
    planted: list[Planting]


def make_span(spec: WorldSpec, start_ms: int, end_ms: int, start_bps: list[int]) -> MarketSpan:
    """Generate one span; `start_bps` is each asset's distance from its model price in bps at the start."""
    key = (spec.seed, start_ms)  # not the name: the null world is the demo's twin without what is planted
    block_ms = spec.rates.block_ms
    blocks = (end_ms - start_ms) // block_ms
    planned = [episodes(a, end_ms - start_ms, *key) for a in range(len(spec.assets))]
    state = contexts(len(spec.assets), blocks, block_ms, planned, *key)
    planted = [p for a, some in enumerate(planned) for p in _plant(spec, state, a, some, *key)]
    shape = (len(spec.assets), blocks)
    marks = {name: np.zeros(shape, dtype=np.int64) for name in ("tilt", "vacuum", "sweep", "quiet", "move", "drift")}
    noise = np.broadcast_to(state.vol, shape).copy()
    for planting in planted:
        _mark(planting, marks, noise, block_ms)
    style = style_of(spec.name)
    if style is not None:
        noise = noise * style.noise_q8 // 256
        _mark_style(style, state, marks["quiet"])
    start = np.array([m.ticks_at(b) * SUB_TICK for m, b in zip(spec.assets, start_bps, strict=True)])
    bid, spread = np.empty(shape, dtype=np.int64), np.empty(shape, dtype=np.int64)
    time_ms = np.empty(blocks, dtype=np.int64)
    draws = streams(len(spec.assets) + 2, *key, "walk")
    clock = (spec.rates.move_q8, start_ms, block_ms)
    walk(draws, start, noise, marks["move"], marks["drift"], clock, time_ms, bid, spread)
    level = np.array([[m.interest_lots] for m in spec.assets], dtype=np.int64)
    columns = {
        At.BID: bid,
        At.SPREAD: spread,
        At.STEEP: state.steep,
        At.TILT: marks["tilt"],
        At.VACUUM: marks["vacuum"],
        At.SWEEP: marks["sweep"],
        At.QUIET: marks["quiet"],
        At.BASIS: state.basis,
        At.FUNDING: state.funding,
        At.INTEREST: level + level // MICRO * state.interest,
    }
    path = np.empty((blocks, len(spec.assets), len(At)), dtype=np.int64)
    for column, values in columns.items():
        path[:, :, column] = values.T
    return MarketSpan(time_ms, path, np.cumsum(marks["drift"], axis=1), planted)


def _plant(spec: WorldSpec, state: Contexts, asset: int, planned: list[Episode], *key: str | int) -> list[Planting]:
    lessons, traps = planted_of(spec.name)
    draws = streams(1, *key, "trap", asset)
    bag: list[int] = []
    out = []
    for episode in planned:
        shape = FAMILIES[episode.family]
        block = (episode.onset_ms + shape.signal_ms // 2) // spec.rates.block_ms
        rule, effect = "", 0
        for lesson in lessons:
            if lesson.detector_id == shape.detector_id and _holds(lesson, state, asset, block, episode.direction):
                rule, effect = lesson.name, round(lesson.effect_bps * MICRO)
        for trap in traps:
            if trap.detector_id == shape.detector_id and _holds(trap, state, asset, block, episode.direction):
                bag = bag or bag_order(draws, trap.bag)
                rule, effect = trap.name, round((-trap.loss_bps if bag.pop() else trap.win_bps) * MICRO)
        out.append(Planting(episode, rule, episode.direction * effect))
    return out


def _holds(rule: Planted | Trap, state: Contexts, asset: int, block: int, direction: int) -> bool:
    def inside(literal: PlantedLiteral) -> bool:
        return literal.low <= aligned_bin(state, literal.feature, asset, block, direction) <= literal.high

    return all(inside(literal) for literal in rule.literals)


def _mark(planting: Planting, marks: dict[str, Ints], noise: Ints, block_ms: int) -> None:
    """Write one episode into the block arrays: its pattern, its calm and its pulse."""
    episode, family = planting.episode, planting.episode.family
    a, d, onset = episode.asset, episode.direction, episode.onset_ms

    def at(first_ms: int, length_ms: int) -> slice:
        first = (onset + first_ms) // block_ms
        return slice(first, first + length_ms // block_ms)

    signal = at(0, FAMILIES[family].signal_ms)
    if family in (IMBALANCE, DRIFT):
        marks["tilt"][a, signal] = d if family == IMBALANCE else 2 * d
    elif family == VACUUM:
        marks["vacuum"][a, signal] = d
    elif family == SWEEP:
        burst, stall = at(0, SWEEP_MS), at(SWEEP_MS, FAMILIES[family].signal_ms - SWEEP_MS)
        marks["sweep"][a, burst] = -d
        marks["move"][a, burst] -= d * SWEEP_BPS * MICRO // (SWEEP_MS // block_ms)
        marks["quiet"][a, stall] = 1
        noise[a, stall] = noise[a, stall] * STALL_Q8 // 256
    elif family == RANGE:
        noise[a, signal] = noise[a, signal] * RANGE_Q8 // 256
    if planting.rule and family == VACUUM:
        calm = at(12_000, 34_000)
        noise[a, calm] = noise[a, calm] * CALM_Q8 // 256
    pulse = marks["drift"][a, at(PULSE_FROM_MS, PULSE_MS)]
    if planting.effect:
        pulse += planting.effect // pulse.size


def _mark_style(style: PlantedStyle, state: Contexts, quiet: Ints) -> None:
    """Let hardly anybody trade outside the rule of a style."""
    bins = slope_bins(state)
    for literal in style.literals:
        if literal.feature != "depth_slope":
            raise ConfigError(f"no planted style may use {literal.feature!r}", "depth_slope")
        quiet[(bins < literal.low) | (bins > literal.high)] = DEAD


@allocating_kernel
def walk(
    state: NDArray[np.uint64],
    fair: Ints,
    noise: Ints,
    move: Ints,
    drift: Ints,
    clock: tuple[int, int, int],
    time_ms: Ints,
    bid: Ints,
    spread: Ints,
) -> None:
    """Walk fair prices (sub-ticks) and quote around them; `clock` = move chance, start ms, block ms."""
    assets, blocks = noise.shape
    move_q8, start_ms, block_ms = clock
    pending = np.zeros(assets, dtype=np.int64)
    wide = np.zeros(assets, dtype=np.int64)
    root = np.int64(1)
    while (root + 1) * (root + 1) * 10 <= block_ms * 100:
        root += 1
    for k in range(blocks):
        time_ms[k] = start_ms + k * block_ms + below(state, assets + 1, block_ms // 2)
        common = fat_bell(state, assets) * COMMON_STEP
        for a in range(assets):
            step = (common + fat_bell(state, a) * OWN_STEP) * root // 10
            pending[a] += step * noise[a, k] // 256 + move[a, k] + drift[a, k]
            if below(state, a, 256) < move_q8:
                fair[a] += (fair[a] * pending[a] + 5_000_000_000) // 10_000_000_000
                pending[a] = 0
                wide[a] = below(state, a, 20)
            bid[a, k] = fair[a] // SUB_TICK - (1 if wide[a] == 0 else 0)
            spread[a, k] = 2 if wide[a] <= 1 else 1
