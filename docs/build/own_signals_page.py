"""The reference page of the format of events files.

`python docs/build/own_signals_page.py > docs/reference/own_signals.md`; a test compares them. What a column is stands
in `lotus.own_signals.columns`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from result_keys import result_text

from lotus.own_signals.bins import MAX_CUBE, MAX_RULES
from lotus.own_signals.columns import COLUMNS, CONFIG_EXAMPLE, FIRST_ROWS
from lotus.own_signals.config import OwnConfig
from lotus.own_signals.example import ExampleSpec, example_days
from lotus.own_signals.report.facts import facts_of
from lotus.own_signals.report.words import text_of
from lotus.own_signals.scores import scored
from lotus.own_signals.study import study
from lotus.own_signals.table import Coded, FileRows, table_of

_INTRODUCTION = """\
# Own signals: the format of the files that `lotus learn` reads

Written from the table in `lotus/own_signals/columns.py` by `python docs/build/own_signals_page.py`; edit that.

`lotus learn --events DIR` reads every `*.csv`, `*.csv.gz`, `*.parquet` and `*.pq` file below a folder as one table;
how rows are split into files and ordered changes nothing. CSV is UTF-8 with commas between cells and points in
numbers. A row is one window of one detector and asset in which it had something to say, **published or not**: without
the windows that were not published nothing can be compared. Empty cells, `null`, `NaN` and `NA` are null. Columns
that are not listed here are not used, and named; a configuration may say which of them is which (`columns`, below).
Files whose names begin with a dot are passed over. A wrong file is refused with file, column, row (from 1, without the
header) and the likely cause, and nothing is written. So are fewer than 20 last rows more than 90 days after all others:
one wrong year would make the edges of bins, and the days that an export serves, those of its own day.
"""

_EXAMPLE = """\
## A worked example

The first rows of a file:

```csv
{rows}```

The first and the second row are draws with the same probability, 0.31; the first was published and its executed
payoff is known, the second was not and only the paper payoff is. In the third the detector hardly wanted to publish.

Files with a lesson in them that is known are made by

```
lotus learn --example my_signals
```

twenty files, one a day, of a desk with two detectors, `breakout` and `fade`, on three assets. Each publishes by a
random draw whose probability grows with its score. Payoffs are moves that nothing in the files predicts, plus a
little for the score; only in `breakout`, high `x_flow` while `x_regime` is calm pays {effect:g} bps more. Then

```
lotus learn --events my_signals --out report
```

prints

```text
{printed}
```

The planted rule is the one lesson, and what its sizes estimate is told below it. In the other detector the same corner
is searched as hard, and nothing is claimed.

The command writes `report/report.html` (one file, no network) and `report/result.json`. `--json` prints the same
object. With `--nightly` every night of the file is replayed as if it had been looked at then, with the slots of a
budget year.

At least 11 days of matured windows are needed: the first day has no bins, and a rule must be seen on ten. One set of
files is **one look** at a family-wise error of 4 % over all its detectors together. Trying again with other features,
bins, groups or horizons until something passes is many looks, and no statistics can see that; keep a part of the days
away for it.

## The configuration

Optional, `--config FILE.yaml`:

```yaml
{config}```

`columns` names the columns of the files, so that nothing need be renamed: the name of the format, then that of every
file. A column that a file does not have, one column under two names, and a name of the format that a file uses for
another column are refused.

**More than five categories.** `groups` takes values of a feature together, at most five groups; a value in none is
`other`, which is one of the five. Without it, text with more values keeps the four most frequent of the **first day**
of the files and calls the rest `other`, if that day has more than five and the fourth is more frequent than the fifth;
that day itself then has no category. Only features are read, and no later day: groups by the frequencies of the whole
file would be fitted on the future. Where the first day does not tell, the refusal holds a configuration to begin with.
What each group holds is told in the report. Numbers are binned; `x_hour: category`, or groups of it, makes them
categories.

**Categories in order.** Quintile labels, ratings and other columns that are bins already are taken as they are, and
rules speak of ranges of them: `literals: interval` with `categories: [low, mid, high]`, the lowest first, or `monotone`
for their ends only. An ordered categorical (of pandas, in a Parquet file too) is ordinal without a configuration. Of
more than five categories neighbours are taken together, as evenly as the first day has them; that day itself then has
none.

## What the grades say

| propensity | payoff | grade | what it may do |
| --- | --- | --- | --- |
| logged, 0 < p < 1 in the rule | `payoff_bps`, `fill_source: venue` | A | act |
| logged | `payoff_bps` | B | act |
| logged | only `paper_payoff_bps`, or no draw was random in the rule | C, MODEL_ONLY | propose an experiment |
| none | any | D, REFUSED | be shown as an association |

A file without propensities or with deterministic ones is a result too: it says which number is missing.

