"""Syntax tree + environment -> typed node: names, kinds, units, windows and memory are checked here, and only here.

Rules: numbers of one sum, comparison or call share one unit; a written 0 fits every unit; a constant follows the time
unit of what it meets (`since(f) < 30s`); a flag is never a number. A second argument of `min` or `max` that is a
constant duration makes it rolling. No operation may remember more than 2 h. Literature: type inference, units of
measure.
"""

import math
from collections.abc import Sequence
from typing import Final, assert_never

from lotus.errors import ConfigError, ExpressionError
from lotus.tape_machine.complexity import measure, tree_size
from lotus.tape_machine.diagnosis import SYNONYMS, failure, nearest
from lotus.tape_machine.environment import Environment, Quantity
from lotus.tape_machine.lowering import Builder
from lotus.tape_machine.node import Node
from lotus.tape_machine.parser import parse
from lotus.tape_machine.printer import text_of
from lotus.tape_machine.syntax import Binary, Call, Name, Number, Tree, Unary
from lotus.tape_machine.transforms import BINARY_OPS, FORMS, ArgumentKind, Transform, Unit
from lotus.tape_machine.units import (
    SPELLINGS,
    is_duration,
    product,
    quotient,
    root,
    scaled,
    spell,
    time_ratio,
    unit_of_spelling,
)  # fmt: skip

LIMIT_MS: Final[int] = 7_200_000  # no operation remembers more
MAX_GRAPH_DEPTH: Final[int] = 64
MAX_GRAPH_NODES: Final[int] = 512
MAX_WALK: Final[int] = 65_536  # nodes when nothing is shared: bounds everybody who compares or hashes a node
_DURATIONS: Final = (ArgumentKind.WINDOW, ArgumentKind.DELAY, ArgumentKind.HALF_LIFE)
_COMPARISONS: Final = frozenset({"lt", "le", "gt", "ge", "eq", "ne"})
Operand = tuple[Tree, Node]


def check(tree: Tree, environment: Environment) -> Node:
    """Return the typed node of an expression; raises `ExpressionError` at the place that has no meaning.

    >>> from lotus.tape_machine.environment import InputColumn
    >>> check(parse("2 * x > 3bps"), Environment({"x": InputColumn(0, "bps")}, step_ms=200)).op
    'gt'
    """
    node = _Checker(environment).visit(tree)
    depth, nodes = measure(node)
    if depth > MAX_GRAPH_DEPTH or nodes > MAX_GRAPH_NODES or tree_size(node) > MAX_WALK:
        raise failure(
            tree.span, f"a graph of {nodes} nodes, {depth} deep", f"at most {MAX_GRAPH_NODES} and {MAX_GRAPH_DEPTH}",
            "rsi, macd and named sub-expressions count with all they hold",
        )  # fmt: skip
    return node


def quantity(text: str) -> Quantity:
    """Return the value of a text without names, such as a spec's parameter; raises `ExpressionError`.

    >>> quantity("-0.15%")
    Quantity(value=-15.0, unit='bps')
    """
    tree = parse(text)
    node = check(tree, Environment({}, 1))
    if node.op != "const":
        raise failure(tree.span, "a value that is no constant", "a number, its unit and arithmetic")
    return Quantity(node.params[0], node.unit)


