"""Small markets in which one expert's pattern pays, for judging whether reliabilities find it and it alone.

Every market shows all patterns at random times with fair coins as directions, and beside each pattern its foils: parts
of it that stand alone or come together with another part. Only the planted pattern pays, by one step of the price in
the direction that its expert predicts; its foils pay the same the other way round, in numbers such that no single part
predicts anything (exclusive or). Foils that pay are about as long and as loud as the pattern: whoever measures by the
last minutes hears both alike. All other patterns and foils pay nothing. Where a pattern needs a move of the price, what
follows a move within the pattern is a coin as well: it comes back as often as it goes on. Steps, not pulses: no trend
is left that would pay experts of momentum. One asset; without planting the price is a martingale at every moment at
which a coin has not been seen yet.
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
class PatternPhase:
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
    acts: tuple[PatternPhase, ...]
    weight: int = 1

    @property
    def signal_ms(self) -> int:
        """How long it shows."""
        return max(act.from_ms + act.for_ms for act in self.acts)


def _acts(*acts: tuple[str, int, int, float]) -> tuple[PatternPhase, ...]:
    return tuple(PatternPhase(*act) for act in acts)


def _sweep_stall() -> list[MicroPattern]:
    burst, lean = ("sweep", 0, 100, -1), ("tilt", 300, 2_700, 2)
    rest = (("quiet", 100, 2_900, 1), ("calm", 0, 3_000, 40))
    return [
        MicroPattern("sweep_stall", "sweep and lean", 3_600, 1, _acts(burst, lean, *rest)),
        MicroPattern("sweep_stall", "sweep", 3_600, -1, _acts(burst, *rest)),
        MicroPattern("sweep_stall", "lean", 3_600, -1, _acts(lean, *rest)),
    ]


def _absorption() -> list[MicroPattern]:
    """Every one begins with a move that is taken back or goes on; a move together with the flow would be a burst."""
    out, back, on = ("move", 0, 100, -3), ("move", 2_000, 100, 3.8), ("move", 2_000, 100, -3.8)
    flow, calm = ("sweep", 2_600, 3_000, -1), ("calm", 0, 5_600, 0)
    return [
        MicroPattern("absorption", "flow and stand", 5_600, 1, _acts(out, back, flow, calm)),
        MicroPattern("absorption", "flow behind a move", 5_600, -1, _acts(out, on, flow, calm)),
        MicroPattern("absorption", "stand", 5_600, -1, _acts(out, back, calm)),
        MicroPattern("absorption", "move", 5_600, 1, _acts(out, on, calm)),
    ]


def _depth_vacuum() -> list[MicroPattern]:
    """The foil that pays the other way ends in the same book, two seconds later: nothing was withdrawn at once."""

    def shown(*tilts: int) -> tuple[PatternPhase, ...]:
        onsets = range(0, 2_000 * len(tilts), 2_000)
        holes = [("tilt", at, 2_500, tilt) for at, tilt in zip(onsets, tilts, strict=True)]
        return _acts(*holes, ("calm", 0, onsets[-1] + 2_500, 40))

    return [
        MicroPattern("depth_vacuum", "hole", 2_500, 1, shown(3), 2),
        MicroPattern("depth_vacuum", "hole by and by", 4_500, -1, shown(4, 3), 2),
        MicroPattern("depth_vacuum", "hole behind the touch", 0, 0, shown(4)),
        MicroPattern("depth_vacuum", "touch", 0, 0, shown(5)),
    ]


def _run_burst() -> list[MicroPattern]:
    run, creep, calm = ("run", 0, 3_600, 1), ("move", 1_500, 100, 1.5), ("calm", 0, 3_600, 0)
    return [
        MicroPattern("run_burst", "run and follow", 3_600, 1, _acts(run, creep, calm)),
        MicroPattern("run_burst", "run", 3_600, -1, _acts(run, calm)),
        MicroPattern("run_burst", "creep", 3_600, -1, _acts(creep, ("quiet", 0, 3_600, 1), calm)),
    ]


def _wick_triplet() -> list[MicroPattern]:
    """Calm first, so that the minute holds nothing but the wick, which is over within a frame: nobody trades on it."""
    at = 40_000
    wick, calm = ("flash", at, 200, -8), ("calm", 0, at + 10_200, 16)
    test, turn = ("move", at + 6_000, 100, -7), ("move", at + 8_000, 100, 5)
    through, away = ("move", at + 8_000, 100, -5), ("move", at + 6_000, 100, 7)

    def lean(side: int) -> tuple[str, int, int, float]:
        return "tilt", at + 8_200, 2_000, side

    pay = at + 10_400
    return [
        MicroPattern("wick_triplet", "wick, test, turn", pay, 1, _acts(wick, test, turn, lean(1), calm)),
        MicroPattern("wick_triplet", "turn without the book", pay, -1, _acts(wick, test, turn, lean(-1), calm)),
        MicroPattern("wick_triplet", "through", 0, 0, _acts(wick, test, through, lean(1), calm)),
        MicroPattern("wick_triplet", "through with the book", 0, 0, _acts(wick, test, through, lean(-1), calm)),
        MicroPattern("wick_triplet", "wick, no test", 0, 0, _acts(wick, away, calm), 4),
        MicroPattern("wick_triplet", "lean", pay, -1, _acts(lean(1), calm), 2),
    ]


def _squeeze() -> list[MicroPattern]:
    """The foils' minute is as calm at the end of every frame, but flashes within frames make its range wide."""
    coil = 84_000
    flashes = [("flash", at, 200, side * 8) for at, side in ((5_000, 1), (35_000, -1), (65_000, 1), (75_000, -1))]

    def shown(flow: int, *more: tuple[str, int, int, float]) -> tuple[PatternPhase, ...]:
        release = (("sweep", coil + 600, 1_400, flow), ("move", coil + 1_000, 100, 2))
        return _acts(("calm", 0, coil, 4), ("calm", coil, 2_400, 40), *release, *more)

    return [
        MicroPattern("squeeze", "coil, release", coil + 2_600, 1, shown(1)),
        MicroPattern("squeeze", "coil, release against the flow", coil + 2_600, -1, shown(-1)),
        MicroPattern("squeeze", "release", coil + 2_600, -1, shown(1, *flashes)),
        MicroPattern("squeeze", "release against the flow", coil + 2_600, 1, shown(-1, *flashes)),
    ]


