"""The board of the alpha detector: acts of people on detectors and coins, which it sends itself and takes in at once.

The command line and the console submit through here alone. (Literature: outbox.)
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import msgspec

from lotus.curation.act import CurationAct, CurationKind
from lotus.curation.law import MOST_DAYS, Subjects, check_act
from lotus.curation.registry import powers
from lotus.errors import BeliefError, ConfigError
from lotus.manifest import Manifest
from lotus.modules.intents import Module
from lotus.modules.messages.beliefs import CurationNote, curation_message
from lotus.timebase import day_start_ms, next_day
from lotus_herald.carry import carry
from lotus_herald.consume import consume
from lotus_herald.keys import Keys
from lotus_herald.outbox import send
from lotus_modules.handlers import SLOW
from lotus_modules.sig.acts import first_day, is_of_night, is_of_no_card
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.beliefs.acts import act_and_lifts, acts_of_night
from lotus_store.ledger.beliefs.detector_sets import detectors_ever


@dataclass(frozen=True, slots=True)
class AskedAct:
    """What a person asks: `target` of a nudge or veto, or the act that a lift `revokes`; `days` it is to hold.

    `at_once`: a veto that a running daemon obeys from its next window on.
    """

    kind: CurationKind
    actor: str
    reason: str
    target: str = ""
    value: float = 0.0
    days: int = MOST_DAYS
    revokes: str = ""
    at_once: bool = False


def act_of(connection: Connection, branch: str, asked: AskedAct, manifest: Manifest) -> CurationAct:
    """Return the act under its name, in force from the first free day on; it may name what is scored on the branch.

    Raises `BeliefError` on a branch without a committed day, `ConfigError` with every reason of the law, and for a
    second act of the day on the same target.
    """
    day, first = first_day(connection, branch)
    if not day:
        raise BeliefError(f"branch {branch} has no committed day", "a day after which an act begins", "nothing learned")
    earlier: Sequence[CurationAct] = ()
    target = asked.target
    if asked.kind is CurationKind.LIFT:
        earlier = act_and_lifts(connection, branch, asked.revokes)
        target = next((one.target for one in earlier if one.act_id == asked.revokes), "")
    if not 1 <= asked.days <= MOST_DAYS:
        raise ConfigError(f"{asked.days} days", f"1 to {MOST_DAYS} of them")
    act = CurationAct(
        act_id="",
        branch=branch,
        day=day,
        actor=asked.actor,
        kind=asked.kind,
        target=target,
        value=asked.value,
        reason=asked.reason,
        evidence_ref="",
        from_day=first,
        until_day=next_day(first, asked.days),
        revokes=asked.revokes,
        at_once=asked.at_once,
    )
    if is_of_night(act):
        raise ConfigError(
            f"an act in the name of {act.actor[:40]}", "the name of a person", "the nightly run's to decide"
        )
    if is_of_no_card(act):
        raise ConfigError(f"a signature on {act.target[:80]!r}", "a detector: it has a card")
    names = tuple(spec.detector_id for spec in detectors_ever(connection, branch, manifest))
    subjects = Subjects(names, tuple(asset.name for asset in manifest.universe))
    named = check_act(act, powers(), subjects, earlier).named()
    while lift := next((one.act_id for one in act_and_lifts(connection, branch, named.act_id) if one.revokes), ""):
        named = replace(named, evidence_ref=f"again after {lift}").named()  # the same words are another act now
    _refuse_a_second(connection, named)
    return named


def _refuse_a_second(connection: Connection, act: CurationAct) -> None:
    """Refuse another act of the same person on the same target while one that was said today stands.

    Which of two of one learning day counts could only be left to chance. A veto at once and one of tables are two.
    """
    others = acts_of_night(connection, act.branch, act.day)
    gone = {one.revokes for one in others if one.revokes}
    for one in others if act.kind in (CurationKind.NUDGE, CurationKind.EPSILON, CurationKind.VETO) else ():
        same = (one.actor, one.kind, one.target) == (act.actor, act.kind, act.target)
        if not same or one.act_id in gone or one.act_id == act.act_id or act.at_once != one.at_once:
            continue
        found = f"{act.actor} has said {one.kind} {one.value:+g} of {one.target} after the same day, act {one.act_id}"
        raise ConfigError(
            found, "one act a person, target and day", f"a correction: lift that one first ({one.reason})"
        )


def submit(databases: Databases, branch: str, asked: AskedAct, manifest: Manifest, keys: Keys) -> CurationAct:
    """Send an act and take it in; return it with its name. Said the same again on the same day, nothing changes.

    Raises as `act_of`, and `BeliefError` when it was not taken in.
    """
    with databases.connect("sig") as sig:
        act = act_of(sig, branch, asked, manifest)
        send(sig, Module.SIG, curation_message(msgspec.convert(asdict(act), CurationNote)), keys)
    carry(databases, branch, senders=(Module.SIG,))
    consume(databases, Module.SIG, SLOW[Module.SIG], keys, day_start_ms(next_day(act.day)), branch)
    with databases.connect("sig") as sig:
        if not act_and_lifts(sig, branch, act.act_id):
            cause = "a night ended meanwhile, or another consumer has it; look at `lotus herald dead`"
            raise BeliefError(f"act {act.act_id} was not taken in", "an act in the ledger", cause)
    return act
