"""What-ifs: what was asked of stored days, what the log and the tape answered, and at which level."""

from typing import Any, Final

from lotus_console.reading import HomeReading
from lotus_console.tables import Answer, Filter, Question, ShownColumn, Table, ValueKind, selected

_NAMES: Final = ("total", "low", "high")


def _what_ifs(reading: HomeReading, question: Question) -> Answer:
    rows, has_more = selected(reading, "sig", "what_ifs", question, "created_at DESC, number DESC, what_if_id")
    return Answer([_row(row) for row in rows], has_more, "What was asked" if rows else "Nothing was asked yet")


def _row(row: dict[str, Any]) -> dict[str, Any]:
    body = row.pop("body")
    log, tape = body["log"], body["tape"]
    plain, honest = (log or {}).get("plain", {}), (log or {}).get("honest", {})
    found = {f"log_{name}": _number(plain.get(name)) for name in _NAMES}
    found |= {f"honest_{name}": _number(honest.get(name)) for name in _NAMES[1:]}
    found |= {f"tape_{name}": _number((tape or {}).get("value", {}).get(name)) for name in _NAMES}
    level = None if log is None else log["level"]
    words = [(log or {}).get("refused", "")]
    words += ["the log and the tape disagree about costs"] if body["cost_model_disagrees"] else []
    says = "; ".join(word for word in words if word) or ("shown" if log and log["is_shown"] else "not shown")
    row["created_at"] = row["created_at"].isoformat()[:19].replace("T", " ")
    return {**row, **found, "level": level, "says": says, "grade": (tape or {}).get("grade", "")}


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, float | int) else None


WHAT_IFS: Final = Table(
    "what_ifs", "What-ifs", "What would have been?",
    (
        ShownColumn("what_if_id", "question", ValueKind.CODE, is_shown=False),
        ShownColumn("number", "number", ValueKind.COUNT, about="among the questions on days that overlap"),
        ShownColumn("change", "change", is_wide=True), ShownColumn("from_day", "from", ValueKind.DAY),
        ShownColumn("to_day", "to", ValueKind.DAY),
        ShownColumn("log_total", "by the log", ValueKind.BPS, "bps", span=("log_low", "log_high"),
                    about="sum over all windows that matured, with its 95 % interval over days"),
        ShownColumn("honest_low", "low", ValueKind.BPS, "bps", about="at the level that the number leaves"),
        ShownColumn("honest_high", "high", ValueKind.BPS, "bps", about="at the level that the number leaves"),
        ShownColumn("level", "level", ValueKind.NUMBER),
        ShownColumn("tape_total", "on the tape", ValueKind.BPS, "bps", span=("tape_low", "tape_high")),
        ShownColumn("grade", "grade"), ShownColumn("says", "effect", is_wide=True),
        ShownColumn("created_at", "asked at", unit="UTC", is_shown=False),
    ),
    _what_ifs, (Filter("from_day", "from"), Filter("to_day", "to")),
    empty="nothing was asked: `lotus what-if --from DAY --to DAY --without NAME`",
    links=(("what was tried", "/experiments"),),
)  # fmt: skip
