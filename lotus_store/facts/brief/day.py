"""The facts of the daily brief: what is believed, what was refused, money, data, and what waits for somebody.

One day of one branch, read from ledger and lake; nothing is judged beyond a colour for each question. How it reads is
`brief_page`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lotus.detectors.entry_style import EntryStyle
from lotus.errors import ConfigError
from lotus.microtape.completeness import TAPE_COMPLETENESS
from lotus.microtape.frames.spec import TAPE_GAPS
from lotus.modules.intents import Module
from lotus.timebase import DAY_MS, day_of, day_start_ms
from lotus.trading.accounts.belief_money import BeliefMoney
from lotus_store.config import Settings
from lotus_store.databases import Connection, Databases
from lotus_store.facts.brief.channels import channels_line, silences
from lotus_store.facts.brief.exploration import Bill, bill_of
from lotus_store.facts.brief.governed import NOTHING, Governed, governed_lines, governed_of
from lotus_store.facts.brief.line import BriefLine, Colour
from lotus_store.facts.brief.watched import watch_lines
from lotus_store.facts.lessons import NIGHT, Night, night_of
from lotus_store.facts.pnl.beliefs import beliefs_of
from lotus_store.facts.words import day_ranges
from lotus_store.lake import Lake
from lotus_store.ledger.beliefs.lessons import read_experiments
from lotus_store.ledger.beliefs.reviews import read_outcomes, read_reviews
from lotus_store.ledger.day_commits import DayCommit, commits_of_days, committed_days
from lotus_store.ledger.messages.boxes import dead_letters
from lotus_store.ledger.messages.herald_books import gaps
from lotus_store.ledger.signals.segments import read_quarantine

WEEK = 7  # days of money, of exploration and of `--week`, and of beliefs that end soon
WHOLE = 0.99  # share of the expected seconds from which a minute, and a day, counts as whole
WATCHED_E = 5.0  # an e-value against a belief that is worth a look; 20 ends it


@dataclass(frozen=True, slots=True)
class AssetData:
    """How whole a day of one asset is: share of the expected seconds, minutes below `WHOLE`, gaps, the longest in s."""

    asset: str
    share: float
    short_minutes: int
    gaps: int
    longest_gap_s: float


@dataclass(frozen=True, slots=True)
class DeskAlarm:
    """One alarm of the trader's watchdog: when (unix ms), of what kind, what was found and what was done."""

    time_ms: int
    kind: str
    found: str
    done: str


@dataclass(frozen=True, slots=True)
class Guards:
    """What the caller knows of the desk: what the kill switch does ("" for nothing), and the watchdog's alarms."""

    switch: str = ""
    alarms: Sequence[DeskAlarm] = ()

    def between(self, first: str, last: str) -> tuple[DeskAlarm, ...]:
        """Return the alarms from the start of a day to the end of the one after another, in which its night runs."""
        start, end = day_start_ms(first), day_start_ms(last) + 2 * DAY_MS
        return tuple(alarm for alarm in self.alarms if start <= alarm.time_ms < end)


@dataclass(frozen=True, slots=True)
class NightOfWeek:
    """A nightly run in the week's view; `gain_usd` and `share` are None where nothing was scored or recorded."""

    day: str
    tried: int
    found: int
    refused: int
    beliefs: int
    gain_usd: float | None
    share: float | None


@dataclass(frozen=True, slots=True)
class Brief:
    """One day: its nightly run, money of the day and of the week to it (none where nothing was scored), data, lines.

    `learned` is the newest nightly run up to the day that looked for lessons, that of the day where none did. `bill` is
    None where nothing explores. `week` holds the nightly runs of the seven days to the day where it was asked for;
    `alarms` are then of the week too.
    """

    branch: str
    tape: str
    day: str
    night: Night
    learned: Night
    money: Mapping[str, BeliefMoney]
    data: tuple[AssetData, ...]
    lines: tuple[BriefLine, ...]
    alarms: tuple[DeskAlarm, ...] = ()
    bill: Bill | None = None
    week: tuple[NightOfWeek, ...] = ()
    governed: Governed = NOTHING

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "branch": self.branch,
            "tape": self.tape,
            "day": self.day,
            "lines": [asdict(line) for line in self.lines],
            "night": self.night.as_json(),
            "learned": self.learned.as_json(),
            "money": {name: asdict(money) for name, money in self.money.items()},
            "data": [asdict(x) for x in self.data],
            "alarms": [asdict(x) for x in self.alarms],
            "bill": None if self.bill is None else asdict(self.bill),
            "week": [asdict(x) for x in self.week],
            "governed": asdict(self.governed),
        }


