"""Candidates: what was bred or proposed, what it was charged, what decided, its life night by night, opinions on it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypedDict

from lotus_console.charts import up_and_down
from lotus_console.reading import HomeReading
from lotus_console.tables import Answer, Filter, Question, ShownColumn, Table, ValueKind, selected
from lotus_console.views import Facts, PageView

ORIGINS: Final = ("breed", "llm", "person")
OF_RUN: Final = ("n_before", "n_after", "bar", "trials", "cpu_s", "screened", "stopped_by")
OF_BODY: Final = ("expression", "side", "horizon_s", "t", "nodes", "depth", "spec", "found_as")


class CandidatePage(TypedDict):
    """One candidate."""

    title: str
    candidate_id: str
    charged: dict[str, Any]
    run: dict[str, Any]
    what: dict[str, Any]
    memory: str
    folds: list[float]
    daily_bps: list[float]
    drawn: str
    life: list[dict[str, Any]]
    forward: list[dict[str, Any]]
    steps: list[dict[str, Any]]
    opinions: list[dict[str, Any]]


def _candidates(reading: HomeReading, question: Question) -> Answer:
    rows, has_more = selected(reading, "sig", "candidates", question, "night DESC, t DESC NULLS LAST, candidate_id")
    for row in rows:
        row["memory"] = memory_words(row.pop("knows_until"))
    ever = reading.rows("sig", "trials_ever")[0]["n"]
    title = f"{ever:,} candidates were ever charged" if ever else "No candidate was ever tried"
    return Answer(rows, has_more, title, "Each is charged before it is scored, and raises the bar for all that follow.")


def memory_words(until: str | None) -> str:
    """Return what a model's part in a candidate means: until when it knows the market; "" where none had a part."""
    if until is None:
        return ""
    return f"knows until {until}" if until else "not known until when: never settles"


def candidate_facts(reading: HomeReading, given: Mapping[str, str]) -> Facts:
    """Return a candidate; raises `LookupError` for one that is not there."""
    name = given["candidate_id"]
    rows = reading.rows("sig", "candidate", candidate=name)
    if not rows:
        raise LookupError(f"there is no candidate {name[:40]!r}")
    row = rows[0]
    body = row.pop("body")
    life = reading.rows("sig", "life_of_candidate", candidate=name)
    daily = [float(x) for x in body.get("daily_bps", [])]
    decided = next((one for one in reversed(life) if one["state"] != "proposed"), life[-1])
    return {
        "title": f"{decided['state']}: {decided['reason']}",
        "candidate_id": name,
        "charged": row,
        "run": _run(reading, row["run"]),
        "what": {key: body.get(key) for key in OF_BODY},
        "memory": memory_words(row["knows_until"]),
        "folds": [float(x) for x in body.get("folds", [])],
        "daily_bps": daily,
        "drawn": _drawn(daily) if any(daily) else "",
        "life": life,
        "forward": reading.rows("sig", "forward_days_of_candidate", candidate=name),
        "steps": reading.rows("sig", "steps_of_candidate", candidate=name, run=row["run"]),
        "opinions": reading.rows("sig", "opinions_on_candidate", candidate=name),
    }


def _drawn(daily: Sequence[float]) -> str:
    up, down = [max(x, 0.0) for x in daily], [max(-x, 0.0) for x in daily]
    return up_and_down(up, down, "sum of s F by day of the span", "bps")


def _run(reading: HomeReading, run: str) -> dict[str, Any]:
    """Return what its run began and ended with; N before it where the run's own record is gone."""
    rows = reading.rows("sig", "run_of_candidate", run=run)
    metrics = rows[0]["metrics"] if rows else {}
    return {"run": run, **{name: metrics.get(name) for name in OF_RUN}}


CANDIDATES: Final = Table(
    "candidates", "Candidates", "What is on trial to become a detector?",
    (
        ShownColumn("expression", "signal", link="/candidates/{candidate_id}", is_wide=True, below="reason"),
        ShownColumn("candidate_id", "candidate", ValueKind.CODE, is_shown=False),
        ShownColumn("night", "night", ValueKind.DAY, is_ordered=True), ShownColumn("state", "state", is_ordered=True),
        ShownColumn("t", "T", ValueKind.NUMBER, about="sum of the days over the root of their squares",
                    is_ordered=True),
        ShownColumn("check_name", "check"), ShownColumn("value", "found", ValueKind.NUMBER),
        ShownColumn("bound", "needed", ValueKind.NUMBER),
        ShownColumn("number", "N", ValueKind.COUNT, about="its number among all that were ever charged",
                    is_ordered=True),
        ShownColumn("origin", "from"), ShownColumn("operator", "by", is_shown=False),
        ShownColumn("memory", "memory of the market"), ShownColumn("horizon_s", "horizon", ValueKind.COUNT, "s"),
        ShownColumn("nodes", "nodes", ValueKind.COUNT),
        ShownColumn("reason", "why", is_shown=False),
    ),
    _candidates, (Filter("state", "state"), Filter("origin", "from", ORIGINS), Filter("night", "night")),
    empty="none: `lotus breed` searches, `lotus detector new NAME` writes one by hand, `lotus detector use FILE` lets "
    "the running daemon score it beside the others, without trading it",
    links=(("runs", "/experiment_runs?kind=breed"), ("calls of the model", "/model_calls")),
)  # fmt: skip
CANDIDATE: Final = PageView(
    "/candidates/{candidate_id}", "Candidate", "What is it, what did it cost, and how far has it come?",
    candidate_facts, "candidate.html", (), CandidatePage,
)  # fmt: skip
