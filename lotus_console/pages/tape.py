"""Tape: is what was recorded whole? Minutes and gaps of a day, days, segments, lines put aside, and parity by day."""

from collections.abc import Mapping
from typing import Any, TypedDict

from lotus_console.minutes import MinuteRow, minute_rows
from lotus_console.pages.home import tape_branch
from lotus_console.pages.numbers import part_of_day, percent, share_covered
from lotus_console.reading import HomeReading
from lotus_console.tables import Answer, Filter, Question, ShownColumn, Table, ValueKind, of_list, selected
from lotus_console.views import Facts, PageView
from lotus_store.facts.words import clock


class AssetMinutes(TypedDict):
    """A day of one asset: its covered share, messages, minutes that are not whole, longest gap in ms."""

    asset: str
    share: float | None
    messages: int
    minutes: int
    thin: int
    gaps: int
    longest_ms: int


class TapeFacts(TypedDict):
    """One day of the tape, and the other days that can be asked for."""

    title: str
    day: str
    days: list[str]
    assets: list[AssetMinutes]
    checks: list[dict[str, Any]]
    rows: list[MinuteRow]


def tape_facts(reading: HomeReading, given: Mapping[str, str]) -> Facts:
    """Return a day's minutes by asset; raises `LookupError` for a day that the tape does not have."""
    branch, tape = tape_branch(reading), reading.settings.tape
    days = reading.lake.days("tape_completeness", branch)
    day = given.get("day") or (days[-1] if days else "")
    if given.get("day") and day not in days:
        raise LookupError(f"the tape {tape} has no minutes of {day[:40]!r}")
    if not day:
        return {"title": "Nothing is recorded yet", "day": "", "days": [], "assets": [], "checks": [], "rows": []}
    minutes, gaps = part_of_day(reading, "tape_completeness", branch, day), gaps_of_day(reading, day)
    names = _names(reading)
    assets = [_asset(name, k, minutes, [gap for gap in gaps if gap["asset"] == name]) for k, name in enumerate(names)]
    share = share_covered(reading, branch, day)
    whole = "No second was expected" if share is None else f"{percent(share)} of the expected seconds are there"
    return {
        "title": f"{whole} on {day}",
        "day": day,
        "days": days[-60:][::-1],
        "assets": assets,
        "checks": reading.rows("sig", "checks_of_day", of=branch, day=day),
        "rows": minute_rows(names, minutes),
    }


def _asset(name: str, index: int, minutes: Mapping[str, list[Any]], gaps: list[dict[str, Any]]) -> AssetMinutes:
    places = [k for k, asset in enumerate(minutes.get("asset", ())) if asset == index]
    expected = sum(minutes["expected_s"][k] for k in places)
    return {
        "asset": name,
        "share": sum(min(minutes["covered_s"][k], minutes["expected_s"][k]) for k in places) / expected
        if expected
        else None,
        "messages": sum(minutes["messages"][k] for k in places),
        "minutes": len(places),
        "thin": sum(minutes["expected_s"][k] > 0 and minutes["share"][k] < 0.999 for k in places),
        "gaps": len(gaps),
        "longest_ms": max((gap["length_ms"] for gap in gaps), default=0),
    }


def _names(reading: HomeReading) -> list[str]:
    return [asset.name for asset in reading.settings.manifest.universe]


def gaps_of_day(reading: HomeReading, day: str) -> list[dict[str, Any]]:
    """Return the gaps of a day, longest first."""
    part, names = part_of_day(reading, "tape_gaps", tape_branch(reading), day), _names(reading)
    columns = (part.get(name, ()) for name in ("asset", "start_ms", "end_ms", "seq"))
    gaps = [
        {"day": day, "asset": names[asset] if asset < len(names) else str(asset), "start_ms": start, "end_ms": end,
         "length_ms": end - start, "seq": seq}
        for asset, start, end, seq in zip(*columns, strict=True)
    ]  # fmt: skip
    return sorted(gaps, key=lambda gap: -gap["length_ms"])


