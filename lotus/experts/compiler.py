"""Specs -> one program of the tape machine: every expert's z and f, and their fusion, with shared sub-expressions.

A grammar's z = sign(direction) * clip(strength, 0, 1) * llr[state], 0 in the quiet state; every z is null where a
name in `needs` is null, and then f is false. No predicate sees the machine's own state: only direction, strength and
f may use `in_<state>` and `age`; f may also use `z`. The fusion: micro_llr = sum of w z (nulls skipped), evidence =
logistic(micro_llr), confirm = [sum of a f >= m], fired = sum of 2^k f. Nothing is computed on values here.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial, reduce

from lotus.errors import ConfigError, ExpressionError
from lotus.experts.fusion import IDLE, ExpertSet, default_experts
from lotus.experts.grammar import Grammar, seconds
from lotus.experts.idle import without_idle
from lotus.experts.model import Weights, model_node, operands_of
from lotus.experts.source import SpecSource
from lotus.experts.spec import ExpertSpec, LabelRule
from lotus.experts.weekly.tuning import is_tuned, tuned
from lotus.memoised import memoised
from lotus.tape_machine.checker import LIMIT_MS, check, quantity
from lotus.tape_machine.environment import Environment, Quantity, frame_columns
from lotus.tape_machine.node import Node
from lotus.tape_machine.parser import parse
from lotus.tape_machine.program import Program, compile_program

FUSED = ("micro_llr", "mx_evidence", "mx_confirm", "fired")  # the first outputs; then z of every expert


@dataclass(frozen=True, slots=True)
class CompiledExpert:
    """The two expressions of an expert and the rule of its label."""

    z: Node
    fires: Node
    label: LabelRule


def compile_expert(spec: ExpertSpec, cadence_ms: int, net: Weights | None = None) -> CompiledExpert:
    """Return the nodes of one expert, `net` in place of its packaged weights.

    Raises `ConfigError` with file, key, line and column of what has no meaning.
    """
    there = _named(spec, cadence_ms)
    params = there.parameters
    if spec.model is not None:
        score = model_node(spec.model, partial(_node, there=there, kind="number", unit="1"), cadence_ms, net)
        there = _environment(cadence_ms, params, {**there.names, "score": score}, {"score": spec.model})
    if not spec.needs:
        raise spec.fires.error("an expert that needs nothing", "names in `needs`", "it would speak without a market")
    needs = reduce(_and, [_flag("known", _node(part, there, "number")) for part in spec.needs])
    if spec.grammar is None:
        z_node = _node(spec.signed["z"], there, "number", "1")
    else:
        machine = _machine(spec.grammar, needs, there, cadence_ms)
        there = replace(there, names={**there.names, **_seen(spec.grammar, machine)})
        z_node = _signed(spec, spec.grammar, machine, there)
    z = _number("where", needs, z_node, _const(math.nan))
    there = _environment(cadence_ms, params, {**there.names, "z": z}, {"z": spec.fires})
    fires = _and(_node(spec.fires, there, "flag"), _flag("known", z))
    return CompiledExpert(z, fires, _label(spec))


def compile_operands(spec: ExpertSpec, cadence_ms: int) -> Program:
    """Return the program of what a spec's model reads: outputs 0, 1, ... are its operands, of which it is trained.

    Raises `ConfigError` for a spec without a model and as `compile_expert`; weights are not read.
    """
    if spec.model is None:
        raise spec.fires.error("an expert without a model", "a spec with `model`")
    there = _named(spec, cadence_ms)
    nodes = [_node(part, there, "number", "1") for part in operands_of(spec.model)]
    return compile_program({str(k): node for k, node in enumerate(nodes)}, LIMIT_MS // cadence_ms)


@lru_cache(maxsize=8)
def compile_experts(experts: ExpertSet, cadence_ms: int) -> Program:
    """Return the program of a set: outputs `FUSED`, then z in the order of the set; raises `ConfigError`.

    That of the shipped set is memoised on disk, and gives those of sets that differ from it in parameters only.
    """
    if experts.idle:
        voices = {n: replace(v, status="off") if v.status == IDLE else v for n, v in experts.fusion.voices.items()}
        speaking = replace(experts, fusion=replace(experts.fusion, voices=voices))
        return without_idle(compile_experts(speaking, cadence_ms), experts.names, experts.idle)
    shipped = default_experts()
    if experts is shipped:
        key = (experts.version, cadence_ms)
        return memoised(Program, "experts", "program", key, lambda: compile_anew(experts, cadence_ms))
    if is_tuned(experts, shipped):
        return tuned(compile_experts(shipped, cadence_ms), experts, cadence_ms)
    return compile_anew(experts, cadence_ms)


def compile_anew(experts: ExpertSet, cadence_ms: int) -> Program:
    """Return the same from the specs, whatever set it is (about two seconds for thirty experts)."""
    made = [compile_expert(spec, cadence_ms, experts.nets.get(spec.expert_id)) for spec in experts.experts]
    llr = _dot([e.z for e in made], experts.weights)
    votes = _dot([e.fires for e in made], experts.votes)
    outputs = {
        "micro_llr": llr,
        "mx_evidence": _number("logistic", llr),
        "mx_confirm": _flag("ge", votes, _const(experts.fusion.votes_needed)),
        "fired": _dot([e.fires for e in made], [2.0**k for k in range(len(made))]),
    }
    outputs |= {f"z_{spec.expert_id}": e.z for spec, e in zip(experts.experts, made, strict=True)}
    return compile_program(outputs, LIMIT_MS // cadence_ms)


def label_rules(experts: ExpertSet) -> tuple[LabelRule, ...]:
    """Return the label rule of every expert in order; raises `ConfigError` at the place of a bad one."""
    return tuple(_label(spec) for spec in experts.experts)


def _named(spec: ExpertSpec, cadence_ms: int) -> Environment:
    """Return the environment of a spec's parameters and names."""
    params = {name: _quantity(part) for name, part in spec.params.items()}
    there = _environment(cadence_ms, params, {}, spec.params)
    for name, part in spec.names.items():
        node = _node(part, there)
        there = _environment(cadence_ms, params, {**there.names, name: node}, {name: part})
    return there