def brief_of(settings: Settings, day: str | None, guards: Guards, with_week: bool = False) -> Brief:
    """Return the brief of a day (None: of the newest nightly run), `with_week` also a line for each of seven days.

    Raises `LedgerError` where nothing was learned yet, `ConfigError` for a day without a nightly run.
    """
    with Databases(settings) as databases:
        with databases.connect("sig") as sig:
            nights = committed_days(sig, settings.branch, "lessons")
            chosen = day or (nights[-1] if nights else None)
            commits = [] if chosen is None else _commits(sig, settings, chosen)
            lost = 0 if chosen is None else len(read_quarantine(sig, settings.tape, chosen))
            open_acts = _open_acts(sig, settings.branch)
            looked = _newest_look(sig, settings.branch, [n for n in nights if n <= (chosen or "")])
            steered = () if chosen is None else governed_lines(settings, sig, chosen, commits)
            governed = NOTHING if chosen is None else governed_of(settings, sig, chosen, with_week)
            watched = () if chosen is None else watch_lines(settings, sig, chosen, all(n <= chosen for n in nights))
        letters = _letters(databases)
    night = night_of(settings, chosen, None)
    learned = night if looked in (None, night.day) else night_of(settings, looked, None)
    money, data = _money(settings, night.day), _data(settings, night.day)
    since = day_of(day_start_ms(night.day) - (WEEK - 1) * DAY_MS)
    bill = bill_of(settings, since, night.day, night.experiments)
    alarms = guards.between(since if with_week else night.day, night.day)
    lines = (
        *watched,
        _data_line(data, lost),
        channels_line(silences(_minutes(settings, night.day), settings.manifest.universe)),
        _checks_line(commits),
        _beliefs_line(night),
        *steered,
        _ends_line(night),
        _refusals_line(learned),
        _money_line(money),
        _acts_line(open_acts),
        _letters_line(letters),
        *([] if bill is None else [_bill_line(bill)]),
        _alarms_line(alarms),
        _switch_line(guards.switch),
    )
    week = [_night_of_week(settings, n) for n in nights if since <= n <= night.day] if with_week else []
    return Brief(
        settings.branch,
        settings.tape,
        night.day,
        night,
        learned,
        money,
        data,
        lines,
        alarms,
        bill,
        tuple(week),
        governed,
    )


def _night_of_week(settings: Settings, day: str) -> NightOfWeek:
    """Return a nightly run as a line of the week."""
    night, data = night_of(settings, day, None), _data(settings, day)
    try:
        gain: float | None = beliefs_of(settings, day, day, styles=(EntryStyle.CROSS,))[1].styles[0].gain_usd
    except ConfigError:  # nothing was scored
        gain = None
    share = sum(x.share for x in data) / len(data) if data else None
    tried = int(night.look.get("trials", 0)) if night.look.get("looked") else 0
    return NightOfWeek(day, tried, len(night.kept), len(night.refused), len(night.beliefs), gain, share)


def _newest_look(sig: Connection, branch: str, nights: list[str]) -> str | None:
    """Return the newest of some nightly runs that looked for lessons."""
    records = ((night, read_experiments(sig, branch, night, NIGHT).get(NIGHT, {})) for night in reversed(nights))
    return next((night for night, record in records if record.get("looked")), None)


def _commits(sig: Connection, settings: Settings, day: str) -> list[DayCommit]:
    branches = f"tape.{settings.tape}", settings.branch
    return [commit for branch in branches for commit in commits_of_days(sig, branch, [day])]


