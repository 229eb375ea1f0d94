"""Writes the example of `lotus.own_signals.example` as files that `lotus learn` reads, one a day."""

from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from lotus.errors import ConfigError
from lotus.own_signals.example import ExampleSpec, example_days


def write_example(folder: Path, spec: ExampleSpec, kind: Literal["csv", "parquet"] = "csv") -> list[Path]:
    """Write one file a day into a folder that is empty or not there; raises `ConfigError` otherwise."""
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError(f"{folder} is not empty", "a new folder", "what is there would be read with the example")
    folder.mkdir(parents=True, exist_ok=True)
    out = []
    for day, columns in example_days(spec):
        table = pa.table({name: _arrow(name, values) for name, values in columns.items()})
        out.append(folder / f"{day}.{kind}")
        if kind == "csv":
            pacsv.write_csv(table, out[-1], pacsv.WriteOptions(quoting_style="none"))
        else:
            pq.write_table(table, out[-1])
    return out


def _arrow(name: str, values: object) -> pa.Array:
    if name == "ts":
        return pa.array(values, pa.timestamp("us", "UTC"))
    return pa.array(values, from_pandas=True)
