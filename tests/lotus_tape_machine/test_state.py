"""The state of a program: blank at birth, and what a swap takes over is the old bits."""

import numpy as np

from lotus.tape_machine.node import Node
from lotus.tape_machine.program import compile_program
from lotus.tape_machine.state import MachineState, new_state, take_over

from .oracle import column, node

X = column(0)
MEAN, LAG, SUM = (node(op, X, params=(steps,)) for op, steps in (("mean", 5.0), ("lag", 3.0), ("sum", 7.0)))


def filled(n_floats: int, n_ints: int) -> MachineState:
    """Return the state of two assets in which every value is another one."""
    floats = np.arange(2.0 * n_floats).reshape(2, n_floats) + 0.5
    return MachineState(floats, np.arange(2 * n_ints).reshape(2, n_ints) + 1_000)


def outputs(*roots: Node) -> dict[str, Node]:
    return {f"out{k}": root for k, root in enumerate(roots)}


def test_a_new_state_is_blank_and_has_the_size_of_its_program() -> None:
    program = compile_program(outputs(MEAN, LAG))
    state = new_state(program, 3)
    assert state.floats.shape == (3, program.n_floats)
    assert state.ints.shape == (3, program.n_ints)
    assert not state.floats.any()
    assert not state.ints.any()


def test_blanking_one_asset_leaves_the_other() -> None:
    program = compile_program(outputs(MEAN))
    state, before = filled(program.n_floats, program.n_ints), filled(program.n_floats, program.n_ints)
    state.blank(0)
    assert not state.floats[0].any()
    assert not state.ints[0].any()
    assert np.array_equal(state.floats[1], before.floats[1])
    assert np.array_equal(state.ints[1], before.ints[1])


def test_nodes_do_not_share_state() -> None:
    program = compile_program(outputs(MEAN, LAG, SUM))
    state = filled(program.n_floats, program.n_ints)
    parts = [state.node(program, key, 1) for key in program.slots]
    for k in range(2):
        values = np.concatenate([part[k] for part in parts])
        assert len(values) == len(set(values.tolist()))


def test_a_swap_takes_over_what_both_programs_know_and_names_what_is_new() -> None:
    old_program, new_program = compile_program(outputs(MEAN, LAG)), compile_program(outputs(SUM, LAG, MEAN))
    old, new = filled(old_program.n_floats, old_program.n_ints), new_state(new_program, 2)
    fresh = take_over(new, new_program, old, old_program)
    assert set(fresh) == new_program.slots.keys() - old_program.slots.keys()
    assert fresh
    for asset in range(2):
        for key in old_program.slots:
            for had, has in zip(old.node(old_program, key, asset), new.node(new_program, key, asset), strict=True):
                assert np.array_equal(had, has)
        for key in fresh:
            assert not any(part.any() for part in new.node(new_program, key, asset))
