"""Reading and writing the lake tables of a stage: parts per symbol, checked and hashed together.

The content hash of a stage is the hash of the names and content hashes of its parts, read from the files' footers, so
"is what is there what was committed?" costs a few footers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.columns import TableSpec
from lotus.errors import LakeError
from lotus.hashing import natural_id
from lotus_assets.stages.context import StageContext

Columns = Mapping[str, NDArray[np.generic]]
LakeTable = dict[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class TablePart:
    """One part of a table: its specification and, where the table is split, its symbol."""

    spec: TableSpec
    symbol: str | None = None

    @property
    def name(self) -> str:
        """Name of the part inside a stage's hash."""
        return f"{self.spec.name}/{self.symbol or ''}"


def parts_hash(ctx: StageContext, branch: str, day: str, parts: Sequence[TablePart]) -> str:
    """Return the joint content hash of parts that are in the lake, "" when one is missing or unreadable."""
    try:
        hashes = [ctx.lake.hash_of(p.spec.name, branch, day, p.symbol) for p in parts]
    except LakeError:
        return ""
    return joint_hash(parts, hashes)


def present_of(
    parts: Sequence[TablePart] | Callable[[StageContext], Sequence[TablePart]], on_tape: bool = False
) -> Callable[[StageContext, str], str]:
    """Return the `present` of a stage that is these parts, of the branch or of what all branches of a tape share."""

    def present(ctx: StageContext, day: str) -> str:
        branch = ctx.tape_branch if on_tape else ctx.branch
        return parts_hash(ctx, branch, day, parts(ctx) if callable(parts) else parts)

    return present


def joint_hash(parts: Sequence[TablePart], hashes: Sequence[str]) -> str:
    """Return the hash of part names and their content hashes."""
    return natural_id(*(word for part, digest in zip(parts, hashes, strict=True) for word in (part.name, digest)))


def utf8_of(names: NDArray[np.generic]) -> NDArray[np.bytes_]:
    """Return names as bytes, which sort like the names and much faster."""
    return np.char.encode(np.asarray(names).astype(str), "utf-8")
