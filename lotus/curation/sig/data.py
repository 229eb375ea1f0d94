"""The data curator: a detector whose input went missing, and a coin whose feed is late or changed its unit, are vetoed.

A column that goes null in more than a fifth of the frames on half of the coins, where it usually does not, silences the
detectors that read it. A series on which the monitors raised an alarm costs its readers the whole nudge for five days.
(Literature: data quality gates, circuit breaker.)
"""

from statistics import median
from typing import Final

from lotus.curation.act import AT, CurationKind
from lotus.curation.facts import NightFacts, Proposal
from lotus.curation.feed_health import DECIMALS, LAG, MID, OI
from lotus.timebase import next_day

MOST_NULL: Final = 0.20
USUALLY_NULL: Final = 0.05
MIN_DAYS: Final = 5  # of history, below which nothing is usual
MOST_LAG_MS: Final = 2_000.0
UNIT_FACTOR: Final = 8.0  # of two days' medians: no price and no open interest moves so far, a changed unit does
IN_UNITS: Final = {MID: "price", OI: "open interest"}
ALARM_DAYS: Final = 5


def judge(facts: NightFacts, kappa: float) -> list[Proposal]:
    """Return vetoes of detectors and coins, and nudges of the readers of an alarmed series."""
    broken = {name: coins for name in _columns(facts) if (coins := _gone(facts, name))}
    out = [
        Proposal(
            CurationKind.VETO, d.detector_id, 0.0, "; ".join(f"{name} is null on {broken[name]}" for name in names)
        )
        for d in facts.detectors
        if (names := sorted(d.reads & broken.keys()))
    ]
    out += [
        Proposal(CurationKind.VETO, f"{AT}{coin}", 0.0, why) for coin in facts.assets if (why := _fault(facts, coin))
    ]
    since = next_day(facts.day, 1 - ALARM_DAYS)
    alarmed = {name for name, day in facts.alarmed.items() if since <= day <= facts.day}
    return out + [
        Proposal(CurationKind.NUDGE, d.detector_id, -kappa, f"alarm on {', '.join(names)}")
        for d in facts.detectors
        if kappa and (names := sorted(d.reads & alarmed))
    ]


def _columns(facts: NightFacts) -> list[str]:
    return sorted(set().union(*(d.reads for d in facts.detectors)))


def _gone(facts: NightFacts, name: str) -> str:
    """Return the coins on which a column went null, "" where they are fewer than half of those that had frames."""
    present = [coin for coin in facts.assets if (coin, name) in facts.feed.nulls]
    gone = [
        coin
        for coin in present
        if facts.feed.nulls[coin, name] > MOST_NULL and _usual(facts, coin, name) <= USUALLY_NULL
    ]
    return ", ".join(gone) if gone and 2 * len(gone) >= len(present) else ""


def _usual(facts: NightFacts, coin: str, name: str) -> float:
    before = [day.nulls[coin, name] for day in facts.feed_before if (coin, name) in day.nulls]
    return median(before) if len(before) >= MIN_DAYS else 1.0


def _fault(facts: NightFacts, coin: str) -> str:
    now = facts.feed.values
    before = facts.feed_before[-1].values if facts.feed_before else {}
    lag, decimals = (now.get((coin, series)) for series in (LAG, DECIMALS))
    if lag is not None and lag > MOST_LAG_MS:
        return f"1 % of the quotes came more than {lag:.0f} ms after their time, the limit being {MOST_LAG_MS:.0f}"
    if decimals is not None and before.get((coin, DECIMALS), decimals) != decimals:
        return f"sizes have {decimals:.0f} decimals, {before[coin, DECIMALS]:.0f} the day before"
    for series, name in IN_UNITS.items():
        median, last = now.get((coin, series)), before.get((coin, series))
        if median and last and max(median / last, last / median) >= UNIT_FACTOR:
            return f"the median {name} is {median / last:.4g} times that of the day before: another unit"
    return ""
