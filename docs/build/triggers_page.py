"""The reference page of the trigger language, written from its tables: `docs/reference/triggers.md`.

`python docs/build/triggers_page.py > docs/reference/triggers.md`. Only text is made here; facts that the page states
belong into `operators`, `units` and `events`.
"""

from collections.abc import Iterable
from typing import Final

from lotus.triggers.arguments import range_of
from lotus.triggers.operators import (
    LEVELS,
    LIMIT,
    LONGEST_LOOKBACK_MS,
    OPERATORS,
    QUANTITIES,
    OperatorParameter,
    TriggerOperator,
)
from lotus.triggers.parser import MAX_DEPTH, MAX_PARTS, MAX_TEXT
from lotus.triggers.units import SPELLINGS

WORDS: Final[tuple[tuple[str, str, str], ...]] = (
    ("a AND b", "both at this frame; inside WITHIN what has happened since it armed counts", "AND"),
    ("a OR b", "one or both, likewise", "OR"),
    ("NOT a", "a does not hold at this frame; inside WITHIN it has not happened since it armed", "NOT"),
    (
        "a WITHIN 6h",
        "armed by the first of its operators that happens; from then on happenings are remembered and levels stand "
        "still; holds at the frame at which `a` holds, and is over when the limit has passed",
        "WITHIN",
    ),
)
MEANINGS: Final[dict[str, str]] = {
    "%": "hundredth of the price, or of the quantity",
    "bps": "hundredth of a %",
    "sigma": "standard deviation of the changes from bar to bar",
    "usd": "US dollars",
    "ms": "milliseconds",
    "s": "seconds",
    "m": "minutes",
    "h": "hours",
    "d": "days of 24 h",
}
_HEAD: Final = f"""# The trigger language

This page is written from the tables that the checker reads (`lotus/triggers`); a test keeps them equal.

A trigger says when a plan may enter: `breakout(lookback=20, band=2sigma) AND retest(level=prev_high, tol=0.15%) WITHIN
6h IF adv_usd > 1e9, spread_bps < 5`. What stands after `IF` are preconditions: comparisons that must hold at the frame
at which it fires, and are told when they do not; they may also be given beside the text. Every text is a trigger or
fails with line, column and cause. A text has at most {MAX_TEXT} characters, {MAX_DEPTH} levels and {MAX_PARTS}
conditions and words that join them. What is printed (one spelling of words, units and numbers, as few brackets as
possible; arguments as they were given) is read again as the same trigger.

## What is watched

- A watcher sees the frames of one asset in order, live one by one or a day at once, with the same events. Nothing but
  frames that have ended is read. Prices are mids in USD; a frame without a quote has none and changes nothing but time.
- **Bars** are made from frames: bar k of b ms holds the frames that end in (k b, (k + 1) b], cut in UTC. `lookback=20`
  counts the last 20 **whole** bars before the one that is open, by default of one minute. A bar is whole when all its
  frames were seen; one without any mid breaks the row, and a level is unknown until there are enough bars in a row.
  `lookback` times `bar` is at most {LONGEST_LOOKBACK_MS // 3_600_000} h. `sigma` is the sample deviation of the
  changes from close to close of these bars.
- A **gap** (missing frames, or `gap_flag`) begins a new life: bars and sides are forgotten, whatever was armed is
  rejected, because nobody knows what happened in it.
- Frames before the start of the watch only fill bars and sides; they arm and fire nothing. `warm_up_ms` says how many
  are needed; with them a watch begun anew says what one that never stopped says, so nothing else need be stored.

## WITHIN

From weakest to strongest: `IF`, `OR`, `WITHIN`, `AND`, `NOT`, in any case. `a AND b WITHIN 6h` bounds both. Idle, a
WITHIN waits for one of its operators that is neither a retest nor denied. That frame **arms** it: every level inside it
stands still from then on, what happens is remembered, and comparisons are judged as they are now. It holds at the first
frame at which its condition holds, the arming one included; it is over, and idle again, once a frame ends later than
the limit ({{limit}}) after the frame that armed it. A frame that ends it may arm it anew. While it is armed further
happenings of the same operator change nothing. In a WITHIN the lookback and bar of a level default to those of its
first breakout, so that `prev_high` is the high that was broken. A WITHIN around one condition has nothing to count from
and is refused: how long a whole trigger is watched is its `valid_until`.

## Events

| status | cause | said when |
| --- | --- | --- |
| `armed` | `began` | an operator of a WITHIN happened; with the levels that stand still and the deadline |
| `fired` | `holds` | the trigger begins to hold (it did not at the frame before) and every precondition holds |
| `rejected` | `precondition` | the trigger begins to hold, a precondition does not; unknown quantities hold nothing |
| `rejected` | `rest` | a WITHIN held at a frame at which the trigger around it did not begin to hold |
| `rejected` | `gap` | a gap came while a WITHIN was armed |
| `expired` | `limit` | the limit of an armed WITHIN passed |
| `expired` | `valid_until` | the whole trigger is over: the first frame that ends after its validity |

Events of one frame stand in this order: validity, gap, limits, armed, then fired or rejected; inside each in the order
of the text, inner parts before outer ones. After `expired` (limit) and `rejected` the watch goes on and may arm again.
After `fired` it is over, unless it was asked to go on; then a trigger must stop holding before it can fire again.
"""


def triggers_page() -> str:
    """Return the page, Markdown."""
    parts = [
        _HEAD.format(limit=range_of(LIMIT)),
        "## Operators\n",
        *map(_operator, OPERATORS),
        "## Words\n",
        _table(("written", "holds"), ((f"`{written}`", meaning) for written, meaning, _ in WORDS)),
        "\n## Levels\n",
        _table(("level", "is"), [*((f"`{n}`", m) for n, m in LEVELS.items()), ("a number", "a price in USD above 0")]),
        "\n## Units\n",
        _table(("unit", "spelled", "meaning"), map(_unit, MEANINGS.items())),
        "\n## Quantities\n\n`quantity < number`, `<=`, `>`, `>=`. A number without a unit is in the quantity's own;"
        " while a quantity is unknown no comparison with it holds.\n",
        _table(
            ("quantity", "literal", "is"),
            ((f"`{q.name}`", f"`{q.unit}`" if q.unit else "no unit", q.meaning) for q in QUANTITIES.values()),
        ),
    ]
    return "\n".join(parts)


def _operator(operator: TriggerOperator) -> str:
    rows = (_parameter(p) for p in operator.parameters)
    return "\n".join((
        f"### `{operator.name}`\n",
        f"Happens {operator.happens}. `{operator.example}`\n",
        _table(("parameter", "is", "default", "range", "meaning"), rows),
        "",
    ))  # fmt: skip


def _parameter(p: OperatorParameter) -> tuple[str, ...]:
    return f"`{p.name}`", p.kind.value, f"`{p.default}`" if p.default else "must be given", range_of(p), p.meaning


def _unit(item: tuple[str, str]) -> tuple[str, ...]:
    unit, meaning = item
    return f"`{unit}`", " ".join(f"`1{s}`" for s, canonical in SPELLINGS.items() if canonical == unit), meaning


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, tuple("---" for _ in head), *rows))


if __name__ == "__main__":
    print(triggers_page())
