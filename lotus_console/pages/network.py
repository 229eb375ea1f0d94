"""Network: which processes serve which module, how they fare, what waits, and letters that could not be delivered."""

from collections.abc import Mapping
from typing import Any, TypedDict

from psycopg import sql

from lotus.errors import ConfigError
from lotus.modules.intents import Module
from lotus_console.access.sessions import Act, PageSession
from lotus_console.reading import HomeReading
from lotus_console.tables import Answer, Filter, Question, ShownColumn, Table, ValueKind, of_list, selected
from lotus_console.views import Facts, PageView
from lotus_herald.report import herald_status
from lotus_herald.routes import Routes
from lotus_store.databases import Databases
from lotus_store.facts.network import replica_facts
from lotus_store.ledger.messages import boxes
from lotus_store.ledger.signals.live_log import record_act
from lotus_store.postgres.queries import message_query

MODULES = tuple(module.value for module in Module)
LETTERS = 2000  # shown at most


class NetworkFacts(TypedDict):
    """Replicas, what waits in each module's boxes, and how its intents fare."""

    title: str
    replicas: list[dict[str, Any]]
    modules: list[dict[str, Any]]
    intents: list[dict[str, Any]]
    acts: list[dict[str, Any]]


def network_facts(reading: HomeReading, _given: Mapping[str, str]) -> Facts:
    """Return what is registered and what waits."""
    replicas = replica_facts(reading.databases, Routes().heartbeat_s / 2)
    status = herald_status(reading.databases)
    modules = [
        {"module": name, "served": one["served"], "outbox": one["outbox"], "inbox": one["inbox"],
         "oldest_s": one["oldest_s"], "retries": one["retries"], "dead": sum(one["dead"].values()),
         "gaps": sum(one["gaps"].values()), "unanswered": sum(one["unanswered"].values())}
        for name, one in status.items()
    ]  # fmt: skip
    intents = [
        {"module": name, "intent": intent, "success": counts["success"],
         "to": ", ".join(f"{n:,} to {target}" for target, n in counts["to"].items()) or "none delivered"}
        for name, one in status.items() for intent, counts in one["intents"].items()
    ]  # fmt: skip
    for one in replicas:
        one["partners"] = ", ".join(f"{name}: {best or 'nobody alive'}" for name, best in one["partners"].items())
        one["does"] = ", ".join(one["capabilities"])
    alive = sum(one["state"] in ("ok", "faulty") for one in replicas)
    dead = sum(one["dead"] for one in modules)
    return {
        "title": f"{alive} of {len(replicas)} replicas are alive, {dead} letters are dead",
        "replicas": replicas,
        "modules": modules,
        "intents": intents,
        "acts": reading.rows("sig", "acts_of_console"),
    }


def _letters(reading: HomeReading, question: Question) -> Answer:
    rows: list[dict[str, Any]] = []
    for module in MODULES:
        with reading.databases.connect(module) as connection:
            rows += [
                {
                    "module": module,
                    "event_id": x.event_id,
                    "place": x.place,
                    "reason": x.reason,
                    "detail": x.detail[:500],
                }
                for x in boxes.dead_letters(connection, module)[:LETTERS]
            ]
    return of_list(rows, question, f"{len(rows)} letters wait to be looked at" if rows else "No letter is dead")


def _messages(reading: HomeReading, question: Question) -> Answer:
    rows, has_more = selected(reading, "sig", "messages", question, "created_ms DESC, seq DESC")
    return Answer(rows, has_more, "What sig said" if rows else "Nothing was said yet")


def replay_act(reading: HomeReading, given: Mapping[str, str], session: PageSession) -> str:
    """Make one dead letter wait again, and record who asked for it and why."""
    module, event_id, place = given["module"], given["event_id"], given["place"]
    if module not in MODULES or place not in ("outbox", "inbox"):
        raise ConfigError(f"a letter of {module[:20]!r} in {place[:20]!r}", f"one of {', '.join(MODULES)}, in a box")
    reason, who = given["reason"].strip()[:500], session.who or given["who"].strip()[:80]
    if not reason or not who:
        raise ConfigError("a replay without a reason or a name", "both: they are recorded")
    with Databases(reading.settings, migrated=reading.settings.embedded) as databases:
        with databases.connect(module) as connection:
            letter = {"event_id": event_id, "place": place}
            is_dead = connection.execute(message_query(module, "dead_letter"), letter).fetchone() is not None
            if not is_dead or not boxes.replay(connection, module, event_id, place):
                raise LookupError(f"{event_id[:60]!r} is no dead letter of {module}")
        with databases.connect("sig") as connection:
            what = {"module": module, "event_id": event_id, "place": place, "who": who, "reason": reason}
            record_act(connection, "replay", what)
    return "/letters"


REPLAY = Act("/letters/replay", "Replay", ("module", "event_id", "place", "reason", "who"), replay_act)
LETTER_TABLE = Table(
    "letters", "Dead letters", "What could not be delivered?",
    (
        ShownColumn("module", "module", is_ordered=True), ShownColumn("event_id", "letter", ValueKind.CODE,
                    link="/letters/{module}/{place}/{event_id}"),
        ShownColumn("place", "box"), ShownColumn("reason", "reason", is_ordered=True), ShownColumn("detail", "detail"),
    ),
    _letters, (Filter("module", "module", MODULES), Filter("reason", "reason")),
    empty="no letter is dead",
)  # fmt: skip
MESSAGES = Table(
    "messages", "Messages", "What did the detector say to the others?",
    (
        ShownColumn("created_ms", "sent", ValueKind.TIME, is_ordered=True),
        ShownColumn("intent", "intent", is_ordered=True),
        ShownColumn("outcome", "outcome"), ShownColumn("attempts", "attempts", ValueKind.COUNT, is_ordered=True),
        ShownColumn("priority", "priority", ValueKind.COUNT), ShownColumn("lifecycle_id", "lifecycle", ValueKind.CODE),
        ShownColumn("event_id", "message", ValueKind.CODE, is_shown=False),
        ShownColumn("seq", "number", ValueKind.COUNT),
    ),
    _messages, (Filter("intent", "intent"), Filter("outcome", "outcome", ("delivered", "dead")),
                Filter("lifecycle_id", "lifecycle")),
    empty="nothing was said yet: `lotus backfill` and the daemon send messages",
)  # fmt: skip


class LetterFacts(TypedDict):
    """One dead letter with its envelope."""

    title: str
    module: str
    place: str
    event_id: str
    reason: str
    detail: str
    envelope: str


def letter_facts(reading: HomeReading, given: Mapping[str, str]) -> Facts:
    """Return one dead letter; raises `LookupError` for another one."""
    module = given["module"]
    if module not in MODULES:
        raise LookupError(f"there is no module {module[:20]!r}")
    text = sql.SQL(message_query(module, "dead_letter").decode())
    rows = reading.composed(module, text, {"event_id": given["event_id"], "place": given["place"]})
    if not rows:
        raise LookupError(f"{given['event_id'][:60]!r} is no dead letter of {module}")
    return {"title": f"A letter of {module} that is dead: {rows[0]['reason']}", "module": module, **rows[0]}


LETTER = PageView("/letters/{module}/{place}/{event_id}", "Dead letter", "Why was it not delivered?", letter_facts,
                  "letter.html", answer=LetterFacts)  # fmt: skip
NETWORK = PageView("/network", "Network", "Who is alive?", network_facts, "network.html", answer=NetworkFacts)
