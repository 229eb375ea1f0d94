"""Home: a question a line, each with its answer, its colour and what to do when it is not green.

Answers are of what is stored; nothing is computed again. What saw nothing is not green.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypedDict

import psycopg

from lotus.errors import LotusError
from lotus.modules.intents import Module
from lotus.timebase import DAY_MS, day_of, day_start_ms, next_day
from lotus_console.pages.money import curve_of, days_paid, earned_words
from lotus_console.pages.numbers import percent, share_covered
from lotus_console.reading import HomeReading
from lotus_console.views import Facts, PageView
from lotus_desk.safety import switch_act
from lotus_desk.safety.kill_switch import LIFTED, KillSwitch
from lotus_desk.watch.alerts import read_alerts
from lotus_live.reports.health import read_health
from lotus_store.facts.acts import held_back
from lotus_store.facts.words import clock
from lotus_store.ledger.messages import boxes

GREEN, AMBER, RED = "green", "amber", "red"
LATE_MS = 6 * 3_600_000  # after the end of a day its night should be over
FRESH_S = 2.0  # answers are as old as that at most
OLD_MS = 2 * DAY_MS
UNREAD = (LotusError, OSError, psycopg.Error)
WORST_FIRST = (RED, AMBER, GREEN)
ELSEWHERE = ("segments_intact", "gaps_accounted", "live_parity", "promises_kept")  # checks with a line of their own


class StatusLine(TypedDict):
    """One line: `command` is what to run when it is not green, `place` the page behind it."""

    question: str
    answer: str
    colour: Literal["green", "amber", "red"]
    command: str
    place: str


class HomeAnswer(TypedDict):
    """The page: its sentence, its lines, worst first, what beliefs earned, and its curve by day as SVG."""

    title: str
    lines: list[StatusLine]
    money: str
    curve: str


def home_facts(reading: HomeReading, _given: Mapping[str, str]) -> Facts:
    """Return the lines of the page, worst first; a line that cannot be read is red and says why."""
    turn = int(time.monotonic() / FRESH_S)
    lines = list(reading.memory.of("home", turn, lambda: [_line(*line, reading) for line in LINES]))
    lines.sort(key=lambda line: WORST_FIRST.index(line["colour"]))
    waiting = [line for line in lines if line["colour"] != GREEN]
    words = f"{len(waiting)} of {len(lines)} lines are not green"
    title = "Everything is as it should be" if not waiting else "One line is not green" if len(waiting) == 1 else words
    return {"title": title, "lines": lines, **_curve(reading, turn)}


def _curve(reading: HomeReading, turn: int) -> dict[str, str]:
    """Return what beliefs earned in words and as a curve by day; as the lines, it says why it cannot be read."""
    try:
        days = reading.memory.of("money days", turn, lambda: days_paid(reading))
    except UNREAD as error:
        return {"money": f"It cannot be read: {error}", "curve": ""}
    return {"money": earned_words(days), "curve": curve_of(days)}


Found = tuple[str, str]  # colour and answer


def _line(question: str, read: Callable[[HomeReading], Found], command: str, place: str, of: HomeReading) -> Facts:
    try:
        colour, answer = read(of)
    except UNREAD as error:
        colour, answer = RED, f"cannot be read: {error}"
    return {"question": question, "answer": answer, "colour": colour, "command": command, "place": place}


def tape_branch(reading: HomeReading) -> str:
    """Return the branch of tables that belong to the tape alone."""
    return f"tape.{reading.settings.tape}"


def nights(reading: HomeReading) -> dict[str, Any]:
    """Return which day's night ended and began last, and what the tape holds."""
    return reading.rows("sig", "nights_ended", tape=reading.settings.tape)[0]