class _Checker:
    """One walk over one tree, at most 24 deep."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._make = Builder(environment.step_ms)
        self._done: dict[int, Node] = {}  # by identity of the tree: no part is walked twice

    def visit(self, tree: Tree) -> Node:
        """Return the node of a part of the tree; errors of units without a place are put at it."""
        if id(tree) in self._done:
            return self._done[id(tree)]
        try:
            node = self._visited(tree)
        except ExpressionError:
            raise
        except ConfigError as error:
            raise failure(tree.span, error.found, error.expected, error.cause) from None
        if node.op == "const" and not math.isfinite(node.params[0]):
            raise failure(tree.span, "a constant without a finite value", cause="a division by 0 or an overflow")
        self._done[id(tree)] = node
        return node

    def _visited(self, tree: Tree) -> Node:
        match tree:
            case Number(value, unit):
                return self._make.const(scaled(value, unit), unit_of_spelling(unit))
            case Name():
                return self._name(tree)
            case Unary("not", operand):
                return self._make.flag("not", (self._flag(operand),))
            case Unary(_, operand):
                node = self._number(operand)
                return self._make.number("neg", (node,), node.unit)
            case Binary():
                return self._binary(tree)
            case Call():
                return self._call(tree)
        assert_never(tree)

    def _name(self, tree: Name) -> Node:
        name, there = tree.name, self._environment
        if name in there.columns:
            column = there.columns[name]
            return self._make.node("column", (), (float(column.index),), column.kind, column.unit)
        if name in there.parameters:
            return self._make.const(there.parameters[name].value, there.parameters[name].unit)
        if name in there.names:
            return there.names[name]
        if name in FORMS:
            raise failure(tree.span, f"the function {name!r} without arguments", FORMS[name][0].signature)
        if name in SPELLINGS:
            expected = "a number with its unit written to it, without a space"
            raise failure(tree.span, f"the unit {name!r} alone", expected, suggestion=f"1{spell(name)}")
        raise failure(
            tree.span, f"unknown name {name[:40]!r}", "a column, a parameter or a named sub-expression",
            "misspelled, or not in this environment", nearest(name, there.known),
        )  # fmt: skip

    def _flag(self, tree: Tree) -> Node:
        node = self.visit(tree)
        if node.kind != "flag":
            hint = f"{_brief(tree)} > 0" if node.op != "const" else ""
            raise failure(tree.span, f"a number ({_shown(node.unit)})", "a flag", "flags come from comparisons", hint)
        return node

    def _number(self, tree: Tree) -> Node:
        node = self.visit(tree)
        if node.kind != "number":
            raise failure(
                tree.span, "a flag", "a number", "a flag does not count as 0 or 1", f"where({_brief(tree)}, 1, 0)"
            )
        return node

    def _binary(self, tree: Binary) -> Node:
        op = BINARY_OPS[tree.op]
        if op in ("and", "or"):
            return self._make.flag(op, (self._flag(tree.left), self._flag(tree.right)))
        left, right = self._number(tree.left), self._number(tree.right)
        if op == "mul":
            return self._make.number(op, (left, right), product(left.unit, right.unit))
        if op == "div":
            return self._make.number(op, (left, right), quotient(left.unit, right.unit))
        operands = self._alike([(tree.left, left), (tree.right, right)])
        if op in _COMPARISONS:
            return self._make.flag(op, operands)
        return self._make.number(op, operands, operands[0].unit)

    def _alike(self, operands: Sequence[Operand]) -> tuple[Node, ...]:
        """Return the operands in one unit: that of the first which is no constant, else of the first but a bare 0."""
        streams = [o for o in operands if o[1].op != "const"]
        leader = next(iter(streams or [o for o in operands if not _bare_zero(o[0])]), operands[0])
        return tuple(self._in_unit(tree, node, leader) for tree, node in operands)

    def _in_unit(self, tree: Tree, node: Node, leader: Operand) -> Node:
        unit = leader[1].unit
        if node.unit == unit:
            return node
        if _bare_zero(tree):
            return self._make.const(0.0, unit)
        factor = time_ratio(node.unit, unit, self._environment.step_ms)
        if factor is None or node.op != "const":
            raise _mismatch(tree, node, leader, factor is not None)
        value = node.params[0] * factor
        if not math.isfinite(value):
            raise failure(tree.span, f"a constant beyond every {unit}")
        return self._make.const(value, unit)

    def _call(self, tree: Call) -> Node:
        forms = FORMS.get(tree.name)
        if forms is None:
            similar = nearest(tree.name, FORMS)
            hint = SYNONYMS.get(tree.name.lower()) or (FORMS[similar][-1].signature if similar else "")
            place = tree.name[:40]
            raise failure(tree.span, f"unknown function {place!r}", ", ".join(FORMS), suggestion=hint)
        form = self._form(tree, forms)
        if len(tree.arguments) != len(form.arguments):
            expected = " or ".join(f.signature for f in forms)
            raise failure(tree.span, f"{len(tree.arguments)} argument(s) of {tree.name}", expected)
        return self._transform(tree, form)

    def _form(self, tree: Call, forms: tuple[Transform, ...]) -> Transform:
        if len(forms) == 1 or len(tree.arguments) != 2:
            return forms[0]
        span = self.visit(tree.arguments[1])
        rolling = span.op == "const" and is_duration(span.unit)
        return next(f for f in forms if (f.arguments[1][1] is ArgumentKind.WINDOW) is rolling)

    def _transform(self, tree: Call, form: Transform) -> Node:
        kinds = [kind for _, kind in form.arguments]
        numbers = [(a, self._number(a)) for a, k in zip(tree.arguments, kinds, strict=True) if k is ArgumentKind.NUMBER]
        alike = list(self._alike(numbers)) if numbers else []
        unit = alike[0].unit if alike else "1"
        if form.unit is Unit.PURE and unit != "1":
            hint = f"{form.name}({_brief(tree.arguments[0])} / 1{_spelled(unit)})" if _spelled(unit) else ""
            raise failure(
                tree.span, f"{form.name} of {unit}", "a number without a unit", "it depends on the scale", hint
            )
        args: list[Node] = []
        params: list[float] = []
        for argument, (name, kind) in zip(tree.arguments, form.arguments, strict=True):
            if kind is ArgumentKind.NUMBER:
                args.append(alike[len([a for a in args if a.kind == "number"])])
            elif kind is ArgumentKind.FLAG:
                args.append(self._flag(argument))
            elif kind in _DURATIONS:
                params.append(self._steps(argument, name, kind))
            else:
                params.append(self._constant(argument, name, kind, (tree.arguments[0], alike[0])))
        if form.name.startswith("macd") and params[0] >= params[1]:
            raise failure(tree.arguments[1].span, "slow is not slower than fast", "fast < slow")
        return self._result(form, tuple(args), tuple(params), unit)

    def _result(self, form: Transform, args: tuple[Node, ...], params: tuple[float, ...], unit: str) -> Node:
        match form.unit:
            case Unit.FLAG:
                return self._make.flag(form.op, args, params)
            case Unit.ONE | Unit.PURE:
                unit = "1"
            case Unit.SIGMA:
                unit = "sigma"
            case Unit.STEP:
                unit = "step"
            case Unit.ROOT:
                unit = root(unit)
            case Unit.PER_MINUTE:
                unit = quotient(unit, "min")
            case Unit.SAME:
                pass
            case _:
                assert_never(form.unit)
        if form.op in ("", "slope"):
            return self._make.composite(form.name, args[0], params, unit)
        if form.op == "lag" and params[0] == 0.0:
            return args[0]
        return self._make.number(form.op, args, unit, params)

    def _steps(self, tree: Tree, name: str, kind: ArgumentKind) -> float:
        node, step_ms = self.visit(tree), self._environment.step_ms
        if node.op != "const" or node.kind != "number":
            raise failure(tree.span, f"{name} changes from row to row", kind.value, "a window has one length")
        if _bare_zero(tree) and kind is ArgumentKind.DELAY:
            return 0.0
        ratio = time_ratio(node.unit, "ms", step_ms) if is_duration(node.unit) else None
        if ratio is None:
            cause = "a duration needs its unit" if node.unit == "1" else f"{node.unit} is no time"
            hint = f"{_brief(tree)}s or {_brief(tree)}m" if isinstance(tree, Number) and node.unit == "1" else "20m"
            raise failure(tree.span, f"{name} = {_brief(tree)}", kind.value, cause, hint)
        span_ms, found = node.params[0] * ratio, f"{name} = {_brief(tree)}"
        if span_ms < 0.0:
            raise failure(tree.span, found, kind.value, "a negative one would look ahead", "lag(x, 1s)")
        longest = LIMIT_MS / 5 if kind is ArgumentKind.HALF_LIFE else LIMIT_MS
        if not span_ms <= longest:
            hint = f"{longest / 60_000:g}m or less"
            raise failure(tree.span, found, kind.value, "nothing remembers more than 2 h", hint)
        steps = math.floor(span_ms / step_ms + 0.5)
        if steps < 1 and kind is not ArgumentKind.DELAY:
            raise failure(tree.span, found, kind.value, f"one step is {step_ms} ms", f"{step_ms}ms")
        return span_ms / step_ms if kind is ArgumentKind.HALF_LIFE else float(steps)

    def _constant(self, tree: Tree, name: str, kind: ArgumentKind, leader: Operand) -> float:
        node = self._number(tree)
        if node.op != "const":
            raise failure(tree.span, f"{name} changes from row to row", kind.value)
        if kind is ArgumentKind.TOLERANCE:
            node = self._in_unit(tree, node, leader)
        elif node.unit != "1":
            raise failure(tree.span, f"{name} in {node.unit}", kind.value)
        value = node.params[0]
        if value < 0.0 or (kind is ArgumentKind.SHARE and value > 1.0):
            raise failure(tree.span, f"{name} = {value:g}", kind.value)
        return value


def _mismatch(tree: Tree, node: Node, leader: Operand, only_time: bool) -> ExpressionError:
    """Return the error of two units that do not fit; `only_time`: but for ms, s, min, h or step they would."""
    unit = leader[1].unit
    found = f"{_brief(tree)} ({_shown(node.unit)}) beside {_brief(leader[0])} ({_shown(unit)})"
    if only_time:
        hint = "multiply by a constant worth one, such as 1s / 1000ms"
        return failure(tree.span, found, "equal units", "only constants are converted in time", hint)
    hint = f"{_brief(tree)}{_spelled(unit)}" if isinstance(tree, Number) and node.unit == "1" else ""
    cause = "a unit is missing or too much" if "1" in (unit, node.unit) else "they are different quantities"
    return failure(tree.span, found, "equal units", cause, hint)


def _bare_zero(tree: Tree) -> bool:
    return isinstance(tree, Number) and tree.value == 0.0 and tree.unit == ""


def _brief(tree: Tree) -> str:
    text = text_of(tree)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _shown(unit: str) -> str:
    return "no unit" if unit == "1" else unit


def _spelled(unit: str) -> str:
    """Return how a literal writes a canonical unit, "" when none does."""
    try:
        spelling = spell(unit.removeprefix("1"))
    except KeyError:
        return ""
    return spelling if unit_of_spelling(spelling) == unit else ""