def _machine(grammar: Grammar, needs: Node, there: Environment, cadence_ms: int) -> Node:
    symbols = [_node(part, there, "flag") for part in grammar.symbols.values()]
    return Node("fsm", (_flag("not", needs), *symbols), grammar.params(cadence_ms), "number", "1")


def _seen(grammar: Grammar, machine: Node) -> dict[str, Node]:
    """Return what an expert may know of its machine: whether it is in a state, and the rows since it entered it."""
    inputs = {f"in_{name}": _flag("eq", machine, _const(float(k))) for k, name in enumerate(grammar.states)}
    return {**inputs, "age": Node("fsm_age", (machine,), (), "number", "step")}


def _signed(spec: ExpertSpec, grammar: Grammar, machine: Node, there: Environment) -> Node:
    direction = _node(spec.signed["direction"], there, "number", "1")
    strength = _node(spec.signed["strength"], there, "number", "1")
    full = _number("mul", _number("sign", direction), _number("clip", strength, _const(0.0), _const(1.0)))
    weight = _const(0.0)
    for state in sorted(grammar.llr):
        weight = _number("where", there.names[f"in_{grammar.states[state]}"], _const(grammar.llr[state]), weight)
    return _number("where", there.names[f"in_{grammar.states[0]}"], _const(0.0), _number("mul", full, weight))


def _label(spec: ExpertSpec) -> LabelRule:
    labels = {}
    for name in ("gain", "give"):
        value = _quantity(spec.label[name])
        if value.unit != "bps" or not value.value > 0.0:
            raise spec.label[name].error(f"{value.value:g} {value.unit}", "a move above 0 such as 4bps")
        labels[name] = value.value
    return LabelRule(seconds(spec.label["horizon"], LIMIT_MS / 1_000.0), labels["gain"], labels["give"])


def _environment(
    cadence_ms: int,
    params: Mapping[str, Quantity],
    names: Mapping[str, Node],
    new: Mapping[str, SpecSource],
) -> Environment:
    try:
        return Environment(frame_columns(), cadence_ms, params, names)
    except ConfigError as error:
        last = next(reversed(list(new.values())), None)
        if last is None:
            raise
        raise last.error(error.found, error.expected, error.cause) from None


def _quantity(part: SpecSource) -> Quantity:
    try:
        return quantity(part.scalar)
    except ExpressionError as error:
        raise part.expression_error(error) from None


def _node(part: SpecSource, there: Environment, kind: str = "", unit: str = "") -> Node:
    """Return the node of one expression of a spec, of this kind and unit where they are given."""
    try:
        node = check(parse(part.scalar), there)
    except ExpressionError as error:
        raise part.expression_error(error) from None
    if kind and node.kind != kind:
        raise part.error(f"a {node.kind}", f"a {kind}")
    if unit and node.unit != unit:
        raise part.error(f"a number in {node.unit}", "a number without a unit")
    return node


def _const(value: float) -> Node:
    return Node("const", (), (value,), "number", "1")


def _flag(op: str, *args: Node) -> Node:
    return Node(op, args, (), "flag", "1")


def _number(op: str, *args: Node) -> Node:
    return Node(op, args, (), "number", "1")


def _and(left: Node, right: Node) -> Node:
    return _flag("and", left, right)


def _dot(args: list[Node], weights: "list[float] | tuple[float, ...]") -> Node:
    return Node("dot", tuple(args), tuple(weights), "number", "1")
