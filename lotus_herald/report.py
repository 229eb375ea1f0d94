"""What `lotus herald status` prints: lag per inbox, success per intent, retries, gaps, answers and missing answers.

Read from the databases alone, by any process; nothing is changed.
"""

from collections import Counter
from collections.abc import Sequence

from lotus.modules.envelope import open_envelope
from lotus.modules.intents import Intent, Module
from lotus.modules.messages.beliefs import PriorPatchApplied
from lotus.modules.messages.catalogue import routes
from lotus.modules.messages.payload import Document, part_of
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.messages import boxes, herald_books
from lotus_store.ledger.trading.plans import at_work

ANSWER_WITHIN_S = 60.0
WAITS = ("delivered", "repeated", "postponed")


def herald_status(databases: Databases) -> dict[str, Document]:
    """Return the status of every module: `served` (a Herald holds its outbox), lag, counts, gaps, open answers.

    `success` is the share of an intent's messages that became no dead letter, null before the first one. `patches` are
    the newest answers to the module's patches, by branch: which version was applied, or refused and why.
    """
    return {module.value: _module_status(databases, module) for module in Module}


def _module_status(databases: Databases, module: Module) -> Document:
    name = module.value
    with databases.connect(name, autocommit=True) as connection:
        lag = boxes.lag(connection, name)
        counts = herald_books.counts(connection, name)
        gaps = Counter(herald_books.gaps(connection, name).values())
        dead = Counter(f"{letter.place} {letter.reason}" for letter in boxes.dead_letters(connection, name))
        return {
            "served": herald_books.source_held(connection, name),
            "outbox": lag.outbox,
            "inbox": lag.inbox,
            "oldest_s": round(lag.oldest_s, 3),
            "intents": intent_counts(counts),
            "retries": sum(n for (_, _, outcome), n in counts.items() if outcome == "postponed"),
            "gaps": dict(sorted(gaps.items())),
            "dead": dict(sorted(dead.items())),
            "unanswered": _unanswered(databases, connection, name),
            "patches": _patches(answers(connection, module)),
        }


def answers(connection: Connection, module: Module, branch: str | None = None) -> list[PriorPatchApplied]:
    """Return the newest answers to a module's patches (of one branch), at most 100, newest first."""
    texts = boxes.newest(connection, module.value, Intent.PRIOR_PATCH_APPLIED.value, branch)
    return [part_of(open_envelope(text).payload, PriorPatchApplied, "an answer") for text in texts]


def _patches(answered: Sequence[PriorPatchApplied]) -> dict[str, Document]:
    newest = {answer.branch: answer for answer in reversed(answered)}
    names = ("priors_ver", "day", "effective_from_ms", "applied", "reason")
    return {branch: {name: getattr(newest[branch], name) for name in names} for branch in sorted(newest)}


def intent_counts(counts: dict[herald_books.Counted, int]) -> dict[str, Document]:
    """Return per intent how many went where (`to`), the dead letters by reason (`dead`), and the share of success."""
    intents: dict[str, Document] = {}
    for (target, intent, outcome), n in counts.items():
        entry = intents.setdefault(intent or "(unread)", {"to": {}, "dead": {}, "repeated": 0})
        if outcome == "delivered":
            entry["to"][target] = n
        elif outcome == "repeated":
            entry["repeated"] += n
        elif outcome not in WAITS:
            entry["dead"][outcome] = n
    for entry in intents.values():
        good, bad = sum(entry["to"].values()), sum(entry["dead"].values())
        entry["success"] = good / (good + bad) if good + bad else None
    return intents


def _unanswered(databases: Databases, connection: Connection, name: str) -> dict[str, int]:
    """Return, per intent that is acknowledged, how many delivered messages wait longer than a minute for it.

    A decision whose plans are under way, or that opened none, is not waited for.
    """
    missing = {}
    for intent, route in routes().items():
        if route.answer is not None and Module(name) in route.senders:
            late = herald_books.unanswered(connection, name, intent.value, route.answer.value)
            waiting = {message for message, age_s in late if age_s > ANSWER_WITHIN_S}
            if waiting and intent is Intent.DM_DECISION:
                with databases.connect(Module.TR.value, autocommit=True) as trader:
                    waiting -= at_work(trader, sorted(waiting), ANSWER_WITHIN_S)
            if waiting:
                missing[intent.value] = len(waiting)
    return missing
