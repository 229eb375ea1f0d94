"""The four operators as automata over frames: each keeps one number of the past and says whether it happens now.

What is remembered for how long is the watcher's. Literature: level crossing detection, hysteresis.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import assert_never

from lotus.triggers.bars import Bars
from lotus.triggers.conditions import Breakout, Cross, Leaf, LevelKind, Retest, Touch, TriggerLevel
from lotus.triggers.events import Happening


@dataclass(slots=True)
class Moment:
    """What one frame says: its end, its mid in USD, and the mid known before it in this life."""

    end_ms: int
    frame_idx: int
    mid: float | None
    before: float | None


@dataclass(slots=True)
class LeafWatch:
    """One operator of a trigger: the level it holds on to while its WITHIN is armed, and what it knows of the past.

    `side` is where the mid was last: beyond the level 1 or not -1 (breakout), above or below it (cross), outside the
    tolerance above or below (retest); 0 is not known.
    """

    leaf: Leaf
    bars: Mapping[int, Bars]
    entry_px: float | None
    side: int = 0
    frozen: float | None = None
    now: Happening | None = field(default=None)

    def step(self, moment: Moment, armed: bool) -> None:
        """Take a frame: `now` is what happened at it; `armed` tells whether its WITHIN was armed before the frame."""
        self.now = None
        level = self.level(armed)
        if moment.mid is None:
            return
        if level is None:
            self.side = 0
            return
        if self._happens(moment, moment.mid, level, armed):
            self.now = Happening(self.leaf.text, moment.end_ms, moment.mid, level)

    def level(self, armed: bool) -> float | None:
        """Return the level; while armed it stays what it was when it was first known."""
        if isinstance(self.leaf, Breakout):
            return self._moving(self.leaf.level)
        if self.frozen is not None:
            return self.frozen
        level = self._moving(self.leaf.level)
        self.frozen = level if armed else None
        return level

    def arm(self, moment: Moment) -> float | None:
        """Hold on to the level of this frame and return it; a retest begins to watch."""
        level = self.level(armed=True)
        if isinstance(self.leaf, Retest):
            self.side = 0
            if moment.mid is not None and level is not None:
                self._happens(moment, moment.mid, level, armed=True)
        return level

    def release(self) -> None:
        """Let the level move again; what was known of the held one is forgotten."""
        self.frozen = None
        if not isinstance(self.leaf, Breakout):
            self.side = 0

    def forget(self) -> None:
        """Begin a new life."""
        self.frozen, self.side, self.now = None, 0, None

    def _happens(self, moment: Moment, mid: float, level: float, armed: bool) -> bool:
        leaf, was = self.leaf, self.side
        match leaf:
            case Breakout(direction=direction):
                margin = self._margin(leaf, level)
                self.side = 1 if direction * (mid - level) > margin else -1
                return was == -1 and self.side == 1
            case Touch(tol_bps=tol):
                passed = moment.before is not None and (moment.before - level) * (mid - level) <= 0.0
                return passed or _near(mid, level, tol)
            case Cross(direction=direction):
                self.side = (mid > level) - (mid < level) or was
                return was * self.side < 0 and direction in (0, self.side)
            case Retest(tol_bps=tol, direction=direction):
                if not armed:
                    return False
                if _near(mid, level, tol):
                    return was != 0 and direction in (0, was)
                self.side = 1 if mid > level else -1
                return False
        assert_never(leaf)

    def _margin(self, leaf: Breakout, level: float) -> float:
        if leaf.band_unit == "bps":
            return level * leaf.band / 1e4
        facts = self.bars[leaf.level.bar_ms].facts(leaf.level.lookback)
        assert facts is not None  # the level is known
        return leaf.band * facts.sigma

    def _moving(self, level: TriggerLevel) -> float | None:
        if level.kind is LevelKind.PRICE:
            return level.px
        return self.entry_px if level.kind is LevelKind.ENTRY else self.bars[level.bar_ms].value(level)


def _near(mid: float, level: float, tol_bps: float) -> bool:
    return abs(mid - level) <= level * tol_bps / 1e4
