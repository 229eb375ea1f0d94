"""The table of transforms: every operation can be written, and each example uses its own."""

import pytest
from frame_texts import frame_environment

from lotus.manifest import Manifest
from lotus.tape_machine.checker import check
from lotus.tape_machine.node import OPS, Node
from lotus.tape_machine.parser import parse
from lotus.tape_machine.syntax import Binary, Call, Tree, Unary
from lotus.tape_machine.transforms import FORMS, OPERATORS, PREFIXES, TRANSFORMS, Transform

FORM_IDS = [f.signature for f in TRANSFORMS]


def calls(tree: Tree) -> set[str]:
    match tree:
        case Call(name, arguments):
            return {name}.union(*map(calls, arguments))
        case Binary(_, left, right):
            return calls(left) | calls(right)
        case Unary(_, operand):
            return calls(operand)
    return set()


def ops(node: Node) -> set[str]:
    return {node.op}.union(*map(ops, node.args))


@pytest.mark.parametrize("form", TRANSFORMS, ids=FORM_IDS)
def test_an_example_uses_its_own_transform(form: Transform) -> None:
    tree = parse(form.example)
    node = check(tree, frame_environment(Manifest()))
    assert form.name in calls(tree)
    assert not form.op or form.op in ops(node)


def test_every_operation_of_the_graph_can_be_written() -> None:
    named = {f.op for f in TRANSFORMS} | {op for row in (*OPERATORS, *PREFIXES) for _, op in row.symbols}
    assert named - {""} | {"const", "column"} == set(OPS)


def test_operands_and_parameters_agree_with_the_table_of_operations() -> None:
    for form in TRANSFORMS:
        if form.op:
            operands = sum(kind.name in ("NUMBER", "FLAG") for _, kind in form.arguments)
            assert OPS[form.op] == (operands, len(form.arguments) - operands), form.signature


def test_the_language_has_every_transform_that_the_design_names() -> None:
    named = """min max abs sign log sqrt clip where known lag delta ema mean std zscore rank quantile sum slope
        argmax_age argmin_age crossed since hold count within breakout retest rsi macd macd_signal"""
    assert set(FORMS) == set(named.split())
