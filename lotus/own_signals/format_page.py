"""The format of an events file in words: for `--explain-columns`, and as a reference page.

`python -m lotus.own_signals.format_page > docs/reference/own_signals.md`; a test compares them. What a column is stands
in `columns`.
"""

import textwrap
from typing import Any

from lotus.own_signals.bins import MAX_CUBE, MAX_RULES
from lotus.own_signals.columns import COLUMNS, CONFIG_EXAMPLE, FIRST_ROWS, FileColumn

_INTRODUCTION = """\
# Own signals: the format of the files that `lotus learn` reads

Written from the table in `lotus/own_signals/columns.py` by `python -m lotus.own_signals.format_page`; edit that.

`lotus learn --events DIR` reads every `*.csv`, `*.csv.gz` and `*.parquet` file below a folder as one table; how rows
are split into files and ordered changes nothing. A row is one window of one detector and asset in which it had
something to say, **published or not**: without the windows that were not published nothing can be compared. Empty
cells, `null`, `NaN` and `NA` are null. Columns that are not listed here are not used, and named. Row numbers in
messages count from 1 without the header.
"""

_EXAMPLE = """\
## A worked example

The first rows of a file:

```csv
{rows}```

The first and the second row are draws with the same probability, 0.31; the first was published and its executed payoff
is known, the second was not and only the paper payoff is. In the third the detector hardly wanted to publish.

```
lotus learn --events my_signals --out report
```

prints the lessons with grade, interval and bound, what was refused and why, and the number of rules that were tried,
and writes `report/report.html` (one file, no network) and `report/result.json`. `--json` prints the same object. With
`--nightly` every night of the file is replayed as if it had been looked at then, with the slots of a budget year.

At least 11 days of matured windows are needed: the first day has no bins, and a rule must be seen on ten. One set of
files is **one look** at a family-wise error of 4 % over all its detectors together. Trying again with other
features, bins or horizons until something passes is many looks, and no statistics can see that; keep a part of the days
away for it.

## The configuration

Optional, `--config FILE.yaml`:

```yaml
{config}```

## What the grades say

| propensity | payoff | grade | what it may do |
| --- | --- | --- | --- |
| logged, 0 < p < 1 in the rule | `payoff_bps`, `fill_source: venue` | A | act |
| logged | `payoff_bps` | B | act |
| logged | only `paper_payoff_bps`, or no draw was random in the rule | C, MODEL_ONLY | propose an experiment |
| none | any | D, REFUSED | be shown as an association |

The other horizons of a draw are described beside its lessons (mean payoff, interval, share above zero), never searched.

## What the report shows

`report.html`: the forest plot of lessons and refusals, the life line of each (uplift and evidence by day, and with
`--nightly` the e-process of the days after it was found), maps of two features, the calibration of the propensity, the
audits, the smallest uplift this sample would have shown in 80 % of cases, and what a table of hit rates would have
said.

## Times and days

A window counts on the day and in the six-hour block in which its longest horizon is known (`ts + horizon_s`). Bins of
day d follow from the seven days before d, per asset; the control variate of a file without paper payoffs follows from
earlier days. Nothing of an earlier day changes when later days are added or taken away.

## Size

Files are read whole. What a search needs beyond its rows grows with the days and with the number of features: at most
{cube:,} subsets of features times days and {rules:,} rules, beyond which it is refused before it starts.
"""


def columns_text() -> str:
    """Return the format for a terminal, with an example and a configuration."""
    lines = ["COLUMNS of the CSV or Parquet files in --events", ""]
    for c in COLUMNS:
        meaning = textwrap.fill(c.meaning, 100, initial_indent="    ", subsequent_indent="    ")
        lines += [f"{c.name}   {_kind(c)}", meaning, f"    null: {c.null}; example: {c.example}"]
    lines += ["", "FIRST ROWS of an example", "", FIRST_ROWS, "CONFIGURATION (optional, --config)", "", CONFIG_EXAMPLE]
    return "\n".join(lines).rstrip("\n")


def columns_json() -> dict[str, Any]:
    """Return the format as plain values."""
    return {
        "columns": [
            {"name": c.name, "type": c.kind, "required": c.required, "unit": c.unit, "null": c.null,
             "meaning": c.meaning, "example": c.example}
            for c in COLUMNS
        ],
        "example": FIRST_ROWS,
        "config": CONFIG_EXAMPLE,
    }  # fmt: skip


def format_page() -> str:
    """Return the reference page."""
    head = ("column", "type", "unit", "required", "null", "meaning", "example")
    lines = ["## Columns", "", f"| {' | '.join(head)} |", "|" + " --- |" * len(head)]
    for c in COLUMNS:
        required = "yes" if c.required else "no"
        cells = (f"`{c.name}`", c.kind, c.unit, required, c.null, c.meaning, f"`{c.example}`")
        lines.append(f"| {' | '.join(cells)} |")
    example = _EXAMPLE.format(rows=FIRST_ROWS, config=CONFIG_EXAMPLE, cube=MAX_CUBE, rules=MAX_RULES)
    return "\n".join([_INTRODUCTION, *lines, "", example])


def _kind(c: FileColumn) -> str:
    unit = f", {c.unit}" if c.unit else ""
    return f"{c.kind}{unit}, {'required' if c.required else 'optional'}"


if __name__ == "__main__":
    print(format_page(), end="")
