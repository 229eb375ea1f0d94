"""The streaming state of a program for every asset, and what a swap takes over.

State is two flat arrays per asset; all zeros = blank. Nothing is computed here.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.tape_machine.program import Program


@dataclass(frozen=True, slots=True, eq=False)
class MachineState:
    """State of all assets: floats f8[assets, n_floats], ints i8[assets, n_ints]."""

    floats: NDArray[np.float64]
    ints: NDArray[np.int64]

    def blank(self, asset: int) -> None:
        """Forget everything about an asset (its rebirth after a gap)."""
        self.floats[asset], self.ints[asset] = 0.0, 0

    def node(self, program: Program, key: str, asset: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return the floats and ints of one node, by its key, as views."""
        slot = program.slots[key]
        floats = self.floats[asset, slot.first_float : slot.first_float + slot.floats]
        return floats, self.ints[asset, slot.first_int : slot.first_int + slot.ints]


def new_state(program: Program, n_assets: int) -> MachineState:
    """Return the blank state of `n_assets` assets."""
    return MachineState(np.zeros((n_assets, program.n_floats)), np.zeros((n_assets, program.n_ints), np.int64))


def take_over(new: MachineState, new_program: Program, old: MachineState, old_program: Program) -> tuple[str, ...]:
    """Copy the state of every node that both programs have, bit for bit; return the keys of the nodes that are new."""
    for key, to in new_program.slots.items():
        was = old_program.slots.get(key)
        if was is not None:
            new.floats[:, to.first_float : to.first_float + to.floats] = old.floats[
                :, was.first_float : was.first_float + was.floats
            ]
            new.ints[:, to.first_int : to.first_int + to.ints] = old.ints[:, was.first_int : was.first_int + was.ints]
    return tuple(key for key in new_program.slots if key not in old_program.slots)
