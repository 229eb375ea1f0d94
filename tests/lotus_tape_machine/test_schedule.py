"""Order and registers of a program: every operand still stands in its register when it is read."""

import numpy as np
from frame_texts import evaluate
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples

from lotus.tape_machine.graph import Graph, build_graph
from lotus.tape_machine.node import Node
from lotus.tape_machine.program import compile_program, moved_columns, program_of
from lotus.tape_machine.schedule import groups_of, registers_of

from .oracle import column, expressions, node

GRAPHS = st.lists(expressions(3), min_size=1, max_size=5)


def graph_of(roots: list[Node]) -> Graph:
    return build_graph({str(k): root for k, root in enumerate(roots)})


@settings(max_examples=examples(100), deadline=None)
@given(GRAPHS)
def test_every_operand_stands_where_it_is_read(roots: list[Node]) -> None:
    graph = graph_of(roots)
    groups = groups_of(graph)
    order = [k for group in groups for k in group]
    consts = [k for k, n in enumerate(graph.nodes) if n.op == "const"]
    assert sorted(order + consts) == list(range(len(graph.nodes)))
    assert all(len({graph.nodes[k].compiled.code for k in group}) == 1 for group in groups)
    first, n = registers_of(graph, order)
    holds: dict[int, int] = {first[k]: k for k in consts}
    for k in order:
        mine = range(first[k], first[k] + graph.nodes[k].compiled.registers)
        assert mine[-1] < n
        for a in graph.nodes[k].args:
            theirs = range(first[a], first[a] + graph.nodes[a].compiled.registers)
            assert all(holds[register] == a for register in theirs if graph.nodes[a].op != "const")
            assert holds[first[a]] == a
            assert not set(mine) & set(theirs)
        holds |= dict.fromkeys(mine, k)
    assert all(holds[first[place]] == place for place in graph.outputs.values())


def test_columns_are_read_before_operations_on_constants_take_and_leave_registers() -> None:
    chain = node("const", params=(5.0,))
    for _ in range(3):  # further from the output than the column
        chain = node("neg", node("lag", chain, params=(1,)))
    graph = graph_of([node("add", node("known", chain), column(0))])
    groups = groups_of(graph)
    assert [graph.nodes[k].op for k in groups[0]] == ["column"]
    table = np.arange(10.0).reshape(10, 1)
    (found,) = evaluate(program_of(graph), [(table, np.zeros(10, np.bool_))])
    assert found[:, 0].tolist() == (table[:, 0] + (np.arange(10) >= 3)).tolist()


@settings(max_examples=examples(100), deadline=None)
@given(GRAPHS)
def test_columns_are_the_first_group(roots: list[Node]) -> None:
    graph = graph_of(roots)
    of_columns = [{graph.nodes[k].op for k in group} == {"column"} for group in groups_of(graph)]
    assert sum(of_columns) == any(of_columns[:1])


def test_registers_are_used_again() -> None:
    chain = column(0)
    for k in range(200):
        chain = node("add" if k % 2 else "mul", chain, column(1))
    assert compile_program({"y": chain}).n_registers <= 4


def test_a_moved_column_is_read_at_its_new_place_and_keeps_its_identity() -> None:
    program = compile_program({"y": node("sub", node("ema", column(2), params=(3.0,)), column(0))})
    moved = moved_columns(program, {2: 7}, 9)
    assert (moved.n_columns, moved.slots, moved.version) == (9, program.slots, program.version)
    changed = [(int(a), int(b)) for a, b in zip(program.code, moved.code, strict=True) if a != b]
    assert changed == [(2, 7)]
