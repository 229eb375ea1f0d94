"""A graph as the arrays that the interpreter walks, with the place of every node's state.

Constants take a register and no node: they are filled in once. Order and registers come from `schedule`.
No values and no state belong here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lotus.errors import ConfigError
from lotus.hashing import natural_id
from lotus.tape_machine.graph import MEMORY_STEPS, Graph, GraphNode, build_graph
from lotus.tape_machine.node import Node
from lotus.tape_machine.nulls import finite_or_null
from lotus.tape_machine.ops import table as t
from lotus.tape_machine.schedule import groups_of, registers_of


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
    code: NDArray[np.uint32]  # words in `ops.table`
    params: NDArray[np.float64]
    outputs: NDArray[np.int64]  # register of each output
    constants: tuple[tuple[int, float], ...]  # register, value
    n_nodes: int
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
    layout = _Layout(graph, groups_of(graph))
    names, places = tuple(graph.outputs), list(graph.outputs.values())
    keys = [part for name, place in graph.outputs.items() for part in (name, graph.nodes[place].key)]
    return Program(
        names=names,
        code=np.array(layout.code, np.uint32),
        params=np.array([*layout.params, 0.0]),
        outputs=np.array([layout.registers[place] for place in places], np.int64),
        constants=tuple(
            (layout.registers[k], finite_or_null(node.compiled.params[0]))
            for k, node in enumerate(graph.nodes)
            if node.op == "const"
        ),
        n_nodes=len(graph.nodes) - sum(node.op == "const" for node in graph.nodes),
        n_registers=layout.n_registers,
        n_columns=layout.n_columns,
        n_floats=layout.n_floats,
        n_ints=layout.n_ints,
        slots=layout.slots,
        version=natural_id("program", *keys),
    )


def nodes_of(code: NDArray[np.uint32]) -> Iterator[tuple[int, NDArray[np.uint32]]]:
    """Yield operation and words (a view; layout in `ops.table`) of every node but columns, in the order they run."""
    place = 1 + 2 * int(code[0])
    while place < len(code):
        op, many = int(code[place]), int(code[place + 1])
        place += 2
        for _ in range(many):
            words = t.WORDS.get(op, 3) if op in t.HEADLESS else t.HEAD + max(2, int(code[place + t.N_ARGS]))
            yield op, code[place : place + words]
            place += words


def moved_columns(program: Program, place: Mapping[int, int], n_columns: int) -> Program:
    """Return the program reading column place[k] where it read column k, those without a place as before.

    Nodes keep their identity, so a swap still finds their state; `n_columns`: of the new table.
    """
    code = program.code.copy()
    read = code[2 : 2 + 2 * int(code[0]) : 2]
    read[:] = [place.get(int(column), int(column)) for column in read]
    return replace(program, code=code, n_columns=n_columns)


class _Layout:
    """Code, parameters and state laid out group by group."""

    def __init__(self, graph: Graph, groups: list[list[int]]) -> None:
        self.nodes = graph.nodes
        self.registers, self.n_registers = registers_of(graph, [place for group in groups for place in group])
        self.code: list[int] = []
        self.params: list[float] = []
        self.slots: dict[str, StateSlot] = {}
        self.n_columns = self.n_floats = self.n_ints = 0
        columns = [place for group in groups for place in group if graph.nodes[place].op == "column"]
        self.code.append(len(columns))
        for place in columns:
            index = int(graph.nodes[place].compiled.params[0])
            self.n_columns = max(self.n_columns, index + 1)
            self.code += [self.registers[place], index]
        for group in groups:
            if graph.nodes[group[0]].op != "column":
                self.code += [graph.nodes[group[0]].compiled.code, len(group)]
                for place in group:
                    self.code += [self.registers[place], *self._words(graph.nodes[place])]

    def _words(self, node: GraphNode) -> list[int]:
        """Return the words of a node behind its register, and give it its parameters and state."""
        code, params, (floats, ints), _ = node.compiled
        args = [self.registers[a] for a in node.args]
        if code in t.HEADLESS:
            return args
        words = [len(args), len(self.params), len(params), self.n_floats, self.n_ints, *args]
        self.params += params
        if floats or ints:
            self.slots[node.key] = StateSlot(self.n_floats, floats, self.n_ints, ints)
        self.n_floats += floats
        self.n_ints += ints
        return words + args[:1] * (2 - len(args))