def _newest(reading: HomeReading, question: Question, table: str) -> str:
    days = reading.lake.days(table, tape_branch(reading))
    return question.filters.get("day") or (days[-1] if days else "")


def _minutes(reading: HomeReading, question: Question) -> Answer:
    day, names = _newest(reading, question, "tape_completeness"), _names(reading)
    part = part_of_day(reading, "tape_completeness", tape_branch(reading), day) if day else {}
    rows = [dict(zip(part, values, strict=True)) | {"day": day} for values in zip(*part.values(), strict=True)]
    for row in rows:
        row["asset"] = names[row["asset"]] if row["asset"] < len(names) else str(row["asset"])
    rows.sort(key=lambda row: (row["share"] if row["expected_s"] else 2.0, row["minute_ms"], row["asset"]))
    thin = sum(row["expected_s"] > 0 and row["share"] < 0.999 for row in rows)
    return of_list(rows, question, f"{thin} of {len(rows):,} minutes of {day or 'no day'} are not whole")


def _gaps(reading: HomeReading, question: Question) -> Answer:
    day = _newest(reading, question, "tape_gaps")
    rows = gaps_of_day(reading, day) if day else []
    return of_list(rows, question, f"{len(rows)} gaps on {day or 'no day'}")


def _days(reading: HomeReading, question: Question) -> Answer:
    place = {"tape": reading.settings.tape, "of": tape_branch(reading)}
    rows, has_more = selected(reading, "sig", "tape_days", question, "day DESC", **place)
    return Answer(rows, has_more, f"The days of the tape {reading.settings.tape}")


def _segments(reading: HomeReading, question: Question) -> Answer:
    rows, has_more = selected(
        reading, "sig", "tape_segments", question, "day DESC, path DESC", tape=reading.settings.tape
    )
    return Answer(rows, has_more, f"The segments of the tape {reading.settings.tape}")


def _put_aside(reading: HomeReading, question: Question) -> Answer:
    rows, has_more = selected(reading, "sig", "quarantine", question, "day DESC, seq, kind", tape=reading.settings.tape)
    return Answer(rows, has_more, "Lines that could not be read, and why" if rows else "No line was put aside")


def _parity(reading: HomeReading, question: Question) -> Answer:
    rows, has_more = selected(reading, "sig", "parity", question, "day DESC")
    for row in rows:
        row["committed"] = clock(int(row["committed_at"].timestamp() * 1000))[:19].replace("T", " ")
        row["verdict"] = "nothing compared" if row["unseen"] else "equal" if row["passed"] else "differs"
    seen = [row for row in rows if not row["unseen"]]
    title = (
        f"{sum(row['passed'] for row in seen)} of {len(seen)} compared days are equal"
        if seen
        else "No day was compared"
    )
    return Answer(rows, has_more, title)


