"""One trigger watched over the frames of one asset: frames in, events out, live and in batch by the same steps.

A gap (missing frames) begins a new life: nothing rolls over it and what was armed is rejected. Memory is bounded by
the text: the bars of the longest lookback and one number for every operator. No order is made here. Literature:
online monitoring of temporal properties.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.errors import ConfigError, SchemaError
from lotus.manifest import Asset
from lotus.microtape.frames.spec import C_GAP, C_MID, C_VOLUME, I_ASSET, I_END, I_FRAME
from lotus.triggers.bars import Bars
from lotus.triggers.conditions import (
    Breakout,
    Condition,
    Cross,
    LevelKind,
    Retest,
    Scope,
    Threshold,
    Touch,
    Trigger,
    arming,
    leaves_of,
    parts_of,
    walked,
)
from lotus.triggers.events import Cause, Happening, Reading, TriggerEvent
from lotus.triggers.leaves import LeafWatch, Moment
from lotus.triggers.operators import QUANTITIES
from lotus.triggers.scopes import ConditionPart, ScopeWatch, holds

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class WatchPlan:
    """The settings of a watch besides its trigger.

    Frames that end at or before `start_ms` only fill bars and sides; frames that end after `valid_until_ms` end the
    watch. `once`: the watch is over when it has fired. `facts` are quantities that no frame holds, by name.
    """

    asset: Asset
    asset_index: int
    cadence_ms: int = 200
    start_ms: int = 0
    valid_until_ms: int | None = None
    once: bool = True
    entry_px: float | None = None
    facts: Mapping[str, float] = field(default_factory=dict)


class Watcher:
    """The state of one watched trigger."""

    def __init__(self, trigger: Trigger, plan: WatchPlan) -> None:
        """Begin blank; raises `ConfigError` for an entry price that is missing, or bars that are no whole frames."""
        leaves = leaves_of(trigger.condition)
        if any(leaf.level.kind is LevelKind.ENTRY for leaf in leaves) and not (plan.entry_px and plan.entry_px > 0.0):
            raise ConfigError(f"entry price {plan.entry_px}", "a price above 0", "the trigger names the level entry")
        self.trigger, self.plan, self.over = trigger, plan, False
        longest: dict[int, int] = {}
        for level in (leaf.level for leaf in leaves):
            longest[level.bar_ms] = max(longest.get(level.bar_ms, 0), level.lookback)
        self._bars = {bar_ms: Bars(bar_ms, plan.cadence_ms, n) for bar_ms, n in sorted(longest.items())}
        self._leaves: list[tuple[LeafWatch, ScopeWatch | None]] = []
        self._scopes: list[ScopeWatch] = []  # inner ones before outer ones
        self._root = self._part(trigger.condition, None)
        self._units = 10.0**plan.asset.px_decimals
        self._thresholds = tuple(p for p in walked(trigger.condition) if isinstance(p, Threshold))
        gates = (p for gate in trigger.preconditions for p in walked(gate))
        self._gates = tuple(p for p in gates if isinstance(p, Threshold))
        self._gate_parts = tuple(self._part(gate, None) for gate in trigger.preconditions)
        self._floats: Floats = np.zeros(0)
        self._last_frame: int | None = None
        self._before: float | None = None
        self._held = False
        self._seq = 0

    def step(self, ints: Ints, floats: Floats) -> tuple[TriggerEvent, ...]:
        """Take one frame row (layout of `frames.spec`, any asset) and return what it made happen, in order.

        Raises `SchemaError` for a frame that is not after the last one of its asset.
        """
        if self.over or ints[I_ASSET] != self.plan.asset_index:
            return ()
        frame, end_ms = int(ints[I_FRAME]), int(ints[I_END])
        if self._last_frame is not None and frame <= self._last_frame:
            raise SchemaError(f"frame {frame} after frame {self._last_frame}", "frames in order, each once")
        gap = self._last_frame is not None and (frame != self._last_frame + 1 or floats[C_GAP] > 0.0)
        self._last_frame, self._floats = frame, floats
        mid = _known_value(floats[C_MID])
        moment = Moment(end_ms, frame, None if mid is None else mid / self._units, None if gap else self._before)
        events = list(self._advance(moment, gap))
        self._before = moment.before if moment.mid is None else moment.mid
        return tuple(events)

    def run(self, ints: Ints, floats: Floats) -> tuple[TriggerEvent, ...]:
        """Take frames i8[n, N_INTS] and f8[n, N_FLOATS] in order and return every event, as `step` by `step`."""
        events: list[TriggerEvent] = []
        rows = np.flatnonzero(ints[:, I_ASSET] == self.plan.asset_index)
        for row in rows[self._blind(ints[rows], floats[rows]) :].tolist():
            events += self.step(ints[row], floats[row])
            if self.over:
                break
        return tuple(events)

    def _blind(self, ints: Ints, floats: Floats) -> int:
        """Fill the bars of a blank watch with its first frames, until a level could be known; return how many.

        Before that, and before the start, no leaf has a side and nothing can happen.
        """
        if self._last_frame is not None or not len(ints):
            return 0
        first_ms, until = int(ints[0, I_END]), self.plan.valid_until_ms
        before_ms = self.plan.start_ms if until is None else min(self.plan.start_ms, until)
        for level in (leaf.leaf.level for leaf, _ in self._leaves):
            of_bars = level.kind not in (LevelKind.PRICE, LevelKind.ENTRY)
            known_ms = self._bars[level.bar_ms].full_after_ms(first_ms, level.lookback) if of_bars else 0
            before_ms = min(before_ms, known_ms)
        breaks = np.flatnonzero((np.diff(ints[:, I_FRAME]) != 1) | (floats[1:, C_GAP] > 0.0)) + 1
        whole = int(breaks[0]) if len(breaks) else len(ints)
        n = int(np.searchsorted(ints[:whole, I_END], before_ms, side="right"))
        if n == 0:
            return 0
        mids = floats[:n, C_MID] / self._units
        for bars in self._bars.values():
            bars.fill(ints[:n, I_END], mids, floats[:n, C_VOLUME])
        known = mids[~np.isnan(mids)]
        self._last_frame, self._before = int(ints[n - 1, I_FRAME]), float(known[-1]) if len(known) else None
        return n

    def _advance(self, moment: Moment, gap: bool) -> list[TriggerEvent]:
        until = self.plan.valid_until_ms
        if until is not None and moment.end_ms > until:
            self.over = True
            return [self._event(moment, Cause.VALID_UNTIL, self.trigger.text, deadline_ms=until)]
        events = self._new_life(moment) if gap else []
        for bars in self._bars.values():
            bars.take(moment.end_ms, moment.mid, float(self._floats[C_VOLUME]))
        for scope in self._scopes:
            if scope.passed(moment.end_ms):
                events.append(self._scope_event(moment, scope, Cause.LIMIT))
                scope.release()
        for leaf, owner in self._leaves:
            leaf.step(moment, owner is not None and owner.armed_ms is not None)
        if moment.end_ms > self.plan.start_ms:
            events += self._judge_scopes(moment)
            events += self._judge_trigger(moment)
        return events

    def _new_life(self, moment: Moment) -> list[TriggerEvent]:
        armed = [scope for scope in self._scopes if scope.armed_ms is not None]
        events = [self._scope_event(moment, scope, Cause.GAP) for scope in armed]
        for scope in self._scopes:
            scope.release()
        for leaf, _ in self._leaves:
            leaf.forget()
        for bars in self._bars.values():
            bars.forget()
        self._held = False
        return events

    def _judge_scopes(self, moment: Moment) -> list[TriggerEvent]:
        events = []
        for scope in self._scopes:
            scope.now = None
            began = scope.begins()
            levels = scope.arm(moment) if began else ()
            if scope.armed_ms is None:
                continue
            scope.remember()
            if began:
                events.append(self._scope_event(moment, scope, Cause.BEGAN, levels))
            if scope.holds(self._reading):
                scope.now = Happening(scope.scope.text, moment.end_ms, moment.mid, None)
        return events

    def _judge_trigger(self, moment: Moment) -> list[TriggerEvent]:
        """Say what becomes of the frame, then let the scopes that held be idle again."""
        held = holds(self._root, self._reading, lambda watch: watch.now is not None)
        rises, self._held = held and not self._held, held
        done = [scope for scope in self._scopes if scope.now is not None]
        events = []
        if rises:
            happened = self._happenings()
            gates = [holds(part, self._reading, lambda _: False) for part in self._gate_parts]
            fires = all(gates)
            readings = tuple(map(self._reading, (*self._thresholds, *self._gates)))
            cause = Cause.HOLDS if fires else Cause.PRECONDITION
            events.append(self._event(moment, cause, self.trigger.text, happened, readings))
            self.over = fires and self.plan.once
        else:
            rest = [scope for scope in done if not scope.nested]
            events += [self._scope_event(moment, scope, Cause.REST) for scope in rest]
        for scope in done:
            scope.release()
        return events

    def _happenings(self) -> tuple[Happening, ...]:
        """Return what made the trigger hold: what its scopes remember, and what happened outside of them."""
        happenings: list[Happening] = []
        for scope in self._scopes:
            if scope.now is not None:
                happenings += [h for h in scope.listed() if h not in happenings]
        return (*happenings, *(leaf.now for leaf, owner in self._leaves if owner is None and leaf.now is not None))

    def _reading(self, threshold: Threshold) -> Reading:
        quantity = QUANTITIES[threshold.quantity]
        if quantity.column < 0:
            value = _known_value(self.plan.facts.get(quantity.name, math.nan))
        else:
            value = _known_value(self._floats[quantity.column])
        if quantity.column == C_MID and value is not None:
            value /= self._units
        return Reading(threshold.text, value, value is not None and _COMPARE[threshold.op](value, threshold.value))

    def _scope_event(
        self, moment: Moment, scope: ScopeWatch, cause: Cause, levels: tuple[tuple[str, float | None], ...] = ()
    ) -> TriggerEvent:
        return self._event(
            moment, cause, scope.scope.text, scope.listed(), levels=levels, deadline_ms=scope.deadline_ms
        )

    def _event(
        self,
        moment: Moment,
        cause: Cause,
        part: str,
        happenings: tuple[Happening, ...] = (),
        readings: tuple[Reading, ...] = (),
        levels: tuple[tuple[str, float | None], ...] = (),
        deadline_ms: int | None = None,
    ) -> TriggerEvent:
        self._seq += 1
        return TriggerEvent(
            seq=self._seq, status=cause.status, cause=cause, time_ms=moment.end_ms, frame_idx=moment.frame_idx,
            part=part, mid=moment.mid, happenings=happenings, readings=readings, levels=levels,
            deadline_ms=deadline_ms,
        )  # fmt: skip

    def _part(self, condition: Condition, owner: list["LeafWatch | ScopeWatch"] | None) -> ConditionPart:
        """Return the watched form of a condition; what watches is added to its owner's list."""
        match condition:
            case Breakout() | Touch() | Cross() | Retest():
                leaf = LeafWatch(condition, self._bars, self.plan.entry_px)
                self._leaves.append((leaf, None))
                if owner is not None:
                    owner.append(leaf)
                return ConditionPart(condition, watch=leaf)
            case Scope():
                scope = self._scope(condition, nested=owner is not None)
                if owner is not None:
                    owner.append(scope)
                return ConditionPart(condition, watch=scope)
        return ConditionPart(condition, tuple(self._part(part, owner) for part in parts_of(condition)))

    def _scope(self, condition: Scope, nested: bool) -> ScopeWatch:
        inside: list[LeafWatch | ScopeWatch] = []
        first = len(self._leaves)
        body = self._part(condition.part, inside)
        able = arming(condition.part)
        numbers = tuple(k for k, watch in enumerate(inside) if any(_condition(watch) is part for part in able))
        scope = ScopeWatch(condition, body, tuple(inside), numbers, nested)
        own = {id(watch) for watch in inside}
        for k in range(first, len(self._leaves)):
            if id(self._leaves[k][0]) in own:
                self._leaves[k] = self._leaves[k][0], scope
        self._scopes.append(scope)
        return scope


_COMPARE: Final = {
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}  # fmt: skip


def _condition(watch: LeafWatch | ScopeWatch) -> Condition:
    return watch.leaf if isinstance(watch, LeafWatch) else watch.scope


def _known_value(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