def _fake_out() -> list[MicroPattern]:
    """Calm and few trades first, so that the move is a new extreme and trades turn by those that are shown."""
    at = 10_000
    pay, out, calm = at + 4_600, ("move", at, 100, -3), ("calm", 0, at + 4_500, 16)
    quiet = ("quiet", 0, at + 4_500, 1)
    back, on = ("move", at + 1_600, 100, 3.8), ("move", at + 1_600, 100, -3.8)

    def turned(side: int) -> tuple[tuple[str, int, int, float], ...]:
        return quiet, ("run", at + 1_700, 500, side), ("tilt", at + 1_700, 2_800, side), calm

    return [
        MicroPattern("fake_out", "out, back, turned", pay, 1, _acts(out, back, *turned(1))),
        MicroPattern("fake_out", "out, back, not turned", pay, -1, _acts(out, back, *turned(-1))),
        MicroPattern("fake_out", "out, on, turned", 0, 0, _acts(out, on, *turned(1))),
        MicroPattern("fake_out", "out, on, not turned", 0, 0, _acts(out, on, *turned(-1))),
        MicroPattern("fake_out", "turned", pay, -1, _acts(*turned(1)), 2),
    ]


def _exhaustion() -> list[MicroPattern]:
    """Each leg of the stretch goes on as often as it is taken back; trades dry up or go on with the move."""
    legs, calm = [("move", at, 100, -3.5) for at in (0, 11_000, 22_000)], ("calm", 0, 28_000, 24)

    def lean(side: int) -> tuple[str, int, int, float]:
        return "tilt", 23_200, 4_800, side

    def back(at_ms: int) -> tuple[str, int, int, float]:
        return "move", at_ms, 100, 3.5

    dry, driven = ("quiet", 23_200, 4_800, 1), ("run", 23_200, 4_800, -1)
    return [
        MicroPattern("exhaustion", "stretch, dry, lean", 28_000, 1, _acts(*legs, dry, lean(1), calm), 2),
        MicroPattern("exhaustion", "stretch, dry, with the book", 28_000, -1, _acts(*legs, dry, lean(-1), calm)),
        MicroPattern("exhaustion", "stretch, driven, lean", 28_000, -1, _acts(*legs, driven, lean(1), calm)),
        MicroPattern("exhaustion", "two legs and back", 0, 0, _acts(*legs[:2], back(22_000), calm), 4),
        MicroPattern("exhaustion", "one leg and back", 0, 0, _acts(*legs[:1], back(11_000), calm), 8),
        MicroPattern("exhaustion", "driven, lean", 28_000, 1, _acts(driven, lean(1), calm)),
        MicroPattern("exhaustion", "dry, lean", 28_000, -1, _acts(dry, lean(1), calm), 3),
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
    """Trades that turn pay with the touch, trades that do not against it; against the touch they are as often wrong.

    Few trades first, so that none of before stands against the touch.
    """
    rest = 5_000
    pay, before, calm = rest + 4_800, ("quiet", 0, rest, 1), ("calm", 0, rest + 4_800, 0)

    def shown(touch: int, first: int, then: int) -> tuple[PatternPhase, ...]:
        runs = ("run", rest, 2_000, first), ("run", rest + 2_000, 2_800, then)
        return _acts(before, ("tilt", rest, 4_800, 2 * touch), *runs, calm)

    touch = _acts(("quiet", 0, pay, 1), ("tilt", rest, 4_800, 2), calm)
    return [
        MicroPattern("micro_trade_divergence", "touch, joined", pay, 1, shown(1, -1, 1)),
        MicroPattern("micro_trade_divergence", "touch, left", pay, -1, shown(-1, -1, 1)),
        MicroPattern("micro_trade_divergence", "touch, eaten", pay, -1, shown(1, -1, -1), 2),
        MicroPattern("micro_trade_divergence", "touch, followed", pay, -1, shown(1, 1, 1), 2),
        MicroPattern("micro_trade_divergence", "touch", pay, 1, touch, 2),
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
