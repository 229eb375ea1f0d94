"""A graph as the arrays that the interpreter walks, with the place of every node's state.

Constants take a register and no node: they are filled in once. An fsm takes two registers, its state's and its age's.
No values and no state belong here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.errors import ConfigError
from lotus.hashing import natural_id
from lotus.tape_machine import ops_table as t
from lotus.tape_machine.graph import MEMORY_STEPS, Graph, build_graph
from lotus.tape_machine.interpreter import NODE_WIDTH
from lotus.tape_machine.node import Node
from lotus.tape_machine.ops_elementwise import finite_or_null


@dataclass(frozen=True, slots=True)
class StateSlot:
    """Where one node keeps its state: [first, first + many) of the floats and of the ints."""

    first_float: int
    floats: int
    first_int: int
    ints: int


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """What `run_block` takes, and what a swap must know; programs with equal `version` compute the same outputs."""

    names: tuple[str, ...]  # of the outputs, in order
    nodes: NDArray[np.int64]  # [N, NODE_WIDTH], columns in `interpreter`
    args: NDArray[np.int64]  # registers of the operands
    params: NDArray[np.float64]
    outputs: NDArray[np.int64]  # register of each output
    constants: tuple[tuple[int, float], ...]  # register, value
    n_registers: int
    n_columns: int  # least number of columns of an input table
    n_floats: int  # state of one asset
    n_ints: int
    slots: Mapping[str, StateSlot]  # by the node's key, stateful nodes only
    version: str

    @property
    def state_bytes(self) -> int:
        """Bytes of state per asset."""
        return 8 * (self.n_floats + self.n_ints)

    def new_registers(self, width: int) -> NDArray[np.float64]:
        """Return registers f8[n_registers, width] for blocks of at most `width` rows, constants filled in."""
        registers = np.zeros((max(self.n_registers, 1), width))
        for register, value in self.constants:
            registers[register] = value
        return registers


def compile_program(outputs: Mapping[str, Node], memory_steps: int = MEMORY_STEPS) -> Program:
    """Return the program of all named expressions, sharing sub-expressions; raises `ConfigError` as `build_graph`.

    `memory_steps` = rows in 2 h at the cadence of the input table.
    """
    return program_of(build_graph(outputs, memory_steps))


def program_of(graph: Graph) -> Program:
    """Return the arrays of a graph; raises `ConfigError` for one without outputs."""
    if not graph.outputs:
        raise ConfigError("a program without outputs", "at least one named expression")
    layout = _Layout()
    for node in graph.nodes:
        layout.add(node.op, node.args, node.compiled, node.key)
    names, places = tuple(graph.outputs), list(graph.outputs.values())
    keys = [part for name, place in graph.outputs.items() for part in (name, graph.nodes[place].key)]
    return Program(
        names=names,
        nodes=np.array(layout.nodes, np.int64).reshape(-1, NODE_WIDTH),
        args=np.array([*layout.args, 0, 0, 0], np.int64),
        params=np.array([*layout.params, 0.0]),
        outputs=np.array([layout.registers[place] for place in places], np.int64),
        constants=tuple(layout.constants),
        n_registers=layout.n_registers,
        n_columns=layout.n_columns,
        n_floats=layout.n_floats,
        n_ints=layout.n_ints,
        slots=layout.slots,
        version=natural_id("program", *keys),
    )


class _Layout:
    """Registers, parameters and state laid out node by node."""

    def __init__(self) -> None:
        self.nodes: list[tuple[int, ...]] = []
        self.args: list[int] = []
        self.params: list[float] = []
        self.constants: list[tuple[int, float]] = []
        self.slots: dict[str, StateSlot] = {}
        self.registers: list[int] = []
        self.n_registers = self.n_columns = self.n_floats = self.n_ints = 0

    def add(self, op: str, args: tuple[int, ...], compiled: t.Op, key: str) -> None:
        out = self.n_registers
        self.registers.append(out)
        self.n_registers += 2 if op == "fsm" else 1
        if op == "const":
            self.constants.append((out, finite_or_null(compiled.params[0])))
            return
        if op == "column":
            self.n_columns = max(self.n_columns, int(compiled.params[0]) + 1)
        floats, ints = compiled.state
        first_arg, first_param = len(self.args), len(self.params)
        self.nodes.append(
            (compiled.code, out, first_arg, len(args), first_param, len(compiled.params), self.n_floats, self.n_ints)
        )
        self.args.extend(self.registers[a] for a in args)
        self.params.extend(compiled.params)
        if floats or ints:
            self.slots[key] = StateSlot(self.n_floats, floats, self.n_ints, ints)
        self.n_floats += floats
        self.n_ints += ints
