"""Experiments: what was tried, with which settings, seeds and hashes, and what came of it; and what-ifs."""

import json
from collections.abc import Mapping
from typing import Any, Final, TypedDict

from lotus_console.reading import HomeReading
from lotus_console.tables import Answer, Filter, Question, ShownColumn, Table, ValueKind, selected
from lotus_console.views import Facts, PageView
from lotus_store.json_values import plain

KINDS = ("run", "night", "detector", "audit", "experiment", "horizon", "meta_state", "effect")
RUN_KINDS = ("learn", "what-if", "fixtures", "breed")
RUN_STATES = ("running", "ok", "failed", "refused", "lost")
DEEP, MOST = 6, 600  # of a body, levels and lines shown
_NAMES: Final = ("total", "low", "high")


class ExperimentLine(TypedDict):
    """One value of an experiment by its path, and that of the one beside it."""

    path: str
    value: str
    beside: str
    differs: bool


class ExperimentFacts(TypedDict):
    """One row of the registry, line by line."""

    title: str
    day: str
    kind: str
    name: str
    git_sha: str
    beside: str
    lines: list[ExperimentLine]
    days: list[str]


def _experiments(reading: HomeReading, question: Question) -> Answer:
    rows, has_more = selected(reading, "sig", "experiments", question, "day DESC, kind, name")
    for row in rows:
        row["says"] = _summary(row.pop("body"))
    return Answer(rows, has_more, "What was tried" if rows else "Nothing was tried yet")


def _summary(body: Any) -> str:
    found = [(path, value) for path, value in _flat(body) if value not in ("", "[]", "{}")]
    return ", ".join(f"{path} {value[:40]}" for path, value in found[:5])


def _flat(body: Any, path: str = "", depth: int = 0) -> list[tuple[str, str]]:
    """Return the values of a body with their paths, lists of plain values as one."""
    if depth < DEEP and isinstance(body, Mapping) and body:
        return [
            line for key, value in body.items() for line in _flat(value, f"{path}.{key}" if path else key, depth + 1)
        ]
    if depth < DEEP and isinstance(body, list) and any(isinstance(one, Mapping | list) for one in body):
        return [line for k, value in enumerate(body[:50]) for line in _flat(value, f"{path}[{k}]", depth + 1)]
    return [(path or "value", body if isinstance(body, str) else json.dumps(plain(body)))]


def experiment_facts(reading: HomeReading, given: Mapping[str, str]) -> Facts:
    """Return a row and the one of the day beside it; raises `LookupError` for one that is not there."""
    row = _row(reading, given, given["day"])
    if row is None:
        raise LookupError(f"nothing of the kind {given['kind'][:40]!r} was tried on {given['day'][:20]!r} by that name")
    days = [one["day"] for one in reading.rows("sig", "days_of_experiment", kind=given["kind"], name=given["name"])]
    beside = given.get("beside", "")
    other = dict(_flat((_row(reading, given, beside) or {}).get("body", {}))) if beside else {}
    lines = [
        {
            "path": path,
            "value": value,
            "beside": other.get(path, ""),
            "differs": bool(beside) and other.get(path) != value,
        }
        for path, value in _flat(row["body"])[:MOST]
    ]
    return {
        "title": f"{row['kind']} {row['name']} of {row['day']}", "day": row["day"], "kind": row["kind"],
        "name": row["name"], "git_sha": row["git_sha"], "beside": beside, "lines": lines, "days": days,
    }  # fmt: skip


def _row(reading: HomeReading, given: Mapping[str, str], day: str) -> dict[str, Any] | None:
    rows = reading.rows("sig", "experiment", day=day, kind=given["kind"], name=given["name"])
    return rows[0] if rows else None


