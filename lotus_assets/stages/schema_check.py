"""The schema check: every row of a lake table against its `TableSpec`.

Types, ranges, nulls and the natural key (unique) are checked on the rows that are written. NaN is null and allowed only
in nullable columns; infinities are allowed nowhere. The extremes of a column say whether all of it fits; pandera, which
takes a hundred times as long, then tells what does not. No other check belongs here.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec
from lotus_assets.stages.context import CheckOutcome

Columns = Mapping[str, NDArray[np.generic]]


def schema_check(spec: TableSpec, columns: Columns) -> CheckOutcome:
    """Check the rows of one table; the outcome names the first columns that fail and how often."""
    rows = len(next(iter(columns.values()))) if columns else 0
    numbers = {"rows": rows, "columns": len(columns)}
    if not fits(spec, columns) and (failures := _failures(spec, columns)):
        text, count = failures
        return CheckOutcome("schema", False, f"{spec.name}: {text}", numbers | {"failures": count})
    doubled = _duplicates(spec, columns)
    if doubled:
        return CheckOutcome("schema", False, f"{spec.name}: {doubled} rows repeat the key {spec.key}", numbers)
    return CheckOutcome("schema", True, f"{rows} rows fit {spec.name}", numbers)


def together(name: str, *outcomes: CheckOutcome) -> CheckOutcome:
    """Join checks of one kind over several tables into one outcome: the first failure decides the text."""
    failed = [x for x in outcomes if not x.passed]
    numbers = {f"{i}_{k}" if i else k: v for i, x in enumerate(outcomes) for k, v in x.numbers.items()}
    text = failed[0].text if failed else "; ".join(x.text for x in outcomes)
    return CheckOutcome(name, not failed, text, numbers)


def fits(spec: TableSpec, columns: Columns) -> bool:
    """Tell whether the columns are those of the specification and every value is of its type, range and null rule."""
    return set(columns) == set(spec.names) and all(_fits(c, np.asarray(columns[c.name])) for c in spec.columns)


def _fits(column: Column, values: NDArray[np.generic]) -> bool:
    if column.dtype == "text":
        return not column.nullable and (values.dtype.kind == "U" or _are_texts(values))
    if values.dtype != np.dtype(column.dtype):
        return False
    if not len(values) or column.dtype == "?":
        return True
    least, most = np.min(values), np.max(values)
    if least != least:  # NaN: there are nulls
        least, most = np.fmin.reduce(values), np.fmax.reduce(values)
        if not column.nullable or least != least:
            return column.nullable
    low, high = column.low, column.high
    return bool(np.isfinite(least) and np.isfinite(most)) and not (
        (low is not None and least < low) or (high is not None and most > high)
    )


def _are_texts(values: NDArray[np.generic]) -> bool:
    import pandas as pd

    return values.dtype.kind == "O" and pd.api.types.infer_dtype(values, skipna=False) in ("string", "empty")


def _failures(spec: TableSpec, columns: Columns) -> tuple[str, int] | None:
    """Return which columns fail which checks, the most frequent first, and how many failures there are."""
    import pandas as pd
    import pandera.errors

    try:
        _schema(spec).validate(pd.DataFrame(dict(columns), copy=False), lazy=True)
    except pandera.errors.SchemaErrors as error:
        cases = error.failure_cases
        failures = cases.groupby(["column", "check"], dropna=False).size().sort_values(ascending=False).head(3)
        return "; ".join(f"{column}: {check} fails {n} times" for (column, check), n in failures.items()), len(cases)
    return None


@cache
def _schema(spec: TableSpec) -> Any:
    import pandera.pandas as pa

    return pa.DataFrameSchema({c.name: _column(c) for c in spec.columns}, strict=True, ordered=False)


def _column(column: Column) -> Any:
    import pandera.pandas as pa

    checks = []
    if column.low is not None:
        checks.append(pa.Check.ge(column.low))
    if column.high is not None:
        checks.append(pa.Check.le(column.high))
    if column.dtype == "text":
        return pa.Column(None, checks, nullable=column.nullable)
    if column.dtype.startswith("f"):
        checks.append(pa.Check(_not_infinite, name="finite"))
    return pa.Column(_DTYPES[column.dtype], checks, nullable=column.nullable)


_DTYPES = {
    "f8": "float64",
    "f4": "float32",
    "i8": "int64",
    "i4": "int32",
    "i2": "int16",
    "i1": "int8",
    "u8": "uint64",
    "u4": "uint32",
    "u2": "uint16",
    "u1": "uint8",
    "?": "bool",
}


def _not_infinite(values: Any) -> Any:
    return ~np.isinf(values)


def _duplicates(spec: TableSpec, columns: Columns) -> int:
    """Return how many rows repeat the key of a row before them."""
    keys = [np.asarray(columns[name]) for name in spec.key]
    if any(key.dtype.kind not in "iub" for key in keys):
        import pandas as pd

        codes = [pd.factorize(key)[0] if key.dtype.kind in "OU" else key for key in keys]  # pandas' own texts are slow
        return int(pd.DataFrame(dict(enumerate(codes)), copy=False).duplicated().sum())
    if _steps(keys)[0].all():
        return 0
    order = np.lexsort(keys[::-1])
    return int(np.count_nonzero(_steps([key[order] for key in keys])[1]))


def _steps(keys: Sequence[NDArray[Any]]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return for every row but the last whether the next one's key is larger, and whether it is the same."""
    rises, equal = np.zeros(max(0, len(keys[0]) - 1), np.bool_), np.ones(max(0, len(keys[0]) - 1), np.bool_)
    for key in keys:
        rises |= equal & (key[1:] > key[:-1])
        equal &= key[1:] == key[:-1]
    return rises, equal
