"""Programs: a version names outputs and meaning, expressions share what they have in common."""

from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples

from lotus.tape_machine.node import Node
from lotus.tape_machine.program import compile_program

from .oracle import column, expressions, node

X, Y = column(0), column(1)


def constant(value: float) -> Node:
    return node("const", params=(value,))


def test_one_hundred_expressions_share_what_the_first_ten_have() -> None:
    base = [
        node("div", node("sub", X, node("mean", X, params=(w,))), node("std", X, params=(w,))) for w in range(10, 20)
    ]
    ten = {str(k): node("gt", z, constant(2.0)) for k, z in enumerate(base)}
    more = {f"{k}.{j}": node("gt", z, constant(2.0 + j)) for k, z in enumerate(base) for j in range(10)}
    few, many = compile_program(ten), compile_program(more)
    assert many.n_floats == few.n_floats
    assert many.n_nodes - few.n_nodes == 90


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(expressions(), min_size=1, max_size=4))
def test_a_version_names_the_outputs_and_their_meaning(roots: list[Node]) -> None:
    outputs = {str(k): root for k, root in enumerate(roots)}
    program = compile_program(outputs)
    assert compile_program(dict(outputs)).version == program.version
    assert compile_program({f"n{k}": v for k, v in outputs.items()}).version != program.version
    assert compile_program(outputs | {"0": node("lag", roots[0], params=(1,))}).version != program.version
    assert len(program.slots) <= program.n_nodes
