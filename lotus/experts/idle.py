"""The program of a set of experts without its idle ones: z null, their pattern never stands, no cost.

Nodes that only they used are left out (dead-code elimination over registers, from the last node to the first); what is
left runs in the same order on the same registers and state, so no bit of any other output changes but where an idle
expert was the only one that spoke. Nothing is parsed or compiled.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lotus.errors import ConfigError
from lotus.hashing import natural_id
from lotus.tape_machine.ops import conv
from lotus.tape_machine.ops import table as t
from lotus.tape_machine.program import Program, nodes_of

Words = NDArray[np.uint32]
_WRITES = {t.DOT: 2, t.FSM: 2, t.CONV1D: 1 + 2 * conv.MAX_CHANNELS}  # registers of a result, else one
_FUSED = 4  # outputs before the first z


def without_idle(program: Program, names: Sequence[str], idle: Sequence[str]) -> Program:
    """Return the program of experts `names` without the `idle` ones; itself without any.

    Raises `ConfigError` for a program that is not that of experts, or an expert that it does not have.
    """
    if not idle:
        return program
    strangers = sorted(set(idle) - set(names))
    if strangers or program.names[_FUSED:] != tuple(f"z_{name}" for name in names):
        raise ConfigError(
            f"a program without {', '.join(strangers) or 'experts'}", "that of the set", "another program"
        )
    null, false = program.n_registers, program.n_registers + 1
    code, outputs = program.code.copy(), program.outputs.copy()
    places = [names.index(name) for name in idle]
    for op, words in nodes_of(code):
        args = words[t.HEAD : t.HEAD + int(words[t.N_ARGS])] if op == t.DOT else words[:0]
        if len(args) == len(names) and int(words[t.OUT]) in program.outputs[[0, 3]].tolist():
            args[places] = null if int(words[t.OUT]) == int(program.outputs[0]) else false
    votes = votes_of(code, program)
    votes[t.HEAD : t.HEAD + len(names)][places] = false
    outputs[[_FUSED + k for k in places]] = null
    live = _live(code, outputs)
    kept = {(int(w[t.FIRST_FLOAT]), int(w[t.FIRST_INT])) for op, w in live if op not in t.HEADLESS}
    slots = {key: slot for key, slot in program.slots.items() if (slot.first_float, slot.first_int) in kept}
    return replace(
        program,
        code=_packed(code, live),
        outputs=outputs,
        constants=(*program.constants, (null, math.nan), (false, 0.0)),
        n_nodes=len(live),
        n_registers=program.n_registers + 2,
        slots=slots,
        version=natural_id("idle", program.version, *sorted(idle)),
    )


def votes_of(code: Words, program: Program) -> Words:
    """Return the node that sums the votes: what `mx_confirm` compares."""
    confirm, holds = int(program.outputs[2]), dict[int, Words]()
    for op, words in nodes_of(code):
        if op == t.GE and int(words[t.OUT]) == confirm and int(words[1]) in holds:
            return holds[int(words[1])]
        if op == t.DOT:
            holds[int(words[t.OUT])] = words
    raise ConfigError("no comparison of votes", "mx_confirm = votes >= votes needed", "another program")


def reads_of(op: int, words: Words) -> list[int]:
    """Return the registers that a node reads."""
    if op in t.HEADLESS:
        return [int(w) for w in words[1:]]
    args = [int(w) for w in words[t.HEAD : t.HEAD + int(words[t.N_ARGS])]]
    return args + [a + 1 for a in args] if op in (t.FSM_AGE, t.FSM_LATCH) else args


def writes_of(op: int, words: Words) -> range:
    """Return the registers that a node writes, its result first."""
    first = int(words[t.OUT])
    return range(first, first + _WRITES.get(op, 1))


def _live(code: Words, outputs: NDArray[np.int64]) -> list[tuple[int, Words]]:
    """Return the nodes, in order, that outputs rest on."""
    wanted, kept = set(outputs.tolist()), list[tuple[int, Words]]()
    for op, words in reversed(list(nodes_of(code))):
        if wanted.isdisjoint(writes_of(op, words)):
            continue
        wanted.difference_update(writes_of(op, words))
        wanted.update(reads_of(op, words))
        kept.append((op, words))
    return kept[::-1]


def _packed(code: Words, nodes: Sequence[tuple[int, Words]]) -> Words:
    """Return the code of these nodes, the columns as they were; neighbours of one operation are a group."""
    out = [int(w) for w in code[: 1 + 2 * int(code[0])]]
    k = 0
    while k < len(nodes):
        stop = k
        while stop < len(nodes) and nodes[stop][0] == nodes[k][0]:
            stop += 1
        out += [nodes[k][0], stop - k, *(int(w) for _, words in nodes[k:stop] for w in words)]
        k = stop
    return np.array(out, np.uint32)
