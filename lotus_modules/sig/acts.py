"""Acts of people come in and become rows: reviews of braids, and acts of curation on detectors and coins.

How an act of curation is sent is `board`; what it may be `lotus.curation.law`. A message carries acts of people only:
curators act in the night, from facts.
"""

from typing import Any

import msgspec

from lotus.curation.act import AT, CurationAct, CurationKind
from lotus.curation.law import LAG_DAYS, MACHINES, check_act
from lotus.curation.registry import powers
from lotus.errors import ConfigError
from lotus.modules.envelope import RefusedError
from lotus.modules.intents import Reason
from lotus.modules.messages.beliefs import CurationNote
from lotus.modules.messages.payload import part_of
from lotus.timebase import next_day
from lotus_herald.consume import Delivery
from lotus_modules.priors.weave_notes import note_review
from lotus_store.databases import Connection
from lotus_store.ledger.beliefs.acts import act_and_lifts, put_acts
from lotus_store.ledger.beliefs.expert_sets import first_free_day
from lotus_store.ledger.day_commits import committed_days

LAST_STAGE = "active_priors"


def note_act(delivery: Delivery[Any]) -> str:
    """Handle an act of a person in sig: keep it as a row. Raises `RefusedError` for one that the law refuses."""
    if not isinstance(delivery.payload, CurationNote):
        return note_review(delivery)
    act = part_of(msgspec.to_builtins(delivery.payload), CurationAct, "an act of curation")
    fault = _fault(delivery.connection, act, delivery.envelope.branch)
    if fault:
        raise RefusedError(Reason.BAD_PAYLOAD, fault, "an act of a person within the law, sent in time")
    put_acts(delivery.connection, [act], delivery.envelope.event_id)
    return "applied"


def first_day(connection: Connection, branch: str) -> tuple[str, str]:
    """Return the last committed day of a branch and the first on which an act that is said now can be in force.

    Both are empty on a branch without a committed day.
    """
    days = committed_days(connection, branch, LAST_STAGE)
    return (days[-1], first_free_day(connection, branch, next_day(days[-1], LAG_DAYS))) if days else ("", "")


def is_of_night(act: CurationAct) -> bool:
    """Tell whether an act speaks in the name of a curator or of a machine: only a nightly run decides those."""
    return act.is_of_curator or act.actor in MACHINES


def is_of_no_card(act: CurationAct) -> bool:
    """Tell whether a signature names something that has no card: a coin, or a detector on one."""
    return act.kind == CurationKind.SIGN_OFF and AT in act.target


def _fault(connection: Connection, act: CurationAct, branch: str) -> str:
    """Return what is wrong with an act that came in, "" when nothing is or when it is there already."""
    if act.branch != branch:
        return f"an act on branch {act.branch} in a message of {branch}"
    if act.named() != act:
        return f"act {act.act_id}, whose name is {act.named().act_id}"
    if is_of_night(act):
        return f"an act of {act.actor} in a message"
    if is_of_no_card(act):
        return f"a signature on {act.target[:80]}"
    if any(one.act_id == act.act_id for one in act_and_lifts(connection, act.branch, act.act_id)):
        return ""
    earlier = act_and_lifts(connection, act.branch, act.revokes) if act.kind == CurationKind.LIFT else ()
    try:
        check_act(act, powers(), None, earlier)
    except ConfigError as problem:
        return str(problem)
    _, first = first_day(connection, act.branch)
    return f"an act from {act.from_day} on, when {first} is the first free day" if act.from_day < first else ""
