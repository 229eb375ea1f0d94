"""The watchdog between two nights: what it ends, written, told and handed over like any other change of the priors.

sig, dm and tr each have one, over their own braids. The clock is event time: the newest window that a daemon logged on
the branch. Without a daemon time stands still and nothing is done, so a history that is read again is never judged by
today's clock. Whoever calls holds the branch. What is ended is decided in `lotus.weave.sweep` and `lotus.knobs.sweep`.
"""

from lotus.knobs.sweep import sweep_knobs
from lotus.modules.intents import Module
from lotus.weave.sweep import Sweep, sweep
from lotus_herald.carry import carry
from lotus_herald.consume import consume
from lotus_herald.keys import Keys
from lotus_modules.handlers import SLOW
from lotus_modules.priors.hand_over import hand_over
from lotus_modules.priors.prior_patch import propose
from lotus_modules.priors.rollback import LAST_STAGE, logged_until, minute_after
from lotus_modules.priors.weave_notes import tell_alerts
from lotus_store.config import Settings
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.beliefs import knob_nights
from lotus_store.ledger.beliefs.braids import read_registry, write_acts
from lotus_store.ledger.beliefs.lessons import RUN, RUN_OF_LESSONS, read_experiments
from lotus_store.ledger.beliefs.priors import in_force_at, swaps
from lotus_store.ledger.day_commits import committed_days, last_commits

NEVER = "9999-12-31"
BEGUN = {Module.SIG: "lessons", Module.DM: "dm_lessons", Module.TR: "tr_lessons"}  # stages that do the same


def watch_between_nights(
    databases: Databases, settings: Settings, module: Module = Module.SIG
) -> tuple[Sweep | None, str]:
    """Do what a module's watchdog has to do now on the branch of the settings; return it, or None with the reason.

    Safe to repeat and to kill: rows, alerts and the patch are one transaction, and what an earlier call left on its way
    is applied first. Raises `BeliefError` when the new version is refused.
    """
    branch, keys, name = settings.branch, Keys(settings.keys_root), module.value
    with databases.connect(name) as own:
        event_time_ms = max((time_ms for time_ms, _ in swaps(own, branch, name)), default=0)
    carry(databases, branch, senders=(module,))
    consume(databases, module, SLOW[module], keys, event_time_ms, branch, module is not Module.SIG)
    with databases.connect("sig") as sig:
        day, why = _day(sig, branch, BEGUN[module])
        if why:
            return None, why
        logged_ms = logged_until(sig, branch)
        others = read_registry(sig, branch) if module is Module.TR else []
    with databases.connect(name) as own:
        from_ms = minute_after(logged_ms, swaps(own, branch, name))
        previous = in_force_at(own, branch, from_ms - 1, name)
        weave = settings.manifest.weave
        if module is Module.SIG:
            audits = read_experiments(own, branch, day, "audit")
            alarms = {one: str(body["reason"]) for one, body in audits.items() if body["state"]["alarm"]}
            done = sweep(previous, read_registry(own, branch), day, alarms, from_ms, weave)
        else:
            done = sweep_knobs(previous, knob_nights.read_registry(own, name, branch), others, day, from_ms, weave)
        if done is None:
            return None, f"nothing to end on {branch} at {from_ms}"
        if module is Module.SIG:
            learned = read_experiments(own, branch, day, RUN)[RUN_OF_LESSONS]
            write_acts(own, branch, day, done.braids, done.events, str(learned["fixtures_hash"]))
        else:
            knob_nights.write_acts(own, name, branch, day, done.braids, done.events, others)
        propose(own, done.priors, day, previous.priors_ver, keys, module)
        tell_alerts(own, branch, day, done.alerts, done.priors.priors_ver, keys, module)
    hand_over(databases, done.priors, keys, from_ms - 1, module)
    return done, f"{len(done.alerts)} acts, version {done.priors.priors_ver} from {from_ms}"


def _day(sig: Connection, branch: str, begun_by: str) -> tuple[str, str]:
    """Return the last learning day of a branch, and why nothing is done now (empty: something may be)."""
    days = committed_days(sig, branch, LAST_STAGE)
    if not days:
        return "", f"branch {branch} has no committed day"
    if not logged_until(sig, branch):
        return days[-1], f"no daemon logged on branch {branch}: its event time stands still"
    begun = last_commits(sig, branch, begun_by, NEVER, 1)
    if begun and begun[0].day > days[-1]:
        return days[-1], f"the night of {begun[0].day} is under way and does the same"
    return days[-1], ""
