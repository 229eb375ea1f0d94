"""Handing a proposed version over: its patch is carried and applied at once, and the answer to it is read.

For the nightly run, a backfill, a rollback and the watchdog between two nights. How a patch is applied is in
`prior_patch`.
"""

import time
from collections.abc import Sequence
from itertools import count

from lotus.errors import BeliefError
from lotus.modules.intents import Module
from lotus.modules.messages.beliefs import PriorPatchApplied
from lotus.priors.types import PriorsVersion
from lotus_herald.carry import carry
from lotus_herald.consume import consume
from lotus_herald.keys import Keys
from lotus_herald.report import answers
from lotus_modules.handlers import SLOW
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.beliefs import priors
from lotus_store.ledger.messages import boxes

PATIENCE_S = 30.0


def hand_over(
    databases: Databases, version: PriorsVersion, keys: Keys, event_time_ms: int, module: Module = Module.SIG
) -> None:
    """Carry and apply what waits on the version's branch, then verify that the version is in force from its time on.

    One synchronous round for a backfill and for the nightly run; safe to repeat. Rows that another Herald, or a killed
    one whose session the server has not yet ended, holds at this moment are waited for. Raises `BeliefError` when the
    patch was refused or died, saying why.
    """
    deadline = time.monotonic() + PATIENCE_S
    own_only = module is not Module.SIG  # what else waits for dm and tr is the daemon's
    with databases.connect(module.value, autocommit=True) as connection:
        for rounds in count(1):
            carry(databases, version.branch, senders=(module,))
            consume(databases, module, SLOW[module], keys, event_time_ms, version.branch, own_only)
            if _settled(connection, module, version.branch, rounds) or time.monotonic() > deadline:
                break
            time.sleep(0.01)
        holder = priors.brought_by(connection, version.branch, version.effective_from_ms, module.value)
        if holder is None or holder[0] != version.priors_ver:
            current = holder[0] if holder else "nothing new"
            raise BeliefError(
                f"{current} is in force from {version.effective_from_ms} on branch {version.branch}",
                version.priors_ver,
                _cause(answers(connection, module, version.branch), version),
            )


def _cause(answered: Sequence[PriorPatchApplied], version: PriorsVersion) -> str:
    """Return why a version is not in force, from the newest answer to its patch."""
    answer = next((a for a in answered if a.priors_ver == version.priors_ver), None)
    if answer is None or answer.applied:
        return "its patch is a dead letter (`lotus herald dead`), or another Herald still holds it"
    cause = {"late": f"the patch came too late (event time {answer.event_time_ms})"}
    return cause.get(answer.reason, "the patch does not follow the version before")


def _settled(connection: Connection, module: Module, branch: str, rounds: int) -> bool:
    """Tell whether patch and answer are through; two rounds carry both."""
    if module is Module.SIG:
        return not boxes.anything_open(connection, module.value, branch)
    own = [intent.value for intent in SLOW[module]]
    return rounds > 1 and not boxes.waiting(connection, module.value, branch, own)
