"""The schema check: a lake table against its `TableSpec`, by pandera.

Types, ranges, nulls and the natural key (unique) are checked on the rows that are written. NaN is null and allowed only
in nullable columns; infinities are allowed nowhere. No other check belongs here.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec
from lotus_assets.stages.context import CheckOutcome

Columns = Mapping[str, NDArray[np.generic]]


def schema_check(spec: TableSpec, columns: Columns) -> CheckOutcome:
    """Check the rows of one table; the outcome names the first columns that fail and how often."""
    import pandas as pd
    import pandera.errors

    rows = len(next(iter(columns.values()))) if columns else 0
    numbers = {"rows": rows, "columns": len(columns)}
    try:
        _schema(spec).validate(pd.DataFrame(dict(columns), copy=False), lazy=True)
    except pandera.errors.SchemaErrors as error:
        cases = error.failure_cases
        failures = cases.groupby(["column", "check"], dropna=False).size().sort_values(ascending=False).head(3)
        text = "; ".join(f"{column}: {check} fails {n} times" for (column, check), n in failures.items())
        return CheckOutcome("schema", False, f"{spec.name}: {text}", numbers | {"failures": len(cases)})
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
    import pandas as pd

    frame = pd.DataFrame({name: columns[name] for name in spec.key}, copy=False)
    return int(frame.duplicated().sum())
