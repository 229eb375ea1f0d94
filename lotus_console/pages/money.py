"""What beliefs earned: the same draws with them and without, what is expected over all draws, and day after day.

A day's sums are those that its nightly run noted; an interval, and any other span, is computed when it is asked for.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from markupsafe import Markup

from lotus.detectors.entry_style import EntryStyle
from lotus.errors import ConfigError
from lotus.outcomes.intervals import MIN_BLOCKS, student
from lotus.trading.accounts.belief_money import BPS, BeliefMoney, PaidWindows
from lotus_console.charts import two_lines, with_reach
from lotus_console.reading import HomeReading
from lotus_console.tables import LONGEST, Answer, Filter, Question, ShownColumn, Table, ValueKind, selected
from lotus_console.views import Facts, PageView
from lotus_store.facts.pnl.beliefs import READING, beliefs_of

DAY_TEXT: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
NEWEST = 7  # days where none is named


def days_paid(reading: HomeReading) -> list[dict[str, Any]]:
    """Return what each day paid with beliefs and without, and the sums since the first one, oldest first, USD.

    `gain_sum_usd` is what beliefs earned since then, `gain_low_usd` and `gain_high_usd` its 95 % interval.
    """
    rows = reading.rows("sig", "money_days")
    ends = sum_reach([row["gain_usd"] for row in rows])
    return [
        {**row, "gain_sum_usd": (gain := row["with_sum_usd"] - row["without_sum_usd"]),
         "gain_low_usd": gain - half, "gain_high_usd": gain + half}
        for row, half in zip(rows, ends, strict=True)
    ]  # fmt: skip


def sum_reach(gains: Sequence[float]) -> list[float]:
    """Return half of the 95 % interval of each running sum, days as blocks; NaN before the fifth day.

    Of n days with mean m it is t sqrt(n / (n - 1) sum (gain - m)^2), Student's t with n - 1 degrees.
    """
    n = np.arange(1.0, len(gains) + 1.0)
    values = np.asarray(gains, np.float64)
    spread = np.maximum(0.0, np.cumsum(values * values) - np.cumsum(values) ** 2 / n)
    half = np.full(len(gains), np.nan)
    for k in range(MIN_BLOCKS - 1, len(gains)):
        half[k] = student(k + 1) * np.sqrt((k + 1) / k * spread[k])
    return [float(x) for x in half]


def _days(reading: HomeReading, question: Question) -> Answer:
    rows, has_more = selected(reading, "sig", "money_days", question, "day DESC")
    paid = {row["day"]: row for row in days_paid(reading)}
    return Answer([paid[row["day"]] for row in rows if row["day"] in paid], has_more, earned_words([*paid.values()]))


def earned_words(days: Sequence[Mapping[str, Any]]) -> str:
    """Return a sentence on what beliefs earned over some days."""
    if not days:
        return "No day was priced with beliefs and without"
    newest = days[-1]
    gain = newest["with_sum_usd"] - newest["without_sum_usd"]
    since = f"{len(days)} days to {newest['day']}" if len(days) > 1 else newest["day"]
    if all((day["with_usd"], day["with_windows"]) == (day["without_usd"], day["without_windows"]) for day in days):
        return f"No belief changed what was paid on {since}: {newest['with_sum_usd']:+,.2f} USD with them and without"
    sides = f"{newest['with_sum_usd']:+,.2f} with them, {newest['without_sum_usd']:+,.2f} without"
    low, high = newest["gain_low_usd"], newest["gain_high_usd"]
    reach = _reach((low, high)) if math.isfinite(low) else ""
    return f"Beliefs earned {gain:+,.2f} USD on {since}{reach}: {sides}"


def curve_of(days: Sequence[Mapping[str, Any]]) -> Markup:
    """Return the sums with beliefs and without from zero, and what beliefs earned with its interval; nothing without.

    The interval begins with the fifth day.
    """
    if not days:
        return Markup("")
    first, second = ([0.0, *(day[name] for day in days)] for name in ("with_sum_usd", "without_sum_usd"))
    both = two_lines(first, second, "with beliefs, without them dashed", "USD")
    if not math.isfinite(days[-1]["gain_low_usd"]):
        return both
    gain, low, high = ([day[name] for day in days] for name in ("gain_sum_usd", "gain_low_usd", "gain_high_usd"))
    return both + with_reach(gain, low, high, "earned by beliefs, 95 % dashed", "USD")


def _day_asked(given: Mapping[str, str], name: str) -> str:
    """Return the day of a parameter, "" without one; raises `ConfigError` for what would only sort like a day."""
    text = given.get(name, "")
    if text and not DAY_TEXT.fullmatch(text):
        raise ConfigError(f"{name} is {text[:LONGEST]!r}", "a day, YYYY-MM-DD")
    return text


def money_facts(reading: HomeReading, given: Mapping[str, str]) -> Facts:
    """Return windows and money with beliefs and without; raises `ConfigError` where no day was scored."""
    there = reading.lake.days("signal_events", reading.settings.branch)
    first = _day_asked(given, "from") or (there[-NEWEST:] or [""])[0]
    last = _day_asked(given, "to") or None
    days, money = _earned(reading, first, last)
    crossing = money.styles[0]
    reach = crossing.gain_interval
    return {
        "title": f"Beliefs earned {crossing.gain_usd:+,.2f} USD on {len(days)} days" + _reach(reach),
        "from": days[0], "to": days[-1], "reading": READING, "probe_usd": money.probe_usd,
        "moved": money.moved, "expected_usd": money.expected_usd, "error_usd": money.expected_se_usd,
        "unpriced": crossing.unpriced,
        "sides": [
            _side("with beliefs", crossing.with_beliefs, money.probe_usd),
            _side("without beliefs", crossing.without, money.probe_usd),
            _side("brought in by them", crossing.added, money.probe_usd),
            _side("kept out by them", crossing.dropped, money.probe_usd),
        ],
    }  # fmt: skip


def _earned(reading: HomeReading, first: str, last: str | None) -> tuple[list[str], BeliefMoney]:
    """Return what was computed last for the same content of the same days, else compute it."""
    branch, lake = reading.settings.branch, reading.lake
    parts = [
        (name, day, lake.hash_of(name, branch, day))
        for name in ("signal_events", "signal_eval")
        for day in lake.days(name, branch)
        if first <= day and (name == "signal_eval" or day <= (last or day))
    ]
    key = (first, last, *parts)
    return reading.memory.of(
        "money", key, lambda: beliefs_of(reading.settings, first, last, styles=(EntryStyle.CROSS,))
    )


def _reach(reach: tuple[float, float] | None) -> str:
    return "" if reach is None else f", 95 % {reach[0]:+,.2f} to {reach[1]:+,.2f}"


def _side(name: str, side: PaidWindows, probe_usd: float) -> dict[str, Any]:
    mean = side.usd / side.windows / probe_usd * BPS if side.windows else None
    return {"name": name, "windows": side.windows, "usd": side.usd, "bps": mean}


DAYS = Table(
    "money_days", "Money by day", "What did probes of published windows pay, with beliefs and without, day by day? The "
    "windows that matured on the day, modelled after all costs; nothing was traded so.",
    (
        ShownColumn("day", "day", ValueKind.DAY, link="/beliefs/money?from={day}&to={day}", is_ordered=True),
        ShownColumn("with_usd", "with beliefs", ValueKind.USD, "USD", is_ordered=True),
        ShownColumn("without_usd", "without", ValueKind.USD, "USD", is_ordered=True),
        ShownColumn("gain_usd", "earned by them", ValueKind.USD, "USD", is_ordered=True),
        ShownColumn("with_windows", "windows", ValueKind.COUNT),
        ShownColumn("without_windows", "without", ValueKind.COUNT, about="windows published without beliefs"),
        ShownColumn("gain_sum_usd", "earned since the first day", ValueKind.USD, "USD", "95 % with days as blocks, "
                    "from the fifth day on", span=("gain_low_usd", "gain_high_usd")),
        ShownColumn("gain_low_usd", "95 % from", ValueKind.USD, "USD", is_shown=False),
        ShownColumn("gain_high_usd", "95 % to", ValueKind.USD, "USD", is_shown=False),
        ShownColumn("with_sum_usd", "sum with", ValueKind.USD, "USD", "since the first day that was priced so"),
        ShownColumn("without_sum_usd", "sum without", ValueKind.USD, "USD", "since the first day that was priced so"),
    ),
    _days, (Filter("day", "day"),),
    empty="no day was priced so yet: `lotus backfill` prices each day when its windows mature",
    links=(("with an interval", "/beliefs/money"),),
)  # fmt: skip
MONEY = PageView(
    "/beliefs/money", "Money", "What did beliefs earn?", money_facts, "money.html", accepts=("from", "to")
)  # fmt: skip