def _tape(reading: HomeReading) -> Found:
    rows = reading.rows("sig", "checks_of_newest", of=tape_branch(reading))
    if not rows:
        return AMBER, f"nothing is recorded on the tape {reading.settings.tape}"
    wrong = [row for row in rows if not row["passed"]]
    if wrong:
        return RED, f"{rows[0]['day']}: {wrong[0]['text']}"
    gaps = [row["text"] for row in rows if (row["stage"], row["name"]) == ("microtape_frames", "gaps_accounted")]
    share = share_covered(reading, tape_branch(reading), rows[0]["day"])
    words = "no minute was counted" if share is None else f"{percent(share)} of the expected seconds"
    colour = GREEN if share is not None and share >= 0.999 and gaps else AMBER
    return colour, f"{rows[0]['day']}: {words}; {gaps[0] if gaps else 'no frames were made of it yet'}"


def _parity(reading: HomeReading) -> Found:
    rows = reading.rows("sig", "checks_named", of=reading.settings.branch, stage="signal_events", name="live_parity")
    seen = [row for row in rows if not row["unseen"]]
    if not seen:
        return AMBER, rows[0]["text"] if rows else "no day was compared"
    return (GREEN if seen[0]["passed"] else RED), f"{seen[0]['day']}: {seen[0]['text']}"


def _beliefs(reading: HomeReading) -> Found:
    rows = reading.rows("sig", "in_force")
    if not rows:
        return AMBER, "no version is in force"
    newest, now_ms = rows[0], nights(reading)["received_ms"] or time.time_ns() // 1_000_000
    age_ms = max(0, now_ms - newest["effective_from_ms"])
    words = f"{newest['braids'] or 0} braids in version {newest['priors_ver'][:8]} of the night of {newest['day']}"
    return (GREEN if age_ms <= OLD_MS else AMBER), f"{words}, in force from {clock(newest['effective_from_ms'])[:16]}"


def _night(reading: HomeReading) -> Found:
    found = nights(reading)
    ended, begun, recorded = found["ended"], found["begun"], found["recorded"]
    if ended is None:
        return AMBER, "no night has ended yet" if begun is None else f"the night of {begun} is under way, or failed"
    now_ms = time.time_ns() // 1_000_000
    over = min(recorded or ended, next_day(day_of(now_ms), -1))
    if ended >= max(over, begun):
        return GREEN, f"the night of {ended} ended; the tape holds no later whole day"
    waits = max(over, begun)
    is_late = now_ms > day_start_ms(next_day(waits)) + LATE_MS
    words = f"the night of {ended} ended, that of {waits} did not"
    return (RED if is_late else AMBER), f"{words}: {'it failed or is late' if is_late else 'it may be under way'}"


def _queue(reading: HomeReading) -> Found:
    reviewed = nights(reading)["reviewed"]
    if reviewed is None:
        return AMBER, "no night has made braids yet"
    night = reading.rows("sig", "newest")[0]["committed"]
    proposals = reading.memory.of("proposals", night, lambda: reading.rows("sig", "proposals_waiting")[0]["waiting"])
    acts = reading.rows("sig", "acts_waiting", reviewed=reviewed)[0]["waiting"]
    words = f"{proposals} proposals wait for a reviewer, {acts} acts wait for the next night"
    return (AMBER if proposals else GREEN), words


def _held(reading: HomeReading) -> Found:
    with reading.databases.connect("sig") as sig:
        is_vetoed, words = held_back(sig, reading.settings.branch)
    return (GREEN if is_vetoed is False else AMBER), words


def _alarms(reading: HomeReading) -> Found:
    checks = [
        row for row in reading.rows("sig", "checks_of_newest", of=reading.settings.branch)
        if row["name"] not in ELSEWHERE
    ]  # fmt: skip
    audits = reading.rows("sig", "audits_of_newest")
    now_ms = time.time_ns() // 1_000_000
    recorded = read_alerts(reading.settings.home / "live" / "alerts.jsonl")
    alerts = [alert for alert in recorded if alert.time_ms > now_ms - DAY_MS and alert.kind != switch_act.KIND]
    wrong = [f"{row['stage']}: {row['text']}" for row in checks if not row["passed"]]
    alarmed = [f"the audit of {row['name']}" for row in audits if row["alarm"]]
    words = "; ".join([*wrong, *alarmed, *(f"watchdog: {alert.kind}, {alert.found}" for alert in alerts[-3:])])
    if wrong or alerts:
        return RED, words
    if alarmed or not audits or not checks:
        return AMBER, words or "no night was audited yet"
    seen = sum(not row["unseen"] for row in checks)
    return GREEN, f"{seen} checks of {checks[0]['day']} passed and {len(audits)} detectors' audits are quiet"