EXPERIMENTS = Table(
    "experiments", "Registry", "What did we try?",
    (
        ShownColumn("day", "night", ValueKind.DAY, is_ordered=True), ShownColumn("kind", "kind", is_ordered=True),
        ShownColumn("name", "name", link="/experiments/{day}/{kind}/{name}", is_ordered=True),
        ShownColumn("says", "found"), ShownColumn("git_sha", "commit", ValueKind.CODE, is_shown=False),
    ),
    _experiments, (Filter("kind", "kind", KINDS), Filter("day", "night"), Filter("name", "name")),
    empty="nothing was tried: `lotus backfill` runs nights, `lotus lessons` says how far the search is",
)  # fmt: skip
EXPERIMENT = PageView(
    "/experiments/{day}/{kind}/{name}", "Experiment", "What was tried, and what came of it?", experiment_facts,
    "experiment.html", ("beside",), ExperimentFacts,
)  # fmt: skip


def _what_ifs(reading: HomeReading, question: Question) -> Answer:
    rows, has_more = selected(reading, "sig", "what_ifs", question, "created_at DESC, number DESC, what_if_id")
    return Answer([_asked(row) for row in rows], has_more, "What was asked" if rows else "Nothing was asked yet")


def _asked(row: dict[str, Any]) -> dict[str, Any]:
    body = row.pop("body")
    log, tape = body["log"], body["tape"]
    plain, honest = (log or {}).get("plain", {}), (log or {}).get("honest", {})
    found = {f"log_{name}": _bps(plain.get(name)) for name in _NAMES}
    found |= {f"honest_{name}": _bps(honest.get(name)) for name in _NAMES[1:]}
    found |= {f"tape_{name}": _bps((tape or {}).get("value", {}).get(name)) for name in _NAMES}
    level = None if log is None else log["level"]
    words = [(log or {}).get("refused", "")]
    words += ["the log and the tape disagree about costs"] if body["cost_model_disagrees"] else []
    says = "; ".join(word for word in words if word) or ("shown" if log and log["is_shown"] else "not shown")
    row["created_at"] = row["created_at"].isoformat()[:19].replace("T", " ")
    return {**row, **found, "level": level, "says": says, "grade": (tape or {}).get("grade", "")}


def _bps(value: Any) -> float | None:
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
        *(ShownColumn(name, name.replace("_", " "), ValueKind.BPS, "bps", is_shown=False)
          for name in ("log_low", "log_high", "tape_low", "tape_high")),
        ShownColumn("grade", "grade"), ShownColumn("says", "effect", is_wide=True),
        ShownColumn("created_at", "asked at", unit="UTC", is_shown=False),
    ),
    _what_ifs, (Filter("from_day", "from"), Filter("to_day", "to")),
    empty="nothing was asked: `lotus what-if --from DAY --to DAY --without NAME`",
    links=(("what was tried", "/experiments"),),
)  # fmt: skip


def _runs(reading: HomeReading, question: Question) -> Answer:
    rows, has_more = selected(reading, "sig", "experiments_run", question, "started_at DESC, run_id")
    for row in rows:
        row["asked"], row["found"] = _summary(row.pop("config")), _summary(row.pop("metrics"))
        row["started_at"] = row["started_at"].isoformat()[:19].replace("T", " ")
    return Answer(rows, has_more, "What was run" if rows else "Nothing was run yet")


EXPERIMENT_RUNS: Final = Table(
    "experiment_runs", "Runs", "What did we run?",
    (
        ShownColumn("run_id", "run", ValueKind.CODE), ShownColumn("kind", "kind"), ShownColumn("status", "state"),
        ShownColumn("started_at", "began", unit="UTC"), ShownColumn("seconds", "took", ValueKind.NUMBER, "s"),
        ShownColumn("asked", "asked", is_wide=True), ShownColumn("found", "found", is_wide=True),
        ShownColumn("fixtures_hash", "fixtures", ValueKind.CODE, is_shown=False),
        ShownColumn("git_sha", "commit", ValueKind.CODE, is_shown=False),
    ),
    _runs, (Filter("kind", "kind", RUN_KINDS), Filter("status", "state", RUN_STATES)),
    empty="nothing was run: `lotus what-if`, `lotus learn --home`, `lotus fixtures verify` leave a row each",
    links=(("what nights tried", "/experiments"),),
)  # fmt: skip
