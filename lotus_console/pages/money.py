"""What beliefs earned: the same draws with them and without, and what is expected over all draws."""

from collections.abc import Mapping
from typing import Any

from lotus.detectors.entry_style import EntryStyle
from lotus.trading.accounts.belief_money import BPS, BeliefMoney, PaidWindows
from lotus_console.reading import HomeReading
from lotus_console.tables import LONGEST
from lotus_console.views import Facts, PageView
from lotus_store.facts.pnl.beliefs import READING, beliefs_of

NEWEST = 7  # days where none is named


def money_facts(reading: HomeReading, given: Mapping[str, str]) -> Facts:
    """Return windows and money with beliefs and without; raises `ConfigError` where no day was scored."""
    there = reading.lake.days("signal_events", reading.settings.branch)
    first = given.get("from", "")[:LONGEST] or (there[-NEWEST:] or [""])[0]
    last = given.get("to", "")[:LONGEST] or None
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


MONEY = PageView(
    "/beliefs/money", "Money", "What did beliefs earn?", money_facts, "money.html", accepts=("from", "to")
)  # fmt: skip
