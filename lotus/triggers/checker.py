"""Syntax tree -> checked trigger: operators, parameters, units, levels and what WITHIN may bound, and only here.

Inside a WITHIN the lookback and bar of a level default to those of its first breakout, so that `prev_high` is the high
that was broken. Literature: type checking of a domain-specific language.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from lotus.tape_machine.diagnosis import failure, nearest
from lotus.tape_machine.syntax import Name, Span
from lotus.triggers.arguments import Bound, bound_arguments, duration_ms, refused_range
from lotus.triggers.conditions import (
    All,
    AnyOf,
    Breakout,
    Condition,
    Cross,
    Denied,
    LevelKind,
    Retest,
    Scope,
    Threshold,
    Touch,
    Trigger,
    TriggerLevel,
    arming,
    walked,
)
from lotus.triggers.operators import BY_NAME, LEVELS, LIMIT, LONGEST_LOOKBACK_MS, QUANTITIES
from lotus.triggers.parser import parse
from lotus.triggers.printer import text_of
from lotus.triggers.syntax import And, Compare, Guarded, Not, OperatorCall, Or, Tree, Within
from lotus.triggers.units import converted

_SIGN: Final[dict[str, int]] = {"up": 1, "above": 1, "down": -1, "below": -1, "either": 0}


def read_trigger(text: str, preconditions: Sequence[str] = ()) -> Trigger:
    """Return the checked trigger of a text; raises `ExpressionError` at the place in the text that has no meaning.

    Further `preconditions`, each a text of its own, stand behind those after the text's IF.

    >>> read_trigger("breakout(20, 2.0σ) and retest(prev_high) within 6h", ["spread_bps<5"]).text
    'breakout(20, 2sigma) AND retest(prev_high) WITHIN 6h IF spread_bps < 5'
    """
    whole = parse(text)
    added = [parse(one) for one in preconditions]
    for other, one in zip(added, preconditions, strict=True):
        if other.gates:
            raise failure(Span(one), "an IF inside a precondition", "a comparison", "a precondition has none itself")
    whole = Guarded(whole.part, (*whole.gates, *(other.part for other in added)))
    gates = []
    for gate in whole.gates:
        checked = _Checker().visit(gate)
        if any(not isinstance(part, Threshold | Denied | All | AnyOf) for part in walked(checked)):
            raise failure(
                gate.span, "an operator in a precondition", "comparisons", "a precondition is judged when it fires",
                "spread_bps < 5bps",
            )  # fmt: skip
        gates.append(checked)
    condition = _Checker().visit(whole.part)
    return Trigger(text_of(whole), condition, tuple(gates), tuple(map(text_of, whole.gates)))


@dataclass(slots=True)
class _Checker:
    """One walk over one tree, at most 16 deep; lookback and bar are what levels at the place default to."""

    lookback: int | None = None
    bar_ms: int | None = None
    scoped: bool = False

    def visit(self, tree: Tree) -> Condition:
        """Return the condition of a part of the tree."""
        match tree:
            case OperatorCall():
                return self._call(tree)
            case Compare():
                return _threshold(tree)
            case Not(part):
                return Denied(self.visit(part))
            case And(parts):
                return All(tuple(map(self.visit, parts)))
            case Or(parts):
                return AnyOf(tuple(map(self.visit, parts)))
            case Within():
                return _scope(tree)
        assert_never(tree)

    def _call(self, tree: OperatorCall) -> Condition:
        given = bound_arguments(tree)
        text = text_of(tree)
        if tree.operator == "retest" and not self.scoped:
            raise failure(
                tree.span, "a retest outside of WITHIN", "something that happens before it, and a limit",
                "a retest comes after another happening", f"breakout() AND {text} WITHIN 6h",
            )  # fmt: skip
        if tree.operator == "breakout":
            direction = _SIGN[given.word("side")]
            band, unit = given.band("band")
            kind = LevelKind.PREV_HIGH if direction > 0 else LevelKind.PREV_LOW
            level = TriggerLevel(kind, *_memory(tree, given))
            return Breakout(text, level, band, unit, direction)
        level = self._level(tree, given)
        if tree.operator == "touch":
            return Touch(text, level, given.number("tol"))
        if tree.operator == "cross":
            return Cross(text, level, _SIGN[given.word("side")])
        return Retest(text, level, given.number("tol"), _SIGN[given.word("side")])

    def _level(self, tree: OperatorCall, given: Bound) -> TriggerLevel:
        lookback, bar_ms = _memory(tree, given, self.lookback, self.bar_ms)
        value = given.values["level"].value
        if isinstance(value, Name):
            if value.name not in LEVELS:
                raise failure(
                    value.span, f"unknown level {value.name[:40]!r}", f"{', '.join(LEVELS)}, or a price",
                    suggestion=nearest(value.name, LEVELS),
                )  # fmt: skip
            return TriggerLevel(LevelKind(value.name), lookback, bar_ms)
        if value.unit not in ("", "usd") or value.value <= 0.0:
            raise failure(value.span, "no price", "a price in USD above 0", "levels are prices", "61250usd")
        return TriggerLevel(LevelKind.PRICE, lookback, bar_ms, value.value)


def _memory(
    tree: OperatorCall, given: Bound, lookback: int | None = None, bar_ms: int | None = None
) -> tuple[int, int]:
    """Return lookback and bar as given, else as the place has them, else of the table; their product is bounded."""
    if lookback is None or "lookback" in given.values:
        lookback = int(given.number("lookback"))
    if bar_ms is None or "bar" in given.values:
        bar_ms = int(given.number("bar"))
    if lookback * bar_ms > LONGEST_LOOKBACK_MS:
        raise failure(
            tree.span, f"{lookback} bars of {bar_ms / 60_000:g} min", f"at most {LONGEST_LOOKBACK_MS // 3_600_000} h"
        )
    return lookback, bar_ms


def _threshold(tree: Compare) -> Threshold:
    quantity = QUANTITIES.get(tree.quantity)
    if quantity is None:
        cause = "a level is reached by an operator" if tree.quantity in (*LEVELS, *BY_NAME) else "misspelled"
        hint = f"cross(level={tree.quantity})" if tree.quantity in LEVELS else nearest(tree.quantity, QUANTITIES)
        raise failure(tree.span, f"unknown quantity {tree.quantity[:40]!r}", "a column of frames", cause, hint)
    value = tree.number.value if not tree.number.unit else None
    if value is None and quantity.unit:
        value = converted(tree.number.value, tree.number.unit, quantity.unit)
    if value is None:
        raise failure(
            tree.number.span, f"the unit {tree.number.unit} beside {quantity.name}",
            quantity.unit or "a number without a unit", "they are different quantities",
        )  # fmt: skip
    return Threshold(text_of(tree), quantity.name, tree.op, value)


def _scope(tree: Within) -> Scope:
    limit_ms = duration_ms(tree.limit)
    if limit_ms is None or not LIMIT.low <= limit_ms <= LIMIT.high:
        raise refused_range(LIMIT, tree.limit)
    calls = _breakouts(tree.part)
    inside = _Checker(scoped=True)
    if calls:
        inside.lookback, inside.bar_ms = _memory(calls[0], bound_arguments(calls[0]))
    part = inside.visit(tree.part)
    if not arming(part):
        raise failure(
            tree.part.span, "a WITHIN that nothing arms", "a breakout, touch or cross in it that is not denied",
            "the limit counts from the first of them",
        )  # fmt: skip
    if _holds_at_once(part):
        raise failure(
            tree.span, "a WITHIN around one condition", "a second condition that may come later",
            "the limit counts from the first condition; how long a whole trigger is watched is its valid_until",
            text_of(tree.part),
        )  # fmt: skip
    return Scope(text_of(tree), part, limit_ms)


def _breakouts(tree: Tree) -> list[OperatorCall]:
    """Return the breakouts of a scope in order, without those of scopes inside it."""
    match tree:
        case OperatorCall("breakout"):
            return [tree]
        case Not(part):
            return _breakouts(part)
        case And(parts) | Or(parts):
            return [call for part in parts for call in _breakouts(part)]
    return []


def _holds_at_once(condition: Condition) -> bool:
    """Tell whether a scope's condition holds at the very frame that arms it, whichever part armed it."""
    match condition:
        case Breakout() | Touch() | Cross() | Scope():
            return True
        case AnyOf(parts):
            return all(map(_holds_at_once, parts))
    return False
