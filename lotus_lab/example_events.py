"""The example of `lotus.own_signals.example` as a table, or as files that `lotus learn` reads, one a day."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from lotus.errors import ConfigError
from lotus.own_signals.example import ExampleSpec, example_days

if TYPE_CHECKING:
    import pandas as pd


def example(*, seed: int = 7, days: int = 20, windows: int = 240, effect_bps: float = 6.0) -> "pd.DataFrame":
    """Return events of a made-up desk to try things on: two detectors, three coins, so many `windows` a day of each.

    Where `x_flow >= 3 and x_regime = calm` the detector `breakout` pays `effect_bps` more; 0 plants nothing, and then
    whatever is found is luck. Everything follows from the seed. Raises `ConfigError` for no days or windows.
    """
    if days < 1 or windows < 1:
        raise ConfigError(f"{days} days of {windows} windows", "1 or more of each")
    made = (_table(columns) for _, columns in example_days(ExampleSpec(seed, days, windows, effect_bps=effect_bps)))
    frame: pd.DataFrame = pa.concat_tables(made).to_pandas()
    return frame


def write_example(folder: Path, spec: ExampleSpec, kind: Literal["csv", "parquet"] = "csv") -> list[Path]:
    """Write one file a day into a folder that is empty or not there; raises `ConfigError` otherwise."""
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError(f"{folder} is not empty", "a new folder", "what is there would be read with the example")
    folder.mkdir(parents=True, exist_ok=True)
    out = []
    for day, columns in example_days(spec):
        table = _table(columns)
        out.append(folder / f"{day}.{kind}")
        if kind == "csv":
            pacsv.write_csv(table, out[-1], pacsv.WriteOptions(quoting_style="none"))
        else:
            pq.write_table(table, out[-1])
    return out


def _table(columns: Mapping[str, object]) -> pa.Table:
    return pa.table({name: _arrow(name, values) for name, values in columns.items()})


def _arrow(name: str, values: object) -> pa.Array:
    if name == "ts":
        return pa.array(values, pa.timestamp("us", "UTC"))
    return pa.array(values, from_pandas=True)
