"""The arguments of one call put to the parameters of its operator, each with its kind, unit and range checked.

What a level means and which operators may stand where is the checker's. No condition is made here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lotus.errors import ExpressionError
from lotus.tape_machine.diagnosis import failure, nearest
from lotus.tape_machine.printer import number_text
from lotus.tape_machine.syntax import Name, Number
from lotus.triggers.operators import BY_NAME, QUANTITIES, Kind, OperatorParameter, TriggerOperator
from lotus.triggers.printer import value_text
from lotus.triggers.syntax import Argument, OperatorCall
from lotus.triggers.units import converted


@dataclass(frozen=True, slots=True)
class Bound:
    """The arguments of a call by parameter; those that were left out have their default."""

    operator: TriggerOperator
    values: Mapping[str, Argument]

    def number(self, name: str) -> float:
        """Return a COUNT as it is, a SHARE in bps, a DURATION in ms."""
        parameter = self._parameter(name)
        if name not in self.values:
            value, unit = _default(parameter)
            return value if parameter.kind is Kind.COUNT else _in_unit(Number(value, unit), parameter)
        given = self.values[name].value
        assert isinstance(given, Number)  # checked by `bound_arguments`
        return _in_unit(given, parameter)

    def band(self, name: str) -> tuple[float, str]:
        """Return a BAND and its unit, sigma or bps."""
        given = self.values[name].value if name in self.values else Number(*_default(self._parameter(name)))
        assert isinstance(given, Number)
        if given.unit == "sigma":
            return given.value, "sigma"
        return converted(given.value, given.unit or "bps", "bps") or 0.0, "bps"

    def word(self, name: str) -> str:
        """Return a CHOICE."""
        return value_text(self.values[name].value) if name in self.values else self._parameter(name).default

    def _parameter(self, name: str) -> OperatorParameter:
        return next(p for p in self.operator.parameters if p.name == name)


def bound_arguments(tree: OperatorCall) -> Bound:
    """Return the arguments of a call by parameter; raises `ExpressionError` for one that has no meaning."""
    operator = BY_NAME.get(tree.operator)
    if operator is None:
        raise _unknown_operator(tree)
    places = {p.name: p for p in operator.parameters}
    bound: dict[str, Argument] = {}
    for index, argument in enumerate(tree.arguments):
        name = argument.name or _placed(tree, operator, index)
        if name not in places:
            raise failure(
                argument.span, f"{operator.name} has no parameter {name[:40]!r}", ", ".join(places),
                suggestion=nearest(name, places),
            )  # fmt: skip
        if name in bound:
            raise failure(argument.span, f"the parameter {name!r} twice", "one value for a parameter")
        _check(places[name], argument)
        bound[name] = argument
    if "level" in places and "level" not in bound:
        raise failure(tree.span, f"{operator.name} without a level", operator.example)
    return Bound(operator, bound)


def duration_ms(number: Number) -> int | None:
    """Return a duration in whole milliseconds; None for another unit or a part of a millisecond."""
    value = converted(number.value, number.unit, "ms") if number.unit else None
    return int(value) if value is not None and value == int(value) else None


def range_of(parameter: OperatorParameter) -> str:
    """Return the range of a parameter as text: words, or numbers with their unit."""
    low, high = number_text(parameter.low), number_text(parameter.high)
    match parameter.kind:
        case Kind.LEVEL:
            return ""
        case Kind.CHOICE:
            return ", ".join(parameter.choices)
        case Kind.DURATION:
            return f"{number_text(parameter.low / 1e3)}s to {number_text(parameter.high / 3.6e6)}h"
        case Kind.BAND:
            return f"{low} to {high}sigma or {number_text(parameter.high_bps)}bps"
        case Kind.SHARE:
            return f"{low} to {high}bps"
        case Kind.COUNT:
            return f"{low} to {high}"


def refused_range(parameter: OperatorParameter, number: Number) -> ExpressionError:
    """Return the error of a number that is not of the parameter's kind or range."""
    cause = "a unit is missing" if not number.unit and parameter.kind is not Kind.COUNT else ""
    wanted = f"{parameter.kind.value}, {range_of(parameter)}"
    return failure(number.span, f"{parameter.name} = {value_text(number)[:40]}", wanted, cause)


def _placed(tree: OperatorCall, operator: TriggerOperator, index: int) -> str:
    argument = tree.arguments[index]
    if any(before.name for before in tree.arguments[:index]):
        raise failure(argument.span, "an argument without a name after one with a name", "name=value")
    if index >= len(operator.parameters):
        raise failure(argument.span, f"{len(tree.arguments)} arguments", f"at most {len(operator.parameters)}")
    return operator.parameters[index].name


def _check(parameter: OperatorParameter, argument: Argument) -> None:
    value = argument.value
    match parameter.kind, value:
        case Kind.LEVEL, _:
            return
        case Kind.CHOICE, Name(word) if word in parameter.choices:
            return
        case Kind.CHOICE, _:
            word = value_text(value)[:40]
            wanted = ", ".join(parameter.choices)
            raise failure(value.span, f"{parameter.name} = {word}", wanted, suggestion=nearest(word, parameter.choices))
        case _, Name(word):
            raise failure(value.span, f"the word {word[:40]!r} for {parameter.name}", parameter.kind.value)
        case _, Number():
            _check_number(parameter, value)


def _check_number(parameter: OperatorParameter, number: Number) -> None:
    value, high = number.value, parameter.high
    match parameter.kind:
        case Kind.COUNT:
            good = not number.unit and value == int(value)
        case Kind.DURATION:
            whole = duration_ms(number)
            good, value = whole is not None, float(whole or 0)
        case Kind.BAND if number.unit == "sigma":
            good = True
        case _:
            share = converted(value, number.unit or ("bps" if value == 0.0 else ""), "bps")
            good, value = share is not None, share or 0.0
            high = parameter.high_bps or high
    if not (good and parameter.low <= value <= high):
        raise refused_range(parameter, number)


def _in_unit(number: Number, parameter: OperatorParameter) -> float:
    return converted(number.value, number.unit or parameter.unit, parameter.unit) or 0.0


def _default(parameter: OperatorParameter) -> tuple[float, str]:
    digits = parameter.default.rstrip("%abcdefghijklmnopqrstuvwxyz")
    return float(digits), parameter.default[len(digits) :]


def _unknown_operator(tree: OperatorCall) -> ExpressionError:
    name = tree.operator
    if name in QUANTITIES:
        return failure(tree.span, f"the quantity {name!r} as an operator", "a comparison", suggestion=f"{name} < 5")
    return failure(tree.span, f"unknown operator {name[:40]!r}", ", ".join(BY_NAME), suggestion=nearest(name, BY_NAME))
