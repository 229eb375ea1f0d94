"""The watchdog between two nights: what it ends, written, told and handed over like any other change of the priors.

The clock is event time: the newest window that a daemon logged on the branch. Without a daemon time stands still and
nothing is done, so a history that is read again is never judged by today's clock. Whoever calls holds the branch. What
is ended is decided in `lotus.weave.sweep`.
"""

from lotus.modules.intents import Module
from lotus.priors.types import PriorsVersion
from lotus.weave.sweep import Sweep, sweep
from lotus_herald.carry import carry
from lotus_herald.consume import consume
from lotus_herald.keys import Keys
from lotus_modules.handlers import SLOW
from lotus_modules.priors.hand_over import hand_over
from lotus_modules.priors.prior_patch import propose
from lotus_modules.priors.rollback import LAST_STAGE, logged_until, next_minute
from lotus_modules.priors.weave_notes import tell_alerts
from lotus_store.config import Settings
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.beliefs.braids import read_registry, write_acts
from lotus_store.ledger.beliefs.lessons import RUN, RUN_OF_LESSONS, read_experiments
from lotus_store.ledger.beliefs.priors import in_force_at, swaps
from lotus_store.ledger.day_commits import committed_days, last_commits

NEVER = "9999-12-31"


def watch_between_nights(databases: Databases, settings: Settings) -> tuple[Sweep | None, str]:
    """Do what the watchdog has to do now on the branch of the settings; return it, or None with the reason in words.

    Safe to repeat and to kill: rows, alerts and the patch are one transaction, and what an earlier call left on its way
    is applied first. Raises `BeliefError` when the new version is refused.
    """
    branch, keys = settings.branch, Keys(settings.keys_root)
    with databases.connect("sig") as sig:
        event_time_ms = max((time_ms for time_ms, _ in swaps(sig, branch)), default=0)
    carry(databases, branch, senders=(Module.SIG,))
    consume(databases, Module.SIG, SLOW[Module.SIG], keys, event_time_ms, branch)
    with databases.connect("sig") as sig:
        day, why = _day(sig, branch)
        if why:
            return None, why
        from_ms = next_minute(sig, branch)
        previous = in_force_at(sig, branch, from_ms - 1)
        done = _done(sig, previous, day, from_ms, settings)
        if done is None:
            return None, f"nothing to end on {branch} at {from_ms}"
        learned = read_experiments(sig, branch, day, RUN)[RUN_OF_LESSONS]
        write_acts(sig, branch, day, done.braids, done.events, str(learned["fixtures_hash"]))
        propose(sig, done.priors, day, previous.priors_ver, keys)
        tell_alerts(sig, branch, day, done.alerts, done.priors.priors_ver, keys)
    hand_over(databases, done.priors, keys, from_ms - 1)
    return done, f"{len(done.alerts)} acts, version {done.priors.priors_ver} from {from_ms}"


def _day(sig: Connection, branch: str) -> tuple[str, str]:
    """Return the last learning day of a branch, and why nothing is done now (empty: something may be)."""
    days = committed_days(sig, branch, LAST_STAGE)
    if not days:
        return "", f"branch {branch} has no committed day"
    if not logged_until(sig, branch):
        return days[-1], f"no daemon logged on branch {branch}: its event time stands still"
    begun = last_commits(sig, branch, "lessons", NEVER, 1)
    if begun and begun[0].day > days[-1]:
        return days[-1], f"the night of {begun[0].day} is under way and does the same"
    return days[-1], ""


def _done(sig: Connection, previous: PriorsVersion, day: str, from_ms: int, settings: Settings) -> Sweep | None:
    audits = read_experiments(sig, settings.branch, day, "audit")
    alarms = {name: str(body["reason"]) for name, body in audits.items() if body["state"]["alarm"]}
    registry = read_registry(sig, settings.branch)
    return sweep(previous, registry, day, alarms, from_ms, settings.manifest.weave)
