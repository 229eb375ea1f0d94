"""Detectors and experts: how each one fares, what it is, and what speaks against it."""

from collections.abc import Mapping
from typing import Any, TypedDict

from lotus.detectors.cards.card import static_card, verdict_word
from lotus.detectors.cards.card_facts import Estimate
from lotus_console.marked import Block, blocks
from lotus_console.pages.numbers import part_of_day
from lotus_console.reading import HomeReading
from lotus_console.tables import Answer, Filter, Question, ShownColumn, Table, ValueKind, of_list, selected
from lotus_console.views import Facts, PageView
from lotus_store.facts.cards import acts_reaching, experts_words, merged_days, rung_of, scoring_words, stored_cards

CARDS, AUDITS = "detector_cards", "detector_audits"


class DetectorCard(TypedDict):
    """One version of a detector: card in blocks, rung, acts on it, cost, audits of the newest day, nights, versions."""

    title: str
    detector_id: str
    version: int
    versions: list[int]
    day: str
    card: list[Block]
    rung: dict[str, str]
    acts: list[dict[str, Any]]
    cost: str
    audits: list[dict[str, Any]]
    nights: list[dict[str, Any]]


def _newest(reading: HomeReading, table: str) -> tuple[str, list[dict[str, Any]]]:
    """Return the newest day of a table of the branch and its rows."""
    days = reading.lake.days(table, reading.settings.branch)
    part = part_of_day(reading, table, reading.settings.branch, days[-1]) if days else {}
    return (days[-1] if days else ""), [dict(zip(part, row, strict=True)) for row in zip(*part.values(), strict=True)]


def _detectors(reading: HomeReading, question: Question) -> Answer:
    day, rows = _newest(reading, CARDS)
    shipped = {d.detector_id: d for d in reading.detectors()}
    if not rows:
        rows = [{"detector_id": name, "spec_version": d.version, "stage": d.status} for name, d in shipped.items()]
    columns = [column.name for column in DETECTORS.columns]
    for row in rows:
        net = Estimate(row["net_bps"], row["net_low_bps"], row["net_high_bps"], 0, 0) if "net_bps" in row else None
        row["verdict"] = verdict_word(net)
        row["idea"] = shipped[row["detector_id"]].idea if row["detector_id"] in shipped else ""
        row.update({name: row.get(name) for name in columns})
    losing = sum(row["verdict"] == "loses" for row in rows)
    return of_list(
        rows, question, f"{len(rows)} detectors after {day}, {losing} lose" if day else "No day is committed"
    )


def _audits(reading: HomeReading, question: Question) -> Answer:
    day, rows = _newest(reading, AUDITS)
    rows.sort(key=lambda row: (row["passed"], row["detector_id"], row["audit"]))
    failed = sum(not row["passed"] for row in rows)
    return of_list(
        rows, question, f"{failed} of {len(rows)} audits of {day} failed" if day else "Nothing was audited yet"
    )


def detector_facts(reading: HomeReading, given: Mapping[str, str]) -> Facts:
    """Return a detector's card and what is beside it; raises `LookupError` for an unknown one."""
    name, branch = given["detector_id"], reading.settings.branch
    spec = next((d for d in reading.detectors() if d.detector_id == name), None)
    stored = stored_cards(reading.lake, branch, name)
    if spec is not None and spec.version not in stored:
        stored[spec.version] = {"card": static_card(spec), "day": ""}
    wanted = given.get("version", "")
    version = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 9 else max(stored, default=0)
    if version not in stored:
        raise LookupError(f"there is no detector {name[:60]!r} of version {version}")
    row = stored[version]
    _, audits = _newest(reading, AUDITS)
    card = blocks(merged_days(str(row["card"])))
    with reading.databases.connect("sig") as sig:
        acts, cost = acts_reaching(sig, branch, name), scoring_words(sig, branch, name)
        cost = f"{cost} {experts_words(sig, branch, len(reading.detectors()))}"
    return {
        "title": card[0]["text"] if card else name,
        "detector_id": name,
        "version": version,
        "versions": sorted(stored),
        "day": row["day"],
        "card": card[1:],
        "rung": rung_of(reading.lake, branch, name, version),
        "acts": acts,
        "cost": cost,
        "audits": [a for a in audits if (a["detector_id"], a["spec_version"]) == (name, version)],
        "nights": reading.rows("sig", "nights_of_detector", detector_id=name),
    }


