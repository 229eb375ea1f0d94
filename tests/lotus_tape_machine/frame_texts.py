"""The environment of expressions over frames, and what a program makes of whole tables."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lotus.manifest import Manifest
from lotus.tape_machine.environment import Environment, Quantity, frame_columns
from lotus.tape_machine.machine import Machine
from lotus.tape_machine.node import Node
from lotus.tape_machine.program import Program

Rows = NDArray[np.float64]
Flags = NDArray[np.bool_]


def frame_environment(
    manifest: Manifest,
    parameters: Mapping[str, Quantity] | None = None,
    names: Mapping[str, Node] | None = None,
) -> Environment:
    """Return the environment of expressions over frames: a row is one frame, its columns are the float columns."""
    return Environment(frame_columns(), manifest.kernel.cadence_ms, parameters or {}, names or {})


def evaluate(program: Program, tables: Sequence[tuple[Rows, Flags]]) -> list[Rows]:
    """Return per asset the outputs f8[n, outputs] of its table (rows f8[n, columns], rebirth flags bool[n]).

    Every asset starts blank. Raises `SchemaError` for a table with too few columns.
    """
    machine = Machine(program, len(tables))
    return [machine.feed_table(asset, rows, rebirth) for asset, (rows, rebirth) in enumerate(tables)]
