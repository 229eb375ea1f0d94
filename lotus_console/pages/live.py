"""Live: what the daemon does now, what it said, decided and ordered, what that paid, and the kill switch."""

from collections.abc import Mapping
from typing import Any, Literal, TypedDict, get_args

from lotus.errors import ConfigError
from lotus_console.access.sessions import Act, PageSession
from lotus_console.reading import HomeReading
from lotus_console.tables import Answer, Filter, Question, ShownColumn, Table, ValueKind, selected
from lotus_console.views import Facts, PageView
from lotus_desk.safety.kill_switch import LIFTED, KillSwitch
from lotus_desk.safety.switch_act import SwitchMove, move_switch
from lotus_desk.watch.alerts import read_alerts
from lotus_live.reports.health import read_health, read_status
from lotus_store.facts.predictions import prediction_facts
from lotus_store.facts.words import clock
from lotus_store.ledger.trading.outcomes import finished_plans

NEWEST = 2000  # plans that promises are measured on
ALERTS = 8


class LiveFacts(TypedDict):
    """The daemon and its guards, its runs, what is open, what styles paid, what was promised, what may be sent."""

    title: str
    level: Literal["ok", "warn", "error"]
    state: dict[str, Any]
    switch: str
    alerts: list[dict[str, Any]]
    runs: list[dict[str, Any]]
    open: list[dict[str, Any]]
    styles: list[dict[str, Any]]
    promises: list[dict[str, Any]]
    rate: list[dict[str, Any]]


def live_facts(reading: HomeReading, _given: Mapping[str, str]) -> Facts:
    """Return what the files of the daemon and the ledger say now."""
    home = reading.settings.home
    health = read_health(home)
    changed = reading.rows("tr", "plans_changed")[0]["changed"]
    styles, promises = reading.memory.of("executed", changed, lambda: executed(reading))
    runs = reading.rows("sig", "runs")
    for run in runs:
        run["began"] = clock(int(run.pop("created_at").timestamp() * 1000))[:19].replace("T", " ")
    return {
        "title": health.text[:1].upper() + health.text[1:],
        "level": health.level,
        "state": dict(health.facts),
        "switch": KillSwitch(home).state(),
        "alerts": _alerts(reading),
        "runs": runs,
        "open": reading.rows("tr", "open_positions"),
        "styles": styles,
        "promises": promises,
        "rate": _rate(read_status(home)),
    }