def _experts(reading: HomeReading, question: Question) -> Answer:
    rows, has_more = selected(reading, "sig", "experts", question, "status, place, expert_id")
    return Answer(rows, has_more, "What each expert's calls were worth" if rows else "No expert is registered")


NET = ("net_low_bps", "net_high_bps")
DETECTORS = Table(
    "detectors", "Detectors", "What is each detector, and does it pay?",
    (
        ShownColumn("detector_id", "detector", link="/detectors/{detector_id}", is_ordered=True),
        ShownColumn("spec_version", "version", ValueKind.COUNT), ShownColumn("stage", "stage", is_ordered=True),
        ShownColumn("verdict", "verdict"),
        ShownColumn("net_bps", "net, published", ValueKind.BPS, "bps", "mean modelled payoff, costs are in", span=NET,
                    is_ordered=True),
        ShownColumn("net_low_bps", "95 % from", ValueKind.BPS, "bps", is_shown=False),
        ShownColumn("net_high_bps", "95 % to", ValueKind.BPS, "bps", is_shown=False),
        ShownColumn("sq_score", "quality", ValueKind.NUMBER, about="signal quality in force", is_ordered=True),
        ShownColumn("signals", "signals", ValueKind.COUNT, is_ordered=True),
        ShownColumn("published", "published", ValueKind.COUNT, is_ordered=True),
        ShownColumn("days", "days", ValueKind.COUNT), ShownColumn("since", "since", ValueKind.DAY),
        ShownColumn("idea", "idea"), ShownColumn("spec_id", "identity", ValueKind.CODE, is_shown=False),
    ),
    _detectors, (Filter("stage", "stage", ("experimental", "active", "deprecated", "archived")),),
    empty="no detector of this kind; `lotus detector new NAME` begins one",
)  # fmt: skip
AUDIT_TABLE = Table(
    "audits", "Audits", "Does any detector know the future, or break?",
    (
        ShownColumn("detector_id", "detector", link="/detectors/{detector_id}", is_ordered=True),
        ShownColumn("kind", "kind"), ShownColumn("audit", "audit", is_ordered=True),
        ShownColumn("passed", "passed", ValueKind.FLAG),
        ShownColumn("value", "value", ValueKind.NUMBER, is_ordered=True),
        ShownColumn("bound", "bound", ValueKind.NUMBER), ShownColumn("windows", "windows", ValueKind.COUNT),
        ShownColumn("spec_version", "version", ValueKind.COUNT, is_shown=False),
    ),
    _audits, (Filter("detector_id", "detector"), Filter("kind", "kind", ("leakage", "adversarial", "curator"))),
    empty="nothing was audited yet: `lotus backfill` audits each day",
)  # fmt: skip
EXPERTS = Table(
    "experts", "Experts", "What is each expert's word worth?",
    (
        ShownColumn("expert_id", "expert", is_ordered=True), ShownColumn("status", "status"),
        ShownColumn("reliability", "reliability", ValueKind.NUMBER, "", "1/2: its calls earn nothing", is_ordered=True),
        ShownColumn("reliability_low", "95 % from", ValueKind.NUMBER),
        ShownColumn("reliability_high", "to", ValueKind.NUMBER),
        ShownColumn("calls", "calls", ValueKind.COUNT, about="decided ones of the last judgement", is_ordered=True),
        ShownColumn("weight", "weight", ValueKind.NUMBER, is_ordered=True),
        ShownColumn("vote", "vote", ValueKind.NUMBER),
        ShownColumn("weight_in_force", "weight in force", ValueKind.NUMBER),
        ShownColumn("below_floor", "judgements below the floor", ValueKind.COUNT),
        ShownColumn("twin", "says the same as"),
        ShownColumn("judged_day", "judged", ValueKind.DAY), ShownColumn("kind", "kind", is_shown=False),
        ShownColumn("idea", "idea"), ShownColumn("spec_id", "identity", ValueKind.CODE, is_shown=False),
    ),
    _experts, (Filter("status", "status", ("active", "off")), Filter("kind", "kind")),
    empty="no expert is registered: `lotus backfill` registers those of the package",
)  # fmt: skip
DETECTOR = PageView(
    "/detectors/{detector_id}", "Detector", "What is this detector?", detector_facts, "detector.html", ("version",),
    DetectorCard,
)  # fmt: skip
