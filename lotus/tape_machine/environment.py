"""What an expression may name: columns of its input table, parameters of its spec and named sub-expressions.

Only the values and the environments of Lotus' own tables belong here; the meaning of an expression is the checker's.
The units of frame columns come from their one table, `lotus/microtape/frames/spec.py`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from lotus.errors import ConfigError
from lotus.microtape.frames.spec import FLOAT_COLUMNS
from lotus.tape_machine.node import Node
from lotus.tape_machine.transforms import FORMS
from lotus.tape_machine.units import SPELLINGS, dims_of

# unit text of a table's specification -> canonical unit; a column of 0/1 is a flag.
TABLE_UNITS: Final[dict[str, str]] = {
    "price units": "ticks", "base units": "coins", "bps": "bps", "USD": "USD", "1": "1", "sign": "1", "0/1": "1",
    "1/bps": "1/bps", "trades": "trades", "ms": "ms", "bps per hour": "bps/h",
    "bps per sqrt(minute)": "bps/sqrt(min)",
}  # fmt: skip
FLAG_UNITS: Final = frozenset({"0/1"})
_RESERVED: Final = frozenset({*FORMS, *SPELLINGS, "and", "or", "not"})
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class InputColumn:
    """One column of the input table: position, canonical unit, and "number" or "flag"."""

    index: int
    unit: str
    kind: str = "number"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A parameter's value in its canonical unit."""

    value: float
    unit: str = "1"


@dataclass(frozen=True, slots=True)
class Environment:
    """Everything an expression may name, and the length of a row of its input table."""

    columns: Mapping[str, InputColumn]
    step_ms: int
    parameters: Mapping[str, Quantity] = field(default_factory=dict)
    names: Mapping[str, Node] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise `ConfigError` for a name that is taken twice, reserved, or could not be written in an expression."""
        if self.step_ms < 1:
            raise ConfigError(f"rows of {self.step_ms} ms", "at least 1 ms")
        seen: set[str] = set()
        for name in (*self.columns, *self.parameters, *self.names):
            if not _NAME.fullmatch(name) or name in _RESERVED:
                raise ConfigError(
                    f"the name {name!r}", "letters, digits and _; no function, unit or word of the language"
                )
            if name in seen:
                raise ConfigError(f"the name {name!r} twice", "one meaning for a name")
            seen.add(name)
        for unit in {*(c.unit for c in self.columns.values()), *(p.unit for p in self.parameters.values())}:
            dims_of(unit)

    @property
    def known(self) -> tuple[str, ...]:
        """Every name, columns first."""
        return (*self.columns, *self.parameters, *self.names)


def frame_columns() -> dict[str, InputColumn]:
    """Return every float column of a frame by name; raises `ConfigError` when one has a unit without a mapping."""
    columns: dict[str, InputColumn] = {}
    for index, column in enumerate(FLOAT_COLUMNS):
        if column.unit not in TABLE_UNITS:
            raise ConfigError(
                f"unit {column.unit!r} of {column.name}", ", ".join(TABLE_UNITS), "a new unit in frame_spec"
            )
        kind = "flag" if column.unit in FLAG_UNITS else "number"
        columns[column.name] = InputColumn(index, TABLE_UNITS[column.unit], kind)
    return columns