def _rate(status: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rate budget of every account of the daemon's desk, with the share of the minute's weight used."""
    trading = status.get("trading")
    rows = trading.get("rate", []) if isinstance(trading, dict) else []
    return [row | {"share": row["weight"] / row["limit"]} for row in rows]


class SwitchFacts(TypedDict):
    """The kill switch: lifted, halt or flatten, and the newest alerts and acts."""

    title: str
    switch: str
    alerts: list[dict[str, Any]]


def switch_facts(reading: HomeReading, _given: Mapping[str, str]) -> Facts:
    """Return the switch's state, of the home's files alone."""
    state = KillSwitch(reading.settings.home).state()
    return {
        "title": "Something may be opened" if state == LIFTED else "Nothing is opened",
        "switch": state,
        "alerts": _alerts(reading),
    }


def _alerts(reading: HomeReading) -> list[dict[str, Any]]:
    found = read_alerts(reading.settings.home / "live" / "alerts.jsonl", ALERTS)[::-1]
    return [{"time_ms": a.time_ms, "kind": a.kind, "found": a.found, "done": a.done} for a in found]


def executed(reading: HomeReading) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return what the plans that ended paid by style, and how good their estimates were, of the newest ones."""
    with reading.databases.connect("tr") as connection:
        plans = finished_plans(connection, reading.settings.branch, most=NEWEST)
    promises = [line for venue in prediction_facts(plans)["venues"] for line in _promises(venue)]
    return reading.rows("tr", "paid_by_style"), promises


def _promises(venue: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a line for each thing that is estimated at a venue: how often it was, and how well."""
    quality = venue["quality"]
    if quality is None:
        words = f"{venue['finished']:,} plans ended, none with a fitted estimate"
        return [{"venue": venue["venue"], "what": words, "count": 0, "within": None, "loss": None, "past": None}]
    lines = [{"venue": venue["venue"], "what": "fill, Brier", "count": quality["count"], "within": None,
              "loss": quality["brier"], "past": quality["brier_reference"]}]  # fmt: skip
    for name, unit in (("slippage", "bps"), ("latency", "ms")):
        if (one := quality[name]) is not None:
            measured = {"within": one["coverage"], "loss": one["pinball"], "past": one["pinball_reference"]}
            lines.append({"venue": venue["venue"], "what": f"{name}, {unit}", "count": one["count"], **measured})
    return lines


def switch_act(reading: HomeReading, given: Mapping[str, str], session: PageSession) -> str:
    """Move the kill switch where its word was typed as the form asks."""
    move = given["move"]
    if move not in get_args(SwitchMove):
        raise ConfigError(f"the switch has no {move[:20]!r}", f"one of {', '.join(get_args(SwitchMove))}")
    if given["typed"].strip() != move:
        raise ConfigError(f"{given['typed'][:20]!r} was typed", f"the word {move}, to be sure")
    who = session.who or given["who"].strip()[:80] or "the console"
    wanted: SwitchMove = "lift" if move == "lift" else "flatten" if move == "flatten" else "halt"
    move_switch(reading.settings, wanted, who, given["reason"])
    return "/live/switch"


SWITCH = Act("/live/switch", "Kill switch", ("move", "typed", "reason", "who"), switch_act)


def _publications(reading: HomeReading, question: Question) -> Answer:
    rows, has_more = selected(reading, "sig", "publications", question, "window_end_ms DESC, event_id")
    return Answer(rows, has_more, "What was published" if rows else "No daemon has published anything")


def _decisions(reading: HomeReading, question: Question) -> Answer:
    rows, has_more = selected(reading, "dm", "decisions", question, "time_ms DESC, decision_id")
    return Answer(rows, has_more, "What was decided" if rows else "Nothing was decided yet")


def _plans(reading: HomeReading, question: Question) -> Answer:
    rows, has_more = selected(reading, "tr", "plans", question, "created_ms DESC, plan_id")
    return Answer(rows, has_more, "What was planned" if rows else "Nothing was planned yet")


def _orders(reading: HomeReading, question: Question) -> Answer:
    rows, has_more = selected(reading, "tr", "orders", question, "sent_ms DESC, client_id")
    return Answer(rows, has_more, "What was ordered" if rows else "Nothing was ordered yet")


WAITING = "nothing yet: `lotus up --trade-day DAY` trades a stored day, `lotus live --trade` trades on paper"
PUBLICATIONS = Table(
    "publications", "Publications", "What did the daemon say?",
    (
        ShownColumn("window_end_ms", "window's end", ValueKind.TIME, is_ordered=True),
        ShownColumn("detector_id", "detector", link="/detectors/{detector_id}", is_ordered=True),
        ShownColumn("asset", "asset", is_ordered=True), ShownColumn("side", "side"),
        ShownColumn("s", "score", ValueKind.NUMBER, is_ordered=True),
        ShownColumn("pi", "propensity", ValueKind.NUMBER, about="probability of being published", is_ordered=True),
        ShownColumn("kairos", "kairos", ValueKind.NUMBER),
        ShownColumn("spread_bps", "spread", ValueKind.NUMBER, "bps"),
        ShownColumn("payoff_bps", "paid", ValueKind.BPS, "bps", "as executed, net", is_ordered=True),
        ShownColumn("outcome", "outcome"), ShownColumn("priors_ver", "priors", ValueKind.CODE, is_shown=False),
        ShownColumn("run_id", "run", is_shown=False), ShownColumn("event_id", "event", ValueKind.CODE, is_shown=False),
    ),
    _publications, (Filter("detector_id", "detector"), Filter("asset", "asset"), Filter("run_id", "run")),
    empty=WAITING,
)  # fmt: skip
DECISIONS = Table(
    "decisions", "Decisions", "What shall be held, and why?",
    (
        ShownColumn("time_ms", "time", ValueKind.TIME, is_ordered=True), ShownColumn("kind", "kind"),
        ShownColumn("targets", "targets"), ShownColumn("status", "status"), ShownColumn("why", "why"),
        ShownColumn("return_bps", "expected", ValueKind.BPS, "bps", is_ordered=True),
        ShownColumn("cost_bps", "cost", ValueKind.NUMBER, "bps"),
        ShownColumn("decision_id", "decision", ValueKind.CODE, is_shown=False),
        ShownColumn("lifecycle_id", "lifecycle", ValueKind.CODE, is_shown=False),
    ),
    _decisions, (Filter("kind", "kind", ("probe", "book")),), empty=WAITING,
)  # fmt: skip
PLANS = Table(
    "plans", "Plans", "What is being executed?",
    (
        ShownColumn("created_ms", "accepted", ValueKind.TIME, is_ordered=True),
        ShownColumn("coin", "coin", is_ordered=True), ShownColumn("kind", "kind"), ShownColumn("venue", "venue"),
        ShownColumn("stage", "stage"), ShownColumn("side", "side"), ShownColumn("size", "size"),
        ShownColumn("entry", "entry"), ShownColumn("strategy", "strategy"), ShownColumn("will_hold", "will hold"),
        ShownColumn("exit_at_ms", "exit", ValueKind.TIME), ShownColumn("plan_id", "plan", ValueKind.CODE),
        ShownColumn("decision_id", "decision", ValueKind.CODE, is_shown=False),
    ),
    _plans,
    (Filter("stage", "stage", ("accepted", "working", "done", "refused")), Filter("kind", "kind", ("probe", "book")),
     Filter("coin", "coin"), Filter("venue", "venue")),
    empty=WAITING,
)  # fmt: skip
ORDERS = Table(
    "orders", "Orders", "What was sent to venues?",
    (
        ShownColumn("sent_ms", "sent", ValueKind.TIME, is_ordered=True), ShownColumn("coin", "coin", is_ordered=True),
        ShownColumn("venue", "venue"), ShownColumn("purpose", "purpose"), ShownColumn("state", "state"),
        ShownColumn("side", "side"), ShownColumn("size", "size"), ShownColumn("filled", "filled"),
        ShownColumn("limit_px", "limit"), ShownColumn("answer_ms", "answered after", ValueKind.COUNT, "ms"),
        ShownColumn("reason", "reason"), ShownColumn("client_id", "order", ValueKind.CODE, is_shown=False),
        ShownColumn("plan_id", "plan", ValueKind.CODE, is_shown=False),
    ),
    _orders,
    (Filter("state", "state"), Filter("purpose", "purpose"), Filter("coin", "coin"), Filter("plan_id", "plan")),
    empty=WAITING,
)  # fmt: skip
LIVE = PageView("/live", "Live", "What is it doing?", live_facts, "live.html", answer=LiveFacts)
SWITCH_PAGE = PageView(
    "/live/switch", "Kill switch", "May anything be opened?", switch_facts, "switch.html", answer=SwitchFacts
)