**Other figures of a lesson** are described and never searched: by horizon of the draw the mean net payoff with its
interval, the share of hits, MFE and MAE (where `mfe_bps` and `mae_bps` are given) and Brier and log score of `p_hit`.
With `cost_bps` every published row pays it, one that was not filled as well: give net payoffs where orders may fail.

**Proposals**: a second channel compares whole days, with an error budget of its own (1 %), because a context that
hardly moves within a day cannot be seen by comparing windows of one day. What it finds has grade C and is never
accepted.

## What the report shows

`report.html`: the forest plot of lessons and refusals, their conditions in values (edges follow the days before and
move: the median, the lowest and the highest, by asset where assets differ much), what the sizes estimate, the life line
of each (uplift and evidence by day, and with `--nightly` the e-process of the days after it was found), maps of two
features, the calibration of the propensity, the audits, the smallest uplift this sample would have shown in 80 % of
cases, and what a table of hit rates would have said.

## What is promised, and on what conditions

At one look, or over the nights of a budget year with `--nightly`, at most 4 % chance of any false lesson among all
rules and detectors of the files, and a bound of each lesson's size that holds after the search. On these conditions:

- `propensity` is the probability with which each row's `published` was really drawn, at that moment. Fitted
  afterwards, it is not: the audits catch what differs by feature, and refuse.
- A payoff is known `horizon_s` after `ts`, and says nothing of whether the row was published.
- Features were known at `ts`. Nothing can find a feature that holds the future.
- Days are roughly symmetric about their mean: fat tails are fine, insurance with rare losses is told, not proposed.
- The files are looked at once. Asking a growing folder again and again is many looks: use `--nightly`.

A lesson holds in two lanes, against the whole day and against the rest of its day
([lessons](../concepts/lessons.md)), so features made of past returns or of the desk's own results do not fool it. What
each audit asks, its number and what to do stand there too; a refusal names all three.

## Times and days

A window counts on the day and in the six-hour block in which its longest horizon is known (`ts + horizon_s`). Bins of
day d follow from the seven days before d, per asset; the control variate of a file without paper payoffs follows from
earlier days. Nothing of an earlier day changes when later days are added or taken away.

## The object that `--json` prints

Equal files give equal bytes; numbers that are not finite are null. `result.json` in `--out` is the same object.

{result}

## Size

Columns are read one at a time, so memory hardly grows with the features; a CSV file is first written to a temporary
folder as Parquet. What stays is a few numbers of every row and, one detector after the other, its rows in full.
`python -m benchmarks.lessons.own_files` prints seconds of CPU and peak memory, every library included. With ten
detectors, twelve features and sixty days, 2 cores shared with others:

| rows | Parquet | CPU | peak | the same files only read by pandas |
| --- | --- | --- | --- | --- |
| 998,400 | 126 MB | 24.3 s | 878 MB | 512 MB |
| 1,999,200 | 249 MB | 35.6 s | 947 MB | 895 MB |
| 9,998,400 | 1,118 MB | 109.5 s | 1,732 MB | 3,678 MB |

What a search needs beyond its rows grows with the days and with the number of features: at most {cube:,} subsets of
features times days and {rules:,} rules, beyond which it is refused before it starts.
"""


def _example_files(spec: ExampleSpec) -> list[FileRows]:
    """Return the example as the files' rows would be read: what `lotus learn` sees of it."""
    out = []
    for day, columns in example_days(spec):
        typed: dict[str, Any] = {name: _coded(v) if v.dtype.kind == "U" else v for name, v in columns.items()}
        out.append(FileRows(f"{day}.csv", len(columns["ts"]), typed))
    return out


def _coded(values: NDArray[Any]) -> Coded:
    names, codes = np.unique(values, return_inverse=True)
    return Coded(tuple(names.tolist()), codes.astype(np.int32))


def own_signals_page() -> str:
    """Return the reference page."""
    head = ("column", "type", "unit", "required", "null", "meaning", "example")
    lines = ["## Columns", "", f"| {' | '.join(head)} |", "|" + " --- |" * len(head)]
    for c in COLUMNS:
        required = "yes" if c.required else "no"
        cells = (f"`{c.name}`", c.kind, c.unit, required, c.null, c.meaning, f"`{c.example}`")
        lines.append(f"| {' | '.join(cells)} |")
    spec, config = ExampleSpec(), OwnConfig()
    printed = text_of(facts_of(study(scored(table_of(_example_files(spec)), config), config), config))
    example = _EXAMPLE.format(
        effect=spec.effect_bps,
        printed=printed,
        rows=FIRST_ROWS,
        config=CONFIG_EXAMPLE,
        result=result_text(),
        cube=MAX_CUBE,
        rules=MAX_RULES,
    )
    return "\n".join([_INTRODUCTION, *lines, "", example])


if __name__ == "__main__":
    print(own_signals_page(), end="")
