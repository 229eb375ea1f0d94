"""`triggers:` of a detector's file: under which conditions its views propose an entry, one text for each side.

A trigger shapes no signal: scores, draws and payoffs of the detector are those of its windows, and its identity is the
same with and without. A text is checked when the file is read and travels in its canonical form. How it is watched is
`lotus.triggers`; who waits for it is the trader.
"""

from collections.abc import Mapping
from typing import Final

from lotus.errors import ExpressionError
from lotus.experts.source import SpecSource
from lotus.triggers.checker import read_trigger
from lotus.triggers.conditions import LevelKind, Threshold, Trigger, leaves_of, walked
from lotus.triggers.operators import FACTS

SIDES: Final = {"long": 1, "short": -1}
MAX_TEXT: Final = 400  # characters of a canonical text, as the contract of the signal has it
Triggers = tuple[tuple[int, str], ...]  # (side, canonical text)


def read_triggers(source: SpecSource | None) -> Triggers:
    """Return the triggers of a file by side; raises `ConfigError` at the place that is wrong."""
    parts = source.keyed((), tuple(SIDES)) if source else {}
    return tuple((SIDES[name], _text(part)) for name, part in parts.items())


def suggested(triggers: Triggers, signal: float) -> tuple[str, ...]:
    """Return the texts for the side of a signal."""
    return tuple(text for side, text in triggers if side * signal > 0.0)


def _text(part: SpecSource) -> str:
    try:
        trigger = read_trigger(part.scalar)
    except ExpressionError as error:
        raise part.expression_error(error) from None
    lacking = _lacking(trigger)
    if lacking:
        raise part.error(f"{lacking} in a trigger of a detector", "levels and columns of the frames", "no plan yet")
    if len(trigger.text) > MAX_TEXT:
        raise part.error(f"a trigger of {len(trigger.text)} characters", f"at most {MAX_TEXT}")
    return trigger.text


def _lacking(trigger: Trigger) -> str:
    """Return what a trigger names and a plan of the book does not give it, "" for nothing."""
    if any(leaf.level.kind is LevelKind.ENTRY for leaf in leaves_of(trigger.condition)):
        return "the level entry"
    compared = [p for root in (trigger.condition, *trigger.preconditions) for p in walked(root)]
    facts: Mapping[str, object] = FACTS
    return next((p.quantity for p in compared if isinstance(p, Threshold) and p.quantity in facts), "")
