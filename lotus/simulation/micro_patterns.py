"""Small markets in which one expert's pattern pays, for judging whether reliabilities find it and it alone.

Every market shows all patterns at random times with fair coins as directions, and beside each pattern its foils: parts
of it that stand alone or come together with another part. Only the planted pattern pays, by one step of the price in
the direction that its expert predicts; its foils pay the same the other way round, in numbers such that no single part
predicts anything (exclusive or). All other patterns and foils pay nothing. Where a pattern needs a move of the price,
what follows a move within the pattern is a coin as well: it comes back as often as it goes on. Steps, not pulses: no
trend is left that would pay experts of momentum. One asset; without planting the price is a martingale at every moment
at which a coin has not been seen yet.
What is shown is data (`PATTERNS`); how it is written into a span is `micro_world`'s.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lotus.errors import ConfigError
from lotus.simulation.layout import Stream
from lotus.simulation.rng import below, streams

STEP_BPS: Final[int] = 8  # what a pattern pays
GAP_MS: Final = (25_000, 25_000)  # between two episodes: so much and, at random, up to so much more
FRAME_MS: Final[int] = 200  # episodes begin with a frame
PLANTED_SHARE: Final = (1, 2)  # of episodes that belong to the planted pattern and its foils


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that is shown: kind, onset and length in ms, value times the direction (plain for quiet and calm).

    sweep: side of trades that take several levels in every block; run: side of one small trade in every block; tilt:
    +-1 near levels, +-2 the touch, a hole in the near book +-3 with, +-4 without, +-5 of the touch; quiet: 1 = few
    trades; calm: noise in 256ths; move: of the price, bps; flash: a move that is back before its frame ends; basis: a
    kick, given back over the length.
    """

    kind: str
    from_ms: int
    for_ms: int
    value: float


@dataclass(frozen=True, slots=True)
class MicroPattern:
    """One pattern or foil: the step comes `pay_ms` after its onset, `sign` x the direction; `weight`: how often."""

    expert_id: str
    shape: str
    pay_ms: int
    sign: int
    acts: tuple[Act, ...]
    weight: int = 1

    @property
    def signal_ms(self) -> int:
        """How long it shows."""
        return max(act.from_ms + act.for_ms for act in self.acts)


def _acts(*acts: tuple[str, int, int, float]) -> tuple[Act, ...]:
    return tuple(Act(*act) for act in acts)


def _sweep_stall() -> list[MicroPattern]:
    burst, lean = ("sweep", 0, 100, -1), ("tilt", 300, 2_700, 2)
    rest = (("quiet", 100, 2_900, 1), ("calm", 0, 3_000, 40))
    return [
        MicroPattern("sweep_stall", "sweep and lean", 3_600, 1, _acts(burst, lean, *rest)),
        MicroPattern("sweep_stall", "sweep", 3_600, -1, _acts(burst, *rest)),
        MicroPattern("sweep_stall", "lean", 3_600, -1, _acts(lean, *rest)),
    ]


def _absorption() -> list[MicroPattern]:
    """The foil moves first: a move together with the flow would be a burst."""
    move = ("move", 0, 100, -3)
    return [
        MicroPattern("absorption", "flow and stand", 3_000, 1, _acts(("sweep", 0, 3_000, -1), ("calm", 0, 3_000, 0))),
        MicroPattern(
            "absorption", "move, then flow", 4_200, -1, _acts(move, ("sweep", 1_200, 3_000, -1), ("calm", 0, 4_200, 0))
        ),
        MicroPattern("absorption", "move", 4_200, 1, _acts(move, ("calm", 0, 4_200, 0))),
    ]


def _depth_vacuum() -> list[MicroPattern]:
    def shown(tilt: int) -> tuple[Act, ...]:
        return _acts(("tilt", 0, 2_500, tilt), ("calm", 0, 2_500, 40))

    return [
        MicroPattern("depth_vacuum", "hole", 2_500, 1, shown(3)),
        MicroPattern("depth_vacuum", "hole behind the touch", 2_500, -1, shown(4)),
        MicroPattern("depth_vacuum", "touch", 2_500, -1, shown(5)),
    ]