def _open_acts(sig: Connection, branch: str) -> int:
    done = {outcome.act.act_id for outcome in read_outcomes(sig, branch)}
    return sum(act.act_id not in done for act in read_reviews(sig, branch))


def _letters(databases: Databases) -> dict[str, tuple[int, int]]:
    """Return the dead letters of each module that were not sent again, and its missing numbers that nobody had."""
    found = {}
    for module in Module:
        with databases.connect(module.value) as connection:
            dead = len(dead_letters(connection, module.value))
            found[module.value] = dead, sum(state == "alarmed" for state in gaps(connection, module.value).values())
    return found


def _money(settings: Settings, day: str) -> dict[str, BeliefMoney]:
    """Return what the same draws paid with beliefs and without, on the day and on the week to it."""
    money: dict[str, BeliefMoney] = {}
    for first in (day, day_of(day_start_ms(day) - (WEEK - 1) * DAY_MS)):
        try:
            days, paid = beliefs_of(settings, first, day)
        except ConfigError:  # nothing was scored
            continue
        money[day_ranges(days)] = paid
    return money


def _minutes(settings: Settings, day: str) -> Mapping[str, Any]:
    """Return TAPE_COMPLETENESS of a day, nothing for a day without tape."""
    lake, branch = Lake(settings.lake_root), f"tape.{settings.tape}"
    is_there = lake.exists(TAPE_COMPLETENESS.name, branch, day)
    return lake.read(TAPE_COMPLETENESS.name, branch, day) if is_there else {}


def _data(settings: Settings, day: str) -> tuple[AssetData, ...]:
    """Return how whole the day is, by asset in the order of the universe; nothing for a day without tape."""
    minutes = _minutes(settings, day)
    if not minutes:
        return ()
    lake, branch = Lake(settings.lake_root), f"tape.{settings.tape}"
    lasted = np.zeros(0), np.zeros(0, np.int64)
    if lake.exists(TAPE_GAPS.name, branch, day):
        found = lake.read(TAPE_GAPS.name, branch, day)
        lasted = (found["end_ms"] - found["start_ms"]) / 1000.0, found["asset"]
    rows = []
    for number, asset in enumerate(settings.manifest.universe):
        own = minutes["asset"] == number
        expected, covered = minutes["expected_s"][own], minutes["covered_s"][own]
        seconds = lasted[0][lasted[1] == number]
        share = float(np.minimum(covered, expected).sum() / expected.sum()) if expected.sum() > 0.0 else 0.0
        short = int(np.count_nonzero(covered < WHOLE * expected))
        rows.append(AssetData(asset.name, share, short, len(seconds), float(seconds.max(initial=0.0))))
    return tuple(rows)


def _data_line(data: tuple[AssetData, ...], lost: int) -> BriefLine:
    if not data:
        return BriefLine(Colour.ACT, "Is the data whole?", "there is no tape of the day", "lotus tape list")
    worst = min(data, key=lambda x: x.share)
    answer = (
        f"{sum(x.share for x in data) / len(data):.2%} of the expected seconds, least {worst.asset} with "
        f"{worst.share:.2%}; {sum(x.gaps for x in data)} gaps; {lost:,} lines put aside"
    )
    colour = Colour.GOOD if worst.share >= WHOLE and not lost else Colour.LOOK
    return BriefLine(colour, "Is the data whole?", answer, "lotus tape list")


def _checks_line(commits: list[DayCommit]) -> BriefLine:
    checks = [(commit.stage, check) for commit in commits for check in commit.notes.get("checks", [])]
    failed = [f"{stage} {check['name']}: {check['text']}" for stage, check in checks if not check["passed"]]
    unseen = sum(bool(check.get("unseen")) for _, check in checks)
    answer = f"{len(checks) - len(failed)} of {len(checks)} passed, {unseen} of them saw nothing"
    answer = "; ".join([answer, *failed])
    return BriefLine(Colour.ACT if failed else Colour.GOOD, "Did the checks pass?", answer, "lotus up")


