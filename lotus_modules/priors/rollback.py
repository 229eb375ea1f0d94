"""Acts from outside the night: a review by its author, and the way back to an older version of the priors.

A rollback is a new version with an old one's braids, proposed and applied like any other; nothing is deleted. It takes
effect after everything that a daemon has logged. sig, dm and tr each go back by themselves. Which acts may do what is
decided in `lotus.weave.review`.
"""

from collections.abc import Sequence
from dataclasses import replace

from lotus.errors import BeliefError
from lotus.hashing import natural_id
from lotus.modules.intents import Module
from lotus.priors.types import PriorsVersion, priors_version
from lotus.weave.review import ReviewAct
from lotus_herald.carry import carry
from lotus_herald.consume import consume
from lotus_herald.keys import Keys
from lotus_modules.handlers import SLOW
from lotus_modules.priors.hand_over import hand_over
from lotus_modules.priors.prior_patch import propose
from lotus_modules.priors.weave_notes import tell_review
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.beliefs.priors import in_force_at, read_version, swaps
from lotus_store.ledger.day_commits import committed_days
from lotus_store.postgres.queries import query

MINUTE_MS = 60_000
LAST_STAGE = "active_priors"


def named(act: ReviewAct, sig: Connection, module: Module = Module.SIG, confidence: float | None = None) -> ReviewAct:
    """Return an act after the branch's last committed day, with its name; raises `BeliefError` without one."""
    days = committed_days(sig, act.branch, LAST_STAGE)
    if not days:
        raise BeliefError(f"branch {act.branch} has no committed day", "a day to review", "nothing was learned yet")
    words = (act.branch, days[-1], act.kind, act.target, act.author, act.reason_code, act.factor, act.note)
    more = ((module.value,) if module is not Module.SIG else ()) + ((confidence,) if confidence is not None else ())
    return replace(act, asof_day=days[-1], act_id=natural_id("review", *words, *more))


def submit(
    databases: Databases, act: ReviewAct, keys: Keys, module: Module = Module.SIG, confidence: float | None = None
) -> ReviewAct:
    """Send an act to a module and take it in; its next night applies it. Saying the same again changes nothing.

    `confidence`: the author's probability in [0, 1] that the act will turn out right, None where none is said.
    """
    with databases.connect(Module.SIG.value) as sig:
        named_act = named(act, sig, module, confidence)
    with databases.connect(module.value) as own:
        tell_review(own, named_act, keys, module, confidence)
        event_time_ms = max((time_ms for time_ms, _ in swaps(own, act.branch, module.value)), default=0)
    carry(databases, act.branch, senders=(module,))
    consume(databases, module, SLOW[module], keys, event_time_ms, act.branch, module is not Module.SIG)
    return named_act


def roll_back(databases: Databases, act: ReviewAct, keys: Keys, module: Module = Module.SIG) -> PriorsVersion:
    """Put a version of a module in force whose braids are those of `act.target`, from the next free minute on.

    Author and note are a message beside it. Raises `BeliefError` for an unknown version and for one
    with the braids that are in force already.
    """
    name = module.value
    with databases.connect(Module.SIG.value) as sig:
        named_act = named(act, sig, module)
        logged_ms = logged_until(sig, act.branch)
    with databases.connect(name) as own:
        old = read_version(own, act.branch, act.target, name)
        from_ms = minute_after(logged_ms, swaps(own, act.branch, name))
        before = in_force_at(own, act.branch, from_ms - 1, name)
        if before.braids == old.braids:
            raise BeliefError(f"version {before.priors_ver} in force has the braids of {act.target}", "another version")
        version = priors_version(act.branch, from_ms, old.braids)
        propose(own, version, named_act.asof_day, before.priors_ver, keys, module)
        tell_review(own, named_act, keys, module)
    hand_over(databases, version, keys, from_ms - 1, module)
    return version


def logged_until(sig: Connection, branch: str) -> int:
    """Return the end of the newest window that a daemon logged on a branch (event time, ms); 0 when none ever did."""
    row = sig.execute(query("sig", "daemon_logged_until"), [branch]).fetchone()
    return int(str(row[0])) if row is not None and row[0] is not None else 0


def minute_after(logged_ms: int, swapped: Sequence[tuple[int, str]]) -> int:
    """Return the first whole minute that lies a minute after the last of some swaps and after what was logged."""
    last = max((time_ms for time_ms, _ in swapped), default=0)
    return (max(logged_ms, last) // MINUTE_MS + 2) * MINUTE_MS