def _run_burst() -> list[MicroPattern]:
    run, creep, calm = ("run", 0, 3_600, 1), ("move", 1_500, 100, 1.5), ("calm", 0, 3_600, 0)
    return [
        MicroPattern("run_burst", "run and follow", 3_600, 1, _acts(run, creep, calm)),
        MicroPattern("run_burst", "run", 3_600, -1, _acts(run, calm)),
        MicroPattern("run_burst", "creep", 3_600, -1, _acts(creep, ("quiet", 0, 3_600, 1), calm)),
    ]


def _wick_triplet() -> list[MicroPattern]:
    """Nobody can trade on the wick's way back, for it is over within a frame; the test comes as often as not."""
    wick, calm = ("flash", 0, 200, -8), ("calm", 0, 10_200, 16)
    test, turn, through = ("move", 6_000, 100, -7), ("move", 8_000, 100, 5), ("move", 8_000, 100, -5)

    def lean(side: int) -> tuple[str, int, int, float]:
        return "tilt", 8_200, 2_000, side

    return [
        MicroPattern("wick_triplet", "wick, test, turn", 10_400, 1, _acts(wick, test, turn, lean(1), calm)),
        MicroPattern("wick_triplet", "turn without the book", 10_400, -1, _acts(wick, test, turn, lean(-1), calm)),
        MicroPattern("wick_triplet", "through", 0, 0, _acts(wick, test, through, lean(1), calm)),
        MicroPattern("wick_triplet", "through with the book", 0, 0, _acts(wick, test, through, lean(-1), calm)),
        MicroPattern("wick_triplet", "wick, no test", 0, 0, _acts(wick, ("move", 6_000, 100, 7), calm), 4),
        MicroPattern("wick_triplet", "lean", 10_400, -1, _acts(lean(1), calm), 2),
    ]


def _squeeze() -> list[MicroPattern]:
    def shown(coiled_ms: int, flow: int) -> tuple[Act, ...]:
        release = (("sweep", coiled_ms + 600, 1_400, flow), ("move", coiled_ms + 1_000, 100, 2))
        return _acts(("calm", 0, coiled_ms, 4), ("calm", coiled_ms, 2_400, 40), *release)

    coil = 84_000
    return [
        MicroPattern("squeeze", "coil, release", coil + 2_600, 1, shown(coil, 1)),
        MicroPattern("squeeze", "coil, release against the flow", coil + 2_600, -1, shown(coil, -1)),
        MicroPattern("squeeze", "release", 2_600, -1, shown(0, 1)),
        MicroPattern("squeeze", "release against the flow", 2_600, 1, shown(0, -1)),
    ]


def _fake_out() -> list[MicroPattern]:
    out, back, on = ("move", 0, 100, -3), ("move", 1_600, 100, 3.8), ("move", 1_600, 100, -3.8)
    calm = ("calm", 0, 4_500, 40)

    def turned(side: int) -> tuple[tuple[str, int, int, float], ...]:
        return ("run", 1_700, 500, side), ("tilt", 1_700, 2_800, side), calm

    return [
        MicroPattern("fake_out", "out, back, turned", 4_600, 1, _acts(out, back, *turned(1))),
        MicroPattern("fake_out", "out, back, not turned", 4_600, -1, _acts(out, back, *turned(-1))),
        MicroPattern("fake_out", "out, on, turned", 0, 0, _acts(out, on, *turned(1))),
        MicroPattern("fake_out", "out, on, not turned", 0, 0, _acts(out, on, *turned(-1))),
        MicroPattern("fake_out", "turned", 4_600, -1, _acts(*turned(1)), 2),
    ]