DAY, ASSET = Filter("day", "day"), Filter("asset", "asset")
MS = "ms"
MINUTES = Table(
    "tape_minutes", "Minutes", "Which minutes of a day are not whole?",
    (
        ShownColumn("day", "day", ValueKind.DAY), ShownColumn("asset", "asset", is_ordered=True),
        ShownColumn("minute_ms", "minute", ValueKind.TIME, is_ordered=True),
        ShownColumn("share", "covered", ValueKind.SHARE, about="covered over expected seconds", is_ordered=True),
        ShownColumn("covered_s", "seconds covered", ValueKind.NUMBER, "s"),
        ShownColumn("quoted_s", "by quotes", ValueKind.NUMBER, "s", is_ordered=True),
        ShownColumn("ctx_s", "by contexts", ValueKind.NUMBER, "s", is_ordered=True),
        ShownColumn("expected_s", "expected", ValueKind.NUMBER, "s"),
        ShownColumn("messages", "messages", ValueKind.COUNT, is_ordered=True),
        ShownColumn("books", "books", ValueKind.COUNT), ShownColumn("bbos", "bests", ValueKind.COUNT),
        ShownColumn("trades", "trades", ValueKind.COUNT), ShownColumn("ctxs", "contexts", ValueKind.COUNT),
    ),
    _minutes, (DAY, ASSET), empty="no minute was counted: `lotus backfill` counts those of a day",
)  # fmt: skip
GAPS = Table(
    "tape_gaps", "Gaps", "When was nothing heard?",
    (
        ShownColumn("day", "day", ValueKind.DAY), ShownColumn("asset", "asset", is_ordered=True),
        ShownColumn("start_ms", "from", ValueKind.TIME, is_ordered=True), ShownColumn("end_ms", "to", ValueKind.TIME),
        ShownColumn("length_ms", "length", ValueKind.COUNT, MS, is_ordered=True),
        ShownColumn("seq", "line before", ValueKind.COUNT),
    ),
    _gaps, (DAY, ASSET), empty="no gap on this day",
)  # fmt: skip
DAYS = Table(
    "tape_days", "Days", "What did each day bring?",
    (
        ShownColumn("day", "day", ValueKind.DAY, link="/tape?day={day}", is_ordered=True),
        ShownColumn("segments", "segments", ValueKind.COUNT),
        ShownColumn("lines", "lines", ValueKind.COUNT, is_ordered=True),
        ShownColumn("bytes", "stored", ValueKind.COUNT, "B", is_ordered=True),
        ShownColumn("first_ms", "from", ValueKind.TIME), ShownColumn("last_ms", "to", ValueKind.TIME),
        ShownColumn("gaps", "gaps", ValueKind.COUNT, is_ordered=True),
        ShownColumn("quarantined", "put aside", ValueKind.COUNT, "lines", is_ordered=True),
        ShownColumn("duplicates", "double", ValueKind.COUNT, "lines"),
        ShownColumn("late_share", "late", ValueKind.SHARE, about="events received after a later one of their asset"),
        ShownColumn("damaged", "damaged", ValueKind.COUNT, "segments"),
        ShownColumn("checked", "checked", ValueKind.FLAG),
    ),
    _days, (DAY,), empty="nothing is recorded: `lotus live` records, `lotus import` takes a recording",
)  # fmt: skip
SEGMENTS = Table(
    "tape_segments", "Segments", "Which files hold the tape?",
    (
        ShownColumn("day", "day", ValueKind.DAY, is_ordered=True), ShownColumn("path", "file", ValueKind.CODE),
        ShownColumn("state", "state", is_ordered=True), ShownColumn("lines", "lines", ValueKind.COUNT, is_ordered=True),
        ShownColumn("bytes", "stored", ValueKind.COUNT, "B", is_ordered=True),
        ShownColumn("first_ms", "from", ValueKind.TIME), ShownColumn("last_ms", "to", ValueKind.TIME),
        ShownColumn("silences", "silences", ValueKind.COUNT, about="of the whole stream, beyond 10 s"),
        ShownColumn("sha256", "hash", ValueKind.CODE, is_shown=False),
    ),
    _segments, (DAY, Filter("state", "state", ("closed", "pruned", "damaged"))),
    empty="no segment is closed yet: `lotus live` closes one each quarter of an hour",
)  # fmt: skip
PUT_ASIDE = Table(
    "quarantine", "Put aside", "Which lines could not be read?",
    (
        ShownColumn("day", "day", ValueKind.DAY, is_ordered=True), ShownColumn("kind", "reason", is_ordered=True),
        ShownColumn("seq", "line", ValueKind.COUNT), ShownColumn("detail", "detail"),
        ShownColumn("sample", "its beginning", ValueKind.CODE),
    ),
    _put_aside, (DAY, Filter("kind", "reason")), empty="no line was put aside",
)  # fmt: skip
PARITY = Table(
    "parity", "Parity", "Is live what batch would say?",
    (
        ShownColumn("day", "day", ValueKind.DAY, is_ordered=True), ShownColumn("verdict", "verdict"),
        ShownColumn("text", "found"), ShownColumn("committed", "judged at, UTC"),
    ),
    _parity, (DAY,), empty="no day was scored yet: `lotus backfill` compares each day on which a daemon ran",
)  # fmt: skip
TAPE = PageView("/tape", "Tape", "Is the data whole?", tape_facts, "tape.html", ("day",), TapeFacts)
