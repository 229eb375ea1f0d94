"""Acts from outside the night: a review said by its author, and the way back to an older version of the priors.

A rollback is a new version with an old one's braids, proposed and applied like any other; nothing is deleted. It takes
effect after everything that a daemon has logged. Which acts may do what is decided in `lotus.weave.review`.
"""

from dataclasses import replace

from lotus.errors import BeliefError
from lotus.hashing import natural_id
from lotus.modules.intents import Module
from lotus.priors.types import PriorsVersion, priors_version
from lotus.weave.review import ReviewAct
from lotus_herald.carry import carry
from lotus_herald.consume import consume
from lotus_herald.keys import Keys
from lotus_herald.prior_patch import PRIOR_HANDLERS, hand_over, propose
from lotus_herald.weave_notes import tell_review
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.day_commits import committed_days
from lotus_store.ledger.priors import in_force_at, read_version, swaps
from lotus_store.postgres.queries import query

MINUTE_MS = 60_000
LAST_STAGE = "active_priors"


def named(act: ReviewAct, sig: Connection) -> ReviewAct:
    """Return an act said after the branch's last committed day, with its name; raises `BeliefError` without one."""
    days = committed_days(sig, act.branch, LAST_STAGE)
    if not days:
        raise BeliefError(f"branch {act.branch} has no committed day", "a day to review", "nothing was learned yet")
    words = (act.branch, days[-1], act.kind, act.target, act.author, act.reason_code, act.factor, act.note)
    return replace(act, asof_day=days[-1], act_id=natural_id("review", *words))


def submit(databases: Databases, act: ReviewAct, keys: Keys) -> ReviewAct:
    """Send an act and take it in; the next night applies it. Saying the same again changes nothing."""
    with databases.connect("sig") as sig:
        said = named(act, sig)
        tell_review(sig, said, keys)
        event_time_ms = max((at for at, _ in swaps(sig, act.branch)), default=0)
    carry(databases, act.branch, senders=(Module.SIG,))
    consume(databases, Module.SIG, PRIOR_HANDLERS, keys, event_time_ms, act.branch)
    return said


def roll_back(databases: Databases, act: ReviewAct, keys: Keys) -> PriorsVersion:
    """Put a version in force whose braids are those of `act.target`, from the next free minute of event time on.

    Raises `BeliefError` for an unknown version and for one that says what is in force already.
    """
    with databases.connect("sig") as sig:
        said = named(act, sig)
        old = read_version(sig, act.branch, act.target)
        from_ms = next_minute(sig, act.branch)
        before = in_force_at(sig, act.branch, from_ms - 1)
        if before.braids == old.braids:
            raise BeliefError(f"version {before.priors_ver} in force says the same as {act.target}", "another version")
        version = priors_version(act.branch, from_ms, old.braids)
        propose(sig, version, said.asof_day, before.priors_ver, keys)
        tell_review(sig, said, keys)
    hand_over(databases, version, keys, from_ms - 1)
    return version


def logged_until(sig: Connection, branch: str) -> int:
    """Return the end of the newest window that a daemon logged on a branch (event time, ms); 0 when none ever did."""
    row = sig.execute(query("sig", "daemon_logged_until"), [branch]).fetchone()
    return int(str(row[0])) if row is not None and row[0] is not None else 0


def next_minute(sig: Connection, branch: str) -> int:
    """Return the first whole minute that lies a minute after the last swap and after all that a daemon logged."""
    logged = logged_until(sig, branch)
    last = max((at for at, _ in swaps(sig, branch)), default=0)
    return (max(logged, last) // MINUTE_MS + 2) * MINUTE_MS
