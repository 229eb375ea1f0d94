"""WITHIN as an automaton, and the truth of a condition over what happened: idle, armed with a deadline, idle again.

Nothing here says what an event looks like to others or when a trigger is over: that is the watcher's. Literature:
complex event processing, windowed conjunction with a timeout.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import assert_never

from lotus.triggers.conditions import (
    All,
    AnyOf,
    Breakout,
    Condition,
    Cross,
    Denied,
    Retest,
    Scope,
    Threshold,
    Touch,
)
from lotus.triggers.events import Happening, Reading
from lotus.triggers.leaves import LeafWatch, Moment

Judge = Callable[[Threshold], Reading]


@dataclass(slots=True)
class ConditionPart:
    """One node of the watched condition: its own watch if it is an operator or a WITHIN, and its parts."""

    condition: Condition
    parts: tuple["ConditionPart", ...] = ()
    watch: "LeafWatch | ScopeWatch | None" = None


@dataclass(slots=True)
class ScopeWatch:
    """One WITHIN: armed since when, and what has happened since, by the number of the watch inside it."""

    scope: Scope
    body: ConditionPart
    inside: tuple["LeafWatch | ScopeWatch", ...]  # its own, in the order of the text; not those of inner scopes
    arming: tuple[int, ...]  # numbers in `inside`
    nested: bool
    armed_ms: int | None = None
    kept: dict[int, Happening] = field(default_factory=dict)
    now: Happening | None = None

    @property
    def deadline_ms(self) -> int | None:
        """The last frame end that counts."""
        return None if self.armed_ms is None else self.armed_ms + self.scope.limit_ms

    def passed(self, end_ms: int) -> bool:
        """Tell whether it is armed and its limit has passed."""
        return self.deadline_ms is not None and end_ms > self.deadline_ms

    def begins(self) -> bool:
        """Tell whether it is idle and something happened at this frame that arms it."""
        return self.armed_ms is None and any(self.inside[k].now is not None for k in self.arming)

    def arm(self, moment: Moment) -> tuple[tuple[str, float | None], ...]:
        """Count from this frame; return the levels that stand still from now on."""
        self.armed_ms = moment.end_ms
        return tuple(
            (watch.leaf.text, watch.arm(moment))
            for watch in self.inside
            if isinstance(watch, LeafWatch) and not isinstance(watch.leaf, Breakout)
        )

    def remember(self) -> None:
        """Keep what happened at this frame, the first happening of each."""
        for number, watch in enumerate(self.inside):
            if watch.now is not None:
                self.kept.setdefault(number, watch.now)

    def listed(self) -> tuple[Happening, ...]:
        """Return what happened since it armed, in the order of the text."""
        return tuple(self.kept[k] for k in sorted(self.kept))

    def release(self) -> None:
        """Be idle again."""
        self.armed_ms = None
        self.kept.clear()
        for watch in self.inside:
            if isinstance(watch, LeafWatch):
                watch.release()

    def holds(self, judge: Judge) -> bool:
        """Tell whether its condition holds over what happened since it armed."""
        kept = {id(watch) for number, watch in enumerate(self.inside) if number in self.kept}
        return holds(self.body, judge, lambda watch: id(watch) in kept)


def holds(part: ConditionPart, judge: Judge, happened: Callable[[LeafWatch | ScopeWatch], bool]) -> bool:
    """Tell whether a condition holds: operators by what `happened`, comparisons by what they are now."""
    condition = part.condition
    match condition:
        case Threshold():
            return judge(condition).holds
        case Denied():
            return not holds(part.parts[0], judge, happened)
        case All():
            return all(holds(inner, judge, happened) for inner in part.parts)
        case AnyOf():
            return any(holds(inner, judge, happened) for inner in part.parts)
        case Breakout() | Touch() | Cross() | Retest() | Scope():
            assert part.watch is not None
            return happened(part.watch)
    assert_never(condition)