def _beliefs_line(night: Night) -> BriefLine:
    doubted = [braid for braid, _ in night.beliefs if braid.e_value >= WATCHED_E]
    answer = f"{len(night.beliefs)} in force"
    answer += "".join(f"; e-value {b.e_value:.1f} against {b.detector_id} ({b.braid_id[:8]})" for b in doubted)
    return BriefLine(Colour.LOOK if doubted else Colour.GOOD, "Do beliefs hold?", answer, "lotus lessons")


def _ends_line(night: Night) -> BriefLine:
    left = [(days, b) for b, _ in night.beliefs if (days := night.days_left(b)) is not None and days <= WEEK]
    answer = "; ".join(f"{b.detector_id} ({b.braid_id[:8]}) in {days} days" for days, b in sorted(left, key=_days))
    colour = Colour.LOOK if left else Colour.GOOD
    return BriefLine(colour, f"Which end within {WEEK} days?", answer or "none", "lotus review list")


def _days(item: tuple[int, Any]) -> int:
    return item[0]


def _refusals_line(night: Night) -> BriefLine:
    if not night.look.get("looked"):
        return BriefLine(Colour.GOOD, "What was learned?", "this nightly run did not look", "lotus lessons")
    answer = (
        f"{night.day}: {night.look['trials']:,} rules tried over {night.look['learning_days']} days, {len(night.kept)} "
        f"accepted or proposed, {len(night.refused)} refused"
    )
    return BriefLine(Colour.GOOD, "What was learned?", answer, "lotus lessons --refused")


def _money_line(money: Mapping[str, BeliefMoney]) -> BriefLine:
    question, command = "What did beliefs pay?", "lotus pnl --beliefs"
    if not money:
        return BriefLine(Colour.LOOK, question, "nothing was scored", command)
    days, paid = list(money.items())[-1]
    cross = paid.styles[0]
    reach = cross.gain_interval
    words = "too few blocks for an interval" if reach is None else f"95 % {reach[0]:+.2f} to {reach[1]:+.2f}"
    answer = f"{cross.gain_usd:+.2f} USD more than the same draws without them, {days}, {cross.style} ({words})"
    lost = reach is not None and reach[1] < 0.0
    return BriefLine(Colour.LOOK if lost else Colour.GOOD, question, answer, command)


def _acts_line(waiting: int) -> BriefLine:
    answer = f"{waiting} acts wait for the next nightly run" if waiting else "nothing"
    return BriefLine(Colour.GOOD, "What waits for a decision?", answer, "lotus review list")


def _letters_line(letters: Mapping[str, tuple[int, int]]) -> BriefLine:
    parts = [f"{name}: {dead} dead letters, {missing} lost" for name, (dead, missing) in letters.items()]
    parts = [text for text, counts in zip(parts, letters.values(), strict=True) if any(counts)]
    answer = "; ".join(parts) or "every message arrived"
    return BriefLine(Colour.ACT if parts else Colour.GOOD, "Did messages arrive?", answer, "lotus herald dead")


def _bill_line(bill: Bill) -> BriefLine:
    answer = (
        f"{bill.publications:.1f} publications beyond those of the scores, expected to pay {bill.usd:+.2f} USD in all, "
        f"{bill.days or 'no day has matured'}; {len(bill.rows)} experiments in this nightly run"
    )
    return BriefLine(Colour.GOOD, "What did exploration cost?", answer, "lotus lessons")


def _alarms_line(alarms: Sequence[DeskAlarm]) -> BriefLine:
    question, command = "Did the trader alarm?", "lotus watchdog --status"
    if not alarms:
        return BriefLine(Colour.GOOD, question, "no", command)
    newest = alarms[-1]
    answer = f"{len(alarms)} times, at last {newest.kind}: found {newest.found}; {newest.done}"
    return BriefLine(Colour.ACT, question, answer, command)


def _switch_line(switch: str) -> BriefLine:
    if not switch:
        return BriefLine(Colour.GOOD, "Is trading allowed?", "the kill switch is not thrown", "lotus kill")
    return BriefLine(Colour.ACT, "Is trading allowed?", f"no, it is {switch}", "lotus kill --lift")
