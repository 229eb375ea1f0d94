"""Small markets in which one expert's pattern pays, for judging whether reliabilities find it and it alone.

Every market shows all patterns at random times with fair coins as directions, and beside each pattern its foils: parts
of it that stand alone, one with the flow or the lean of the pattern and one with another part. Only the planted pattern
pays, by one step of the price in the direction that its expert predicts; its foils pay the same the other way round, so
that no single part predicts anything (exclusive or). All other patterns and foils pay nothing. Steps, not pulses: no
trend is left that would pay experts of momentum. One asset; without planting the price is a martingale.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from lotus.errors import ConfigError
from lotus.simulation.contexts import contexts
from lotus.simulation.layout import At, Ints
from lotus.simulation.market import Span, walk
from lotus.simulation.rng import below, streams
from lotus.simulation.spec import ETH, MICRO, SUB_TICK, Rates, WorldSpec
from lotus.simulation.world import World

STEP_BPS: Final[int] = 8  # what a pattern pays
GAP_MS: Final = (9_000, 9_000)  # between two episodes: so much and, at random, up to so much more
FLOW_BPS: Final[int] = 3  # by which the price goes with a flow that moves it, at once and for good
CALM_Q8: Final[int] = 40  # noise while a price must stand, in 256ths
BASIS_KICK: Final[int] = 14 * MICRO  # micro-bps
BASIS_MS: Final[int] = 20_000  # how long a kicked basis takes to come back, in a straight line


@dataclass(frozen=True, slots=True)
class MicroPattern:
    """One pattern or foil: shows for `signal_ms`, the step comes `pay_ms` after its onset, `sign` x the direction."""

    expert_id: str
    shape: str
    signal_ms: int
    pay_ms: int
    sign: int


PATTERNS: Final = (
    MicroPattern("sweep_stall", "sweep and lean", 3_000, 3_600, 1),
    MicroPattern("sweep_stall", "sweep", 3_000, 3_600, -1),
    MicroPattern("sweep_stall", "lean", 3_000, 3_600, -1),
    MicroPattern("absorption", "flow and stand", 3_000, 3_000, 1),
    MicroPattern("absorption", "flow and move", 3_000, 3_000, -1),
    MicroPattern("basis_pull", "basis", 20_000, 4_000, 1),
)
PLANTABLE: Final = tuple(dict.fromkeys(p.expert_id for p in PATTERNS))


@dataclass(frozen=True, slots=True)
class MicroEpisode:
    """A pattern shown: its onset in ms from the start, the direction that its expert predicts, what it pays in bps."""

    pattern: MicroPattern
    onset_ms: int
    direction: int
    step_bps: int


def micro_episodes(planted: str, length_ms: int, *key: str | int) -> list[MicroEpisode]:
    """Return the episodes of a market, one at a time, in order; `planted` = an expert of `PLANTABLE`, "" for none."""
    if planted and planted not in PLANTABLE:
        raise ConfigError(f"no micro-pattern of {planted!r}", ", ".join(PLANTABLE))
    draw = streams(1, *key, "micro-patterns")
    out, at = [], 360_000  # after the experts' longest warm-up
    while at + 120_000 < length_ms:
        pattern = PATTERNS[below(draw, 0, len(PATTERNS))]
        direction = 1 - 2 * below(draw, 0, 2)
        pays = pattern.sign * STEP_BPS if pattern.expert_id == planted else 0
        out.append(MicroEpisode(pattern, at, direction, direction * pays))
        at += pattern.signal_ms + GAP_MS[0] + below(draw, 0, GAP_MS[1])
    return out


class MicroWorld(World):
    """One session of one asset with micro-patterns; its tape is written like that of any world."""

    def __init__(self, seed: int, planted: str, hours: int = 3) -> None:
        """Bind seed and pattern; raises `ConfigError` for an expert without one."""
        rates = Rates(move_q8=256)  # every move is quoted at once: a move that waits would predict itself
        super().__init__(
            WorldSpec("null", seed, 1, assets=(ETH,), sessions=(("08:00", f"{8 + hours:02d}:00"),), rates=rates)
        )
        self.planted = planted
        start, end = self.spec.spans_ms(0)[0]
        self.episodes = micro_episodes(planted, end - start, seed)

    def span(self, day: int, index: int) -> Span:
        """Return the path of the session; raises `ConfigError` for another than the only one."""
        if (day, index) != (0, 0):
            raise ConfigError(f"session {index} of day {day}", "the only one, 0 of 0")
        start, end = self.spec.spans_ms(0)[0]
        block_ms, key = self.spec.rates.block_ms, (self.spec.seed, start)
        blocks = (end - start) // block_ms
        state = contexts(1, blocks, block_ms, [[]], *key)
        marks = {
            name: np.zeros((1, blocks), np.int64) for name in ("tilt", "vacuum", "sweep", "quiet", "move", "drift")
        }
        noise, basis = state.vol.reshape(1, -1).copy(), state.basis.copy()
        for episode in self.episodes:
            _show(episode, marks, noise[0], basis[0], block_ms)
        asset = self.spec.assets[0]
        bid, spread = np.empty((1, blocks), np.int64), np.empty((1, blocks), np.int64)
        time_ms = np.empty(blocks, np.int64)
        fair, clock = np.array([asset.start_ticks * SUB_TICK]), (self.spec.rates.move_q8, start, block_ms)
        walk(streams(3, *key, "walk"), fair, noise, marks["move"], marks["drift"], clock, time_ms, bid, spread)
        path = np.zeros((blocks, 1, len(At)), np.int64)
        interest = asset.interest_lots + asset.interest_lots // MICRO * state.interest
        columns = {
            At.BID: bid, At.SPREAD: spread, At.STEEP: state.steep, At.TILT: marks["tilt"], At.SWEEP: marks["sweep"],
            At.QUIET: marks["quiet"], At.BASIS: basis, At.FUNDING: state.funding, At.INTEREST: interest,
        }  # fmt: skip
        for at, values in columns.items():
            path[:, :, at] = values.T
        return Span(time_ms, path, np.cumsum(marks["drift"], axis=1), [])


def _show(episode: MicroEpisode, marks: Mapping[str, Ints], noise: Ints, basis: Ints, block_ms: int) -> None:
    """Write one episode into the block arrays; the direction is that of its expert's prediction."""
    d, first = episode.direction, episode.onset_ms // block_ms
    shown = slice(first, first + episode.pattern.signal_ms // block_ms)
    match episode.pattern.shape:
        case "sweep and lean" | "sweep" | "lean":
            with_sweep, with_lean = "sweep" in episode.pattern.shape, "lean" in episode.pattern.shape
            marks["sweep"][0, first] = -d if with_sweep else 0
            marks["quiet"][0, first + 1 : shown.stop] = 1
            marks["tilt"][0, first + 3 : shown.stop] = 2 * d if with_lean else 0
            noise[shown] = noise[shown] * CALM_Q8 // 256
        case "flow and stand":
            marks["sweep"][0, shown] = -d
            noise[shown] = 0
        case "flow and move":
            marks["sweep"][0, shown] = -d
            marks["move"][0, first] -= d * FLOW_BPS * MICRO
            noise[shown] = 0
        case "basis":
            fall = np.arange(BASIS_MS // block_ms, 0, -1)
            basis[first : first + len(fall)] -= d * (BASIS_KICK * fall // len(fall))
    marks["move"][0, (episode.onset_ms + episode.pattern.pay_ms) // block_ms] += episode.step_bps * MICRO
