"""Nothing is compiled after the start, whatever comes."""

import numpy as np

from lotus.tape_machine.interpreter import run_rows
from lotus.tape_machine.machine import Machine
from lotus.tape_machine.node import Node
from lotus.tape_machine.program import Program, compile_program

from .machine_tables import nasty_table
from .oracle import column, node


def program_of(roots: list[Node]) -> Program:
    return compile_program({str(k): root for k, root in enumerate(roots)})


def test_nothing_is_compiled_after_the_start_whatever_comes() -> None:
    machine = Machine(program_of([column(0)]), 1)
    compiled = list(run_rows.signatures)
    frozen = nasty_table(1, 50)
    frozen.flags.writeable = False
    for table in (frozen, np.asfortranarray(frozen), frozen[::2], (frozen > 0.0).astype(np.float32), frozen[:0]):
        machine.feed_table(0, table, np.broadcast_to(np.False_, len(table)))
        machine.feed(0, np.linspace(0.0, 1.0, 9)[::3])
        machine.swap(program_of([node("rank", column(2), params=(9,)), column(0)]), [table])
    assert list(run_rows.signatures) == compiled
    assert len(compiled) == 1
