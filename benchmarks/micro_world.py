"""One session of one asset in which micro-patterns show: the acts of `micro_patterns` written into a span's path.

The price is as calm as a market can be in which the patterns stand out. The tape is written like that of any world.
What is shown, when, and what it pays is not decided here.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from benchmarks.micro_patterns import MicroEpisode, PatternPhase, micro_episodes
from lotus.errors import ConfigError
from lotus.simulation.contexts import contexts
from lotus.simulation.layout import At, Ints
from lotus.simulation.market import MarketSpan, walk
from lotus.simulation.rng import streams
from lotus.simulation.spec import ETH, MICRO, SUB_TICK, Rates, WorldSpec
from lotus.simulation.world import World

NOISE_Q8: Final[int] = 96  # of the simulator's ordinary noise, in 256ths


class MicroWorld(World):
    """One session of one asset with micro-patterns."""

    def __init__(self, seed: int, planted: str, hours: int = 12) -> None:
        """Bind seed and pattern; raises `ConfigError` for an expert without one."""
        rates = Rates(move_q8=256)  # every move is quoted at once: a move that waits would predict itself
        super().__init__(
            WorldSpec("null", seed, 1, assets=(ETH,), sessions=(("08:00", f"{8 + hours:02d}:00"),), rates=rates)
        )
        self.planted = planted
        start, end = self.spec.spans_ms(0)[0]
        self.episodes = micro_episodes(planted, end - start, seed)

    def span(self, day: int, index: int) -> MarketSpan:
        """Return the path of the session; raises `ConfigError` for another than the only one."""
        if (day, index) != (0, 0):
            raise ConfigError(f"session {index} of day {day}", "the only one, 0 of 0")
        start, end = self.spec.spans_ms(0)[0]
        block_ms, key = self.spec.rates.block_ms, (self.spec.seed, start)
        blocks = (end - start) // block_ms
        state = contexts(1, blocks, block_ms, [[]], *key)
        marks = {name: np.zeros((1, blocks), np.int64) for name in ("tilt", "sweep", "quiet", "move", "drift")}
        shown = {name: rows[0] for name, rows in marks.items()}
        shown |= {"noise": state.vol * NOISE_Q8 // 256, "basis": state.basis[0].copy()}
        for episode in self.episodes:
            _show(episode, shown, block_ms)
        asset = self.spec.assets[0]
        bid, spread = np.empty((1, blocks), np.int64), np.empty((1, blocks), np.int64)
        time_ms = np.empty(blocks, np.int64)
        fair, clock = np.array([asset.start_ticks * SUB_TICK]), (self.spec.rates.move_q8, start, block_ms)
        noise = shown["noise"].reshape(1, -1)
        walk(streams(3, *key, "walk"), fair, noise, marks["move"], marks["drift"], clock, time_ms, bid, spread)
        path = np.zeros((blocks, 1, len(At)), np.int64)
        interest = asset.interest_lots + asset.interest_lots // MICRO * state.interest
        columns = {
            At.BID: bid, At.SPREAD: spread, At.STEEP: state.steep, At.TILT: marks["tilt"], At.SWEEP: marks["sweep"],
            At.QUIET: marks["quiet"], At.BASIS: shown["basis"], At.FUNDING: state.funding, At.INTEREST: interest,
        }  # fmt: skip
        for at, values in columns.items():
            path[:, :, at] = values.reshape(1, -1).T
        return MarketSpan(time_ms, path, np.cumsum(marks["drift"], axis=1), [])


def _show(episode: MicroEpisode, shown: Mapping[str, Ints], block_ms: int) -> None:
    """Write one episode into the block arrays."""
    for act in episode.pattern.acts:
        first = (episode.onset_ms + act.from_ms) // block_ms
        _perform(act, episode.direction, shown, slice(first, first + act.for_ms // block_ms))
    shown["move"][(episode.onset_ms + episode.pattern.pay_ms) // block_ms] += episode.step_bps * MICRO


def _perform(act: PatternPhase, direction: int, shown: Mapping[str, Ints], at: slice) -> None:
    blocks, value = at.stop - at.start, round(act.value * MICRO)
    match act.kind:
        case "sweep" | "tilt":
            shown[act.kind][at] = direction * int(act.value)
        case "run":
            shown["sweep"][at] = 2 * direction * int(act.value)
        case "quiet":
            shown["quiet"][at] = 1
        case "calm":
            shown["noise"][at] = shown["noise"][at] * int(act.value) // 256
        case "move":
            shown["move"][at] += direction * value // blocks
        case "flash":
            shown["move"][at.start] += direction * value
            shown["move"][at.stop - 1] -= direction * value
        case "basis":
            shown["basis"][at] += direction * (value * np.arange(blocks, 0, -1) // blocks)
        case other:
            raise ConfigError(f"no act {other!r}", "sweep, run, tilt, quiet, calm, move, flash or basis")
