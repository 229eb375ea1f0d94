"""The program of the shipped experts under other weights, votes, votes needed and nets: its nodes, other numbers.

Nothing is parsed, no graph is built and nothing is compiled, so a set that learning made costs no pause when its day
is born. `compiler` explains the parameters and gives the same program the long way.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lotus.errors import ConfigError
from lotus.experts.fusion import ExpertSet
from lotus.experts.model import Weights, net_params, shipped_net, weights_hash
from lotus.hashing import natural_id
from lotus.tape_machine.checker import LIMIT_MS
from lotus.tape_machine.ops import table as t
from lotus.tape_machine.program import Program, StateSlot, nodes_of

Floats = NDArray[np.float64]
Node = NDArray[np.uint32]  # words of a program's code


def is_tuned(experts: ExpertSet, shipped: ExpertSet) -> bool:
    """Return whether a set differs from the shipped one in nothing but parameters."""
    return experts.experts is shipped.experts


def tuned(program: Program, experts: ExpertSet, cadence_ms: int) -> Program:
    """Return the shipped `program` with the weights, votes, votes needed and nets of a set for which `is_tuned` holds.

    Raises `ConfigError` for a net of another shape than the shipped one.
    """
    params = program.params.copy()
    program = _needing(program, experts.fusion.votes_needed)
    llr, votes, _ = _dots(program)
    _put(params, llr, experts.weights)
    _put(params, votes, experts.votes)
    slots = dict(program.slots)
    for name, layers in experts.nets.items():
        node = _node_of_net(program, shipped_net(experts.of(name)), cadence_ms)
        _put(params, node, _packed(layers, node, cadence_ms))
        slots = {_key(key, slot, node, layers): slot for key, slot in slots.items()}
    return replace(program, params=params, slots=slots, version=natural_id("tuned", program.version, experts.version))


def _needing(program: Program, votes_needed: float) -> Program:
    """Return the program that compares with another number of votes, in a register of its own; itself for its own."""
    register = int(_dots(program)[2][2])
    if (register, votes_needed) in program.constants:
        return program
    other = replace(
        program,
        code=program.code.copy(),
        constants=(*program.constants, (program.n_registers, votes_needed)),
        n_registers=program.n_registers + 1,
    )
    _dots(other)[2][2] = program.n_registers
    return other


def _dots(program: Program) -> tuple[Node, Node, Node]:
    """Return the nodes that sum to micro_llr and to the votes, and the one that compares votes with those needed."""
    llr, confirm = (int(program.outputs[program.names.index(name)]) for name in ("micro_llr", "mx_confirm"))
    holds: dict[int, Node] = {}
    votes, compared = None, None
    for op, words in nodes_of(program.code):
        if op == t.GE and int(words[t.OUT]) == confirm:
            votes, compared = holds[int(words[1])], words
        holds[int(words[t.OUT])] = words
    if votes is None or compared is None:
        raise ConfigError("no comparison of votes", "mx_confirm = votes >= votes needed", "another program")
    return holds[llr], votes, compared


def _put(params: Floats, node: Node, values: tuple[float, ...]) -> None:
    first, many = int(node[t.FIRST_PARAM]), int(node[t.N_PARAMS])
    if len(values) != many:
        raise ConfigError(f"{len(values)} parameters", f"{many}, as the shipped ones", "weights of another shape")
    params[first : first + many] = values


def _node_of_net(program: Program, layers: Weights, cadence_ms: int) -> Node:
    """Return the node that runs a net with these weights."""
    for node in (words for op, words in nodes_of(program.code) if op == t.CONV1D):
        first = int(node[t.FIRST_PARAM])
        if program.params[first : first + int(node[t.N_PARAMS])].tolist() == list(_packed(layers, node, cadence_ms)):
            return node
    raise ConfigError("no node with the shipped weights", "one convolution for every net", "another program")


def _packed(layers: Weights, node: Node, cadence_ms: int) -> tuple[float, ...]:
    return t.compiled_op("conv1d", int(node[t.N_ARGS]), net_params(layers), LIMIT_MS // cadence_ms).params


def _key(key: str, slot: StateSlot, node: Node, layers: Weights) -> str:
    """Return the key of a state: another net's memory is not this one's."""
    is_own = slot.floats > 0 and slot.first_float == int(node[t.FIRST_FLOAT])
    return natural_id(key, weights_hash(layers)) if is_own else key
