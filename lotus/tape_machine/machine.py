"""A program at work: live one row at a time (`Machine.feed`), in batch whole tables (`evaluate`), same interpreter.

A program may be swapped between two rows: nodes that both programs have keep their state bit for bit, new ones start
blank or as they stand after the recent rows. The caller says when an asset is reborn after a gap.
No expressions and no market knowledge belong here.
"""

from collections.abc import Sequence
from copy import copy
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.errors import SchemaError
from lotus.jit_entry import entry_point
from lotus.tape_machine.interpreter import run_row, run_rows
from lotus.tape_machine.program import Program
from lotus.tape_machine.state import MachineState, new_state, take_over

BLOCK: Final[int] = 256  # rows of a batch block

_F8: Final = np.dtype(np.float64)
_CLOSE: Final = (8,)  # strides of a row without holes
_NONE: Final = np.empty((0, 0))

Rows = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Machine:
    """The state of one program for every asset; feed rows of an asset in time order."""

    def __init__(self, program: Program, n_assets: int) -> None:
        """Start blank, with the interpreter compiled or read from its cache."""
        self.program = program
        self._wide: Rows = np.zeros((0, 0))
        self._n_assets = n_assets
        self._state = new_state(program, n_assets)
        self._out = np.zeros(len(program.names))
        self._bind(program.new_registers(1))

    def feed(self, asset: int, row: Rows, rebirth: bool = False) -> Rows:
        """Take one row f8[columns] of an asset; return its outputs f8[outputs], valid until the next call.

        `rebirth` blanks the asset's state before the row. Raises `SchemaError` for a row with too few columns.
        """
        if row.dtype is not _F8 or row.strides != _CLOSE or len(row) < self.program.n_columns:
            row = _checked(self.program, row.reshape(1, -1))[0]
        self._row(*self._given, asset, row, rebirth)
        return self._out

    def feed_table(self, asset: int, rows: Rows, rebirth: Flags | None = None) -> Rows:
        """Take many rows f8[n, columns] of an asset; return outputs f8[n, outputs], bit-equal to n calls of `feed`.

        `rebirth` bool[n] marks rows before which the state is blanked. Raises `SchemaError` as `feed`.
        """
        table = _checked(self.program, rows)
        flags = np.zeros(len(table), np.bool_) if rebirth is None else np.require(rebirth, np.bool_, ["C", "A", "W"])
        if flags.shape != (len(table),):
            raise SchemaError(f"rebirth flags {flags.shape}", f"({len(table)},)", "flags of another table")
        out = np.empty((len(table), len(self.program.names)))
        self.feed_picked(asset, table, np.arange(len(table)), flags, out, np.full(len(table), -1), _NONE)
        return out

    def feed_picked(
        self, asset: int, table: Rows, picks: Ints, rebirth: Flags, results: Rows, to: Ints, chosen: Rows
    ) -> None:
        """Take the rows `picks` i8[n] of a table of many assets f8[m, columns]; arguments as those of `run_rows`."""
        if not self._wide.size:
            self._wide = self.program.new_registers(BLOCK)
        p, s = self.program, self._state
        run_rows(
            p.code, p.params, p.outputs, s.floats[asset], s.ints[asset],
            _checked(p, table), picks, rebirth, self._wide, results, to, chosen,
        )  # fmt: skip

    def going_on(self, other: "Machine", newborn: Sequence[int] = ()) -> "Machine":
        """Return one like this that goes on from the state of another; the assets `newborn` start blank."""
        fork = copy(self)
        fork._state = MachineState(other._state.floats.copy(), other._state.ints.copy())
        for asset in newborn:
            fork._state.blank(asset)
        fork._out = np.zeros(len(self.program.names))
        fork._bind(self.program.new_registers(1))
        return fork

    def state_bytes(self, asset: int) -> bytes:
        """Return the whole state of an asset, for a comparison bit by bit."""
        floats: bytes = self._state.floats[asset].tobytes()
        return floats + bytes(self._state.ints[asset].tobytes())

    def swap(self, program: Program, recent: Sequence[Rows] | None = None) -> None:
        """Continue with another program from the next row on.

        Nodes of both programs keep their state. New nodes start blank, or, given `recent` (per asset the latest rows
        f8[n, columns] since its last rebirth, oldest first), as after a blank machine was fed those rows.
        Raises `SchemaError` for recent rows of another number of assets or with too few columns.
        """
        fresh = Machine(program, self._n_assets)
        if recent is not None:
            if len(recent) != self._n_assets:
                raise SchemaError(f"recent rows of {len(recent)} assets", str(self._n_assets))
            for asset, rows in enumerate(recent):
                fresh.feed_table(asset, rows)
        take_over(fresh._state, program, self._state, self.program)
        self.program, self._state, self._out = program, fresh._state, fresh._out
        self._bind(program.new_registers(1))

    def node_state(self, key: str, asset: int) -> tuple[Rows, Ints]:
        """Return floats and ints of one node's state, views into it."""
        return self._state.node(self.program, key, asset)

    def _bind(self, registers: Rows) -> None:
        p, s = self.program, self._state
        self._wide = np.zeros((0, 0))  # made when a table first comes
        self._given = (p.code, p.params, p.outputs, s.floats, s.ints, registers, self._out)
        self._row = entry_point(run_row, *self._given, 0, np.zeros(max(p.n_columns, 1)), False)


def _checked(program: Program, table: Rows) -> Rows:
    """Return the table in the one form the interpreter is compiled for: any other would be compiled anew."""
    if table.ndim != 2 or table.shape[1] < program.n_columns:
        raise SchemaError(f"a table {table.shape}", f"{program.n_columns} columns or more", "frames of an older layout")
    plain = table.dtype == np.float64 and table.flags.carray
    return table if plain else np.require(table, np.float64, ["C", "A", "W"])