def _exhaustion() -> list[MicroPattern]:
    """Each leg of the stretch goes on as often as it is taken back."""
    legs, calm = [("move", at, 100, -3.5) for at in (0, 11_000, 22_000)], ("calm", 0, 27_000, 24)

    def spent(side: int) -> tuple[tuple[str, int, int, float], ...]:
        return ("run", 23_200, 600, side), ("quiet", 23_800, 3_200, 1), ("tilt", 23_200, 3_800, side), calm

    def back(at_ms: int) -> tuple[str, int, int, float]:
        return "move", at_ms, 100, 3.5

    return [
        MicroPattern("exhaustion", "stretch, spent", 27_000, 1, _acts(*legs, *spent(1))),
        MicroPattern("exhaustion", "stretch, driven", 27_000, -1, _acts(*legs, *spent(-1))),
        MicroPattern("exhaustion", "two legs and back", 0, 0, _acts(*legs[:2], back(22_000), calm), 2),
        MicroPattern("exhaustion", "one leg and back", 0, 0, _acts(*legs[:1], back(11_000), calm), 4),
        MicroPattern("exhaustion", "spent", 27_000, -1, _acts(*spent(1)), 2),
    ]


def _flow_price_divergence() -> list[MicroPattern]:
    run, calm = ("run", 0, 9_500, -1), ("calm", 0, 9_500, 0)
    up = (("move", 1_000, 100, 1.5), ("tilt", 1_000, 8_500, 1))
    return [
        MicroPattern("flow_price_divergence", "sold, up, lean", 9_500, 1, _acts(run, *up, calm)),
        MicroPattern("flow_price_divergence", "sold", 9_500, -1, _acts(run, calm)),
        MicroPattern("flow_price_divergence", "up, lean", 9_500, -1, _acts(*up, ("quiet", 0, 9_500, 1), calm)),
    ]


def _micro_trade_divergence() -> list[MicroPattern]:
    trades, calm = (("run", 0, 2_000, -1), ("run", 2_000, 2_800, 1)), ("calm", 0, 4_800, 0)

    def touch(side: int) -> tuple[str, int, int, float]:
        return "tilt", 0, 4_800, 2 * side

    return [
        MicroPattern("micro_trade_divergence", "touch, joined", 4_800, 1, _acts(touch(1), *trades, calm)),
        MicroPattern("micro_trade_divergence", "touch, left", 4_800, -1, _acts(touch(-1), *trades, calm)),
        MicroPattern("micro_trade_divergence", "touch", 4_800, -1, _acts(touch(1), ("quiet", 0, 4_800, 1), calm), 2),
    ]


PATTERNS: Final = (
    *_sweep_stall(),
    *_absorption(),
    MicroPattern("basis_pull", "basis", 4_000, 1, _acts(("basis", 0, 20_000, -14))),
    *_depth_vacuum(),
    *_run_burst(),
    *_wick_triplet(),
    *_squeeze(),
    *_fake_out(),
    *_exhaustion(),
    *_flow_price_divergence(),
    *_micro_trade_divergence(),
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
    out: list[MicroEpisode] = []
    at = 360_000  # after the experts' longest warm-up
    while True:
        ours = below(draw, 0, PLANTED_SHARE[1]) < PLANTED_SHARE[0]
        expert = PLANTABLE[below(draw, 0, len(PLANTABLE))]
        pattern = _one_of([p for p in PATTERNS if p.expert_id == (planted if planted and ours else expert)], draw)
        direction = 1 - 2 * below(draw, 0, 2)
        if at + pattern.signal_ms + 60_000 > length_ms:
            return out
        pays = pattern.sign * STEP_BPS if pattern.expert_id == planted else 0
        out.append(MicroEpisode(pattern, at - at % FRAME_MS, direction, direction * pays))
        at += max(pattern.signal_ms, pattern.pay_ms) + GAP_MS[0] + below(draw, 0, GAP_MS[1])


def _one_of(patterns: Sequence[MicroPattern], draw: Stream) -> MicroPattern:
    """Draw one by weight."""
    ballots = [p for p in patterns for _ in range(p.weight)]
    return ballots[below(draw, 0, len(ballots))]
