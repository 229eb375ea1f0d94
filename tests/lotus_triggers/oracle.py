"""A slow, naive evaluation of triggers: at every frame all bars, levels and happenings are made anew from raw frames.

It keeps nothing but the frames at which each WITHIN was armed and let go (and what it has already made of the same raw
frames, for speed), and shares no line with `lotus.triggers` beside its value types.
"""

import math
import statistics
from dataclasses import dataclass, field
from itertools import pairwise

from make import CADENCE_MS, Trace

from lotus.microtape.frames.spec import C_GAP, C_MID, C_VOLUME, FLOAT_NAMES, I_END, I_FRAME
from lotus.triggers.conditions import (
    All,
    AnyOf,
    Breakout,
    Condition,
    Cross,
    Denied,
    Leaf,
    LevelKind,
    Retest,
    Scope,
    Threshold,
    Touch,
    Trigger,
)
from lotus.triggers.watcher import WatchPlan

Said = tuple[int, str, str, str]  # end of the frame, status, cause, part


@dataclass
class Episodes:
    """When a WITHIN was armed, and the frame after which it was last let go."""

    scope: Scope
    outer: Scope | None
    armed: int | None = None
    free_from: int = 0
    held: set[int] = field(default_factory=set)


@dataclass
class Oracle:
    """One trigger on one trace."""

    trigger: Trigger
    plan: WatchPlan
    trace: Trace

    def events(self) -> list[Said]:
        """Return everything said."""
        self.scopes: list[Episodes] = []
        self._made: dict[tuple[int, int], list[list[tuple[int, float]]]] = {}
        self._collect(self.trigger.condition, None)
        said, held = list[Said](), False
        for i in range(len(self.trace)):
            now = self._end(i)
            if self.plan.valid_until_ms is not None and now > self.plan.valid_until_ms:
                return [*said, (now, "expired", "valid_until", self.trigger.text)]
            if i == self._birth(i) and i:
                said += [(now, "rejected", "gap", e.scope.text) for e in self.scopes if e.armed is not None]
                for e in self.scopes:
                    e.armed, e.free_from = None, i
                held = False
            for e in self.scopes:
                if e.armed is not None and now > self._end(e.armed) + e.scope.limit_ms:
                    said.append((now, "expired", "limit", e.scope.text))
                    e.armed, e.free_from = None, i
            if now <= self.plan.start_ms:
                continue
            done = list[Episodes]()
            for e in self.scopes:
                if e.armed is None and any(self._at(part, i) for part in self._able(e.scope.part)):
                    e.armed = i
                    said.append((now, "armed", "began", e.scope.text))
                if e.armed is not None and self._holds(e.scope.part, i, e):
                    e.held.add(i)
                    done.append(e)
            was, held = held, self._holds(self.trigger.condition, i, None)
            if held and not was:
                fires = all(self._holds(gate, i, None) for gate in self.trigger.preconditions)
                words = ("fired", "holds") if fires else ("rejected", "precondition")
                said.append((now, *words, self.trigger.text))
                if fires and self.plan.once:
                    return said
            else:
                said += [(now, "rejected", "rest", e.scope.text) for e in done if e.outer is None]
            for e in done:
                e.armed, e.free_from = None, i + 1
        return said

    def _collect(self, part: Condition, outer: Scope | None) -> None:
        match part:
            case Scope():
                self._collect(part.part, part)
                self.scopes.append(Episodes(part, outer))
            case Denied(inner):
                self._collect(inner, outer)
            case All(parts) | AnyOf(parts):
                for inner in parts:
                    self._collect(inner, outer)

    def _able(self, part: Condition) -> list[Condition]:
        if isinstance(part, All | AnyOf):
            return [found for inner in part.parts for found in self._able(inner)]
        return [] if isinstance(part, Denied | Threshold | Retest) else [part]

    def _holds(self, part: Condition, i: int, e: Episodes | None) -> bool:
        match part:
            case Threshold():
                return self._compared(part, i)
            case Denied(inner):
                return not self._holds(inner, i, e)
            case All(parts):
                return all(self._holds(inner, i, e) for inner in parts)
            case AnyOf(parts):
                return any(self._holds(inner, i, e) for inner in parts)
        if e is None:
            return self._at(part, i)
        assert e.armed is not None
        return any(self._at(part, j, e) for j in range(e.armed, i + 1))

    def _at(self, part: Condition, i: int, e: Episodes | None = None) -> bool:
        """Tell whether an operator or WITHIN happens at frame i; `e` is the armed WITHIN around it."""
        if isinstance(part, Scope):
            return i in next(x for x in self.scopes if x.scope is part).held
        assert isinstance(part, Breakout | Touch | Cross | Retest)
        e = e or next((x for x in self.scopes if self._inside(x.scope.part, part)), None)
        first = max(self._birth(i), e.free_from if e and not isinstance(part, Breakout | Touch) else 0)
        armed = e.armed if e else None
        mid, level = self._mid(i), self._level(part, i, armed)
        if mid is None or level is None:
            return False
        past = [j for j in range(first, i) if self._mid(j) is not None]
        if isinstance(part, Retest):
            past = [j for j in past if armed is not None and j >= armed]
        return self._happens(part, i, mid, level, past, armed)

    def _happens(self, part: Leaf, i: int, mid: float, level: float, past: list[int], armed: int | None) -> bool:
        before = past[-1] if past else None
        match part:
            case Touch():
                crossed = before is not None and (self._mid(before) - level) * (mid - level) <= 0  # type: ignore[operator]
                return abs(mid - level) <= level * part.tol_bps / 1e4 or crossed
            case Breakout():
                return before is not None and self._beyond(part, before) is False and self._beyond(part, i) is True
            case Cross():
                for j in reversed(past):
                    other, there = self._mid(j), self._level(part, j, armed)
                    if there is None:
                        return False
                    if other != there:
                        went = 1 if mid > level else -1 if mid < level else 0
                        came = 1 if other > there else -1  # type: ignore[operator]
                        return went == -came and part.direction in (0, went)
                return False
            case Retest():
                if before is None or abs(mid - level) > level * part.tol_bps / 1e4:
                    return False
                other, there = self._mid(before), self._level(part, before, armed)
                if there is None or abs(other - there) <= there * part.tol_bps / 1e4:  # type: ignore[operator]
                    return False
                return part.direction in (0, 1 if other > there else -1)  # type: ignore[operator]

    def _inside(self, body: Condition, leaf: Leaf) -> bool:
        match body:
            case Denied(inner):
                return self._inside(inner, leaf)
            case All(parts) | AnyOf(parts):
                return any(self._inside(inner, leaf) for inner in parts)
        return body is leaf

    def _compared(self, part: Threshold, i: int) -> bool:
        if part.quantity == "adv_usd":
            value = self.plan.facts.get("adv_usd")
        else:
            value = float(self.trace.floats[i, FLOAT_NAMES.index(part.quantity)])
            value = self._mid(i) if part.quantity == "mid" else value
        if value is None or math.isnan(value):
            return False
        sign = (value > part.value) - (value < part.value)
        return {"<": sign < 0, "<=": sign <= 0, ">": sign > 0, ">=": sign >= 0}[part.op]

    def _beyond(self, part: Breakout, i: int) -> bool | None:
        level, mid = self._level(part, i, None), self._mid(i)
        if level is None or mid is None:
            return None
        margin = level * part.band / 1e4
        if part.band_unit == "sigma":
            closes = [bar[-1][1] for bar in self._bars(part, i)[-part.level.lookback :]]
            margin = part.band * statistics.stdev([b - a for a, b in pairwise(closes)])
        return (mid - level) * part.direction > margin

    def _level(self, part: Leaf, i: int, armed: int | None) -> float | None:
        """The level at frame i: the first known one since arming, for what holds on to it."""
        if armed is not None and not isinstance(part, Breakout):
            for j in range(armed, i + 1):
                found = self._moving(part, j)
                if found is not None:
                    return found
            if i >= armed:
                return None
        return self._moving(part, i)

    def _moving(self, part: Leaf, i: int) -> float | None:
        level = part.level
        if level.kind is LevelKind.PRICE:
            return level.px
        if level.kind is LevelKind.ENTRY:
            return self.plan.entry_px
        bars = self._bars(part, i)[-level.lookback :]
        if len(bars) < level.lookback:
            return None
        if level.kind is LevelKind.PREV_HIGH:
            return max(mid for bar in bars for _, mid in bar)
        if level.kind is LevelKind.PREV_LOW:
            return min(mid for bar in bars for _, mid in bar)
        open_bar = [j for j in range(self._birth(i), i + 1) if self._bar(part, j) == self._bar(part, i)]
        rows = [[j for j, _ in bar] for bar in bars]
        usd = math.fsum(sum(self._usd(j) for j in bar) for bar in rows)
        coins = math.fsum(sum(self._coins(j) for j in bar) for bar in rows)
        usd, coins = usd + sum(map(self._usd, open_bar)), coins + sum(map(self._coins, open_bar))
        return usd / coins if coins > 0 else None

    def _bars(self, part: Leaf, i: int) -> list[list[tuple[int, float]]]:
        key = part.level.bar_ms, i
        if key not in self._made:
            self._made[key] = self._bars_anew(part, i)
        return self._made[key]

    def _bars_anew(self, part: Leaf, i: int) -> list[list[tuple[int, float]]]:
        """Whole bars before that of frame i, in a row up to it: (frame, mid) of their known mids."""
        chain = list[list[tuple[int, float]]]()
        life = range(self._birth(i), i + 1)
        index = self._bar(part, i) - 1
        while True:
            frames = [j for j in life if self._bar(part, j) == index]
            known = [(j, mid) for j in frames if (mid := self._mid(j)) is not None]
            if not known or len(frames) * CADENCE_MS != part.level.bar_ms:
                return chain
            chain.insert(0, known)
            index -= 1

    def _bar(self, part: Leaf, i: int) -> int:
        return (self._end(i) - CADENCE_MS) // part.level.bar_ms

    def _birth(self, i: int) -> int:
        while i > 0:
            whole = self.trace.ints[i, I_FRAME] == self.trace.ints[i - 1, I_FRAME] + 1
            if not whole or self.trace.floats[i, C_GAP] > 0:
                return i
            i -= 1
        return 0

    def _end(self, i: int) -> int:
        return int(self.trace.ints[i, I_END])

    def _mid(self, i: int) -> float | None:
        value = float(self.trace.floats[i, C_MID])
        return None if math.isnan(value) else value / 10

    def _usd(self, i: int) -> float:
        return 0.0 if self._mid(i) is None else float(self.trace.floats[i, C_VOLUME])

    def _coins(self, i: int) -> float:
        mid = self._mid(i)
        return 0.0 if mid is None else float(self.trace.floats[i, C_VOLUME]) / mid