def _promises(reading: HomeReading) -> Found:
    claims = reading.rows("dm", "claims")
    found = [one for row in claims for one in row["body"] if one["windows"]]
    checks = reading.rows("sig", "checks_named", of=reading.settings.branch, stage="dm_knowledge", name="promises_kept")
    seen = next((row for row in checks if not row["unseen"]), None)
    if found:
        weight = sum(one["windows"] for one in found)
        mean = sum(one["windows"] * one["found"] for one in found) / weight
        days = max(one["days"] for one in found)
        words = f"{mean:.2f} bps paid for each bps claimed, {weight:,} windows of at most {days} days"
        return (AMBER if mean < 0.5 or days < 10 else GREEN), words
    if seen is None:
        return AMBER, "nothing was promised yet"
    return (AMBER if seen["passed"] else RED), f"no braid's claim came due yet; scores: {seen['text']}"


def _money(reading: HomeReading) -> Found:
    found = reading.rows("sig", "earned")[0]
    if not found["windows"]:
        return AMBER, "nothing was executed"
    words = (
        f"7 days to {clock(found['newest_ms'])[:10]}: net {found['net_usd']:+,.2f} USD of {found['windows']:,} windows"
    )
    return (GREEN if found["net_usd"] > 0 else AMBER), f"{words} at {found['venues']}"


def _earned(reading: HomeReading) -> Found:
    days = days_paid(reading)
    gain = days[-1]["with_sum_usd"] - days[-1]["without_sum_usd"] if days else 0.0
    return (GREEN if gain > 0.0 else AMBER), earned_words(days)


def _safety(reading: HomeReading) -> Found:
    state = KillSwitch(reading.settings.home).state()
    if state != LIFTED:
        return RED, f"the switch is thrown ({state}): nothing is opened"
    health = read_health(reading.settings.home)
    colour = {"ok": GREEN, "warn": AMBER, "error": RED}[health.level]
    return colour, f"switch lifted; {health.text}"


def _messages(reading: HomeReading) -> Found:
    dead, waiting, oldest_s = 0, 0, 0.0
    for module in Module:
        with reading.databases.connect(module.value) as connection:
            lag = boxes.lag(connection, module.value)
            dead += len(boxes.dead_letters(connection, module.value))
            waiting, oldest_s = waiting + lag.outbox + lag.inbox, max(oldest_s, lag.oldest_s)
    words = f"{dead} dead letters, {waiting} wait" + (f", the oldest for {oldest_s:.0f} s" if waiting else "")
    return (RED if dead else AMBER if oldest_s > 60.0 else GREEN), words


LINES: Sequence[tuple[str, Callable[[HomeReading], Found], str, str]] = (
    ("Is the tape whole?", _tape, "lotus verify tape", "/tape"),
    ("Is live what batch would say?", _parity, "lotus verify parity", "/parity"),
    ("Did the last night end?", _night, "lotus backfill", "/experiments"),
    ("How old are beliefs?", _beliefs, "lotus priors", "/braids"),
    ("What waits for a reviewer?", _queue, "lotus review list", "/curation"),
    ("What do acts hold back?", _held, "lotus curate summary", "/governance"),
    ("Does anything alarm?", _alarms, "lotus doctor", "/detectors"),
    ("Do lessons keep their promises?", _promises, "lotus dm calibration", "/lessons"),
    ("What did it cost and earn?", _money, "lotus pnl", "/live"),
    ("What did beliefs earn?", _earned, "lotus pnl --beliefs", "/beliefs/money"),
    ("Is money safe?", _safety, "lotus live --status", "/live"),
    ("Do messages arrive?", _messages, "lotus herald dead", "/network"),
)
HOME = PageView("/", "Home", "Is everything all right?", home_facts, "home.html", answer=HomeAnswer)
