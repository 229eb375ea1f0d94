"""Drift: each series of a day beside days like it, and the alarms of monitors that wait for somebody."""

from typing import Any

from lotus.monitoring.drift_table import DRIFT_REPORT, Verdict
from lotus.monitoring.e_detector import ALARM
from lotus.monitoring.sketch_table import FAMILIES
from lotus_console.pages.numbers import part_of_day
from lotus_console.reading import HomeReading
from lotus_console.tables import Answer, Filter, Question, ShownColumn, Table, ValueKind, of_list, selected

WORDS = {verdict.value: verdict.name.lower().replace("_", " ") for verdict in Verdict}


def _drift(reading: HomeReading, question: Question) -> Answer:
    """Return the series of a day, those that carry the most evidence first."""
    branch = reading.settings.branch
    days = reading.lake.days(DRIFT_REPORT.name, branch)
    day = question.filters.get("day") or (days[-1] if days else "")
    part = part_of_day(reading, DRIFT_REPORT.name, branch, day) if day in days else {}
    rows = [_row(day, dict(zip(part, values, strict=True))) for values in zip(*part.values(), strict=True)]
    rows.sort(key=lambda row: (-row["r"], row["family"], row["asset"], row["subject"], row["series"]))
    alarms = sorted({row["family"] for row in rows if row["family_r"] >= ALARM})
    tested = sum(row["verdict"] == WORDS[Verdict.TESTED] for row in rows)
    title = f"{tested} of {len(rows)} series of {day or 'no day'} were tested"
    return of_list(rows, question, f"{', '.join(alarms)} in alarm: {title}" if alarms else title)


def _row(day: str, row: dict[str, Any]) -> dict[str, Any]:
    plain = {name: None if value != value else value for name, value in row.items()}
    return {**plain, "day": day, "verdict": WORDS[row["verdict"]]}


def _alarms(reading: HomeReading, question: Question) -> Answer:
    rows, has_more = selected(reading, "sig", "alarms", question, "time_ms DESC, kind, subject")
    return Answer(rows, has_more, "Alarms of the monitors" if rows else "No monitor has alarmed")


DRIFT = Table(
    "drift", "Drift", "What differs from days like it?",
    (
        ShownColumn("day", "day", ValueKind.DAY), ShownColumn("family", "family", is_ordered=True),
        ShownColumn("asset", "asset", is_ordered=True), ShownColumn("subject", "detector", is_ordered=True),
        ShownColumn("series", "series", is_ordered=True), ShownColumn("verdict", "verdict", is_ordered=True),
        ShownColumn("found", "found", ValueKind.NUMBER, about="median or number of the day"),
        ShownColumn("expected", "on like days", ValueKind.NUMBER),
        ShownColumn("like_days", "like days", ValueKind.COUNT, is_ordered=True),
        ShownColumn("x", "distance", ValueKind.NUMBER, "IQR or MAD", is_ordered=True),
        ShownColumn("p", "rank", ValueKind.NUMBER, about="among the last 90 tested days, 0 the furthest",
                    is_ordered=True),
        ShownColumn("r", "evidence", ValueKind.NUMBER, about="sum of bets since the family's last alarm",
                    is_ordered=True),
        ShownColumn("family_r", "of its family", ValueKind.NUMBER, about="mean; an alarm from 365 on", is_ordered=True),
        ShownColumn("is_named", "named", ValueKind.FLAG), ShownColumn("e", "bet", ValueKind.NUMBER, is_shown=False),
        ShownColumn("psi", "PSI", ValueKind.NUMBER, about="shown, never tested", is_ordered=True),
        ShownColumn("ks", "KS", ValueKind.NUMBER, about="shown, never tested", is_ordered=True),
    ),
    _drift,
    (Filter("day", "day"), Filter("family", "family", FAMILIES), Filter("asset", "asset"),
     Filter("verdict", "verdict", tuple(WORDS.values()))),
    empty="no day was compared: `lotus backfill` sketches days, and compares from the second month on",
)  # fmt: skip
ALARMS = Table(
    "alarms", "Alarms", "What did the monitors alarm about?",
    (
        ShownColumn("time_ms", "when", ValueKind.TIME, is_ordered=True), ShownColumn("kind", "kind", is_ordered=True),
        ShownColumn("subject", "subject", is_ordered=True), ShownColumn("found", "found", is_wide=True),
        ShownColumn("expected", "expected", is_wide=True), ShownColumn("severity", "severity", is_ordered=True),
        ShownColumn("act_id", "act", ValueKind.CODE, is_shown=False),
    ),
    _alarms, (Filter("kind", "kind"), Filter("severity", "severity", ("warn", "error"))),
    empty="no monitor has alarmed",
)  # fmt: skip
