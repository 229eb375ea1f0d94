"""The acts of one night: what every curator proposes, within the law, and what of earlier decisions ends.

A curator's act lasts a day. Where a person lifted an act of a curator, the curator does not do the same again before
the lift ends. Decided again with other facts, a night lifts what it would not do any more, and does it anew where they
return. Pure.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lotus.curation.act import CurationAct, CurationKind
from lotus.curation.facts import NightFacts, Proposal
from lotus.curation.law import MOST_REASON, REFIT, Subjects, check_act
from lotus.curation.registry import SIG, CuratorRole, powers
from lotus.errors import ConfigError
from lotus.hashing import round_learned
from lotus.timebase import next_day

Key = tuple[str, str, str, float]  # actor, kind, target, value


@dataclass(frozen=True, slots=True)
class NightActs:
    """What a night decided: all acts of its curators, those among them and lifts that are to be written, and refusals.

    `held_back` counts proposals that a person's lift stands against.
    """

    acts: tuple[CurationAct, ...]
    fresh: tuple[CurationAct, ...]
    refused: tuple[str, ...]
    held_back: int


def night_acts(
    facts: NightFacts,
    caps: Mapping[str, float],
    from_day: str,
    earlier: Sequence[CurationAct],
    standing: Sequence[CurationAct],
    roles: Sequence[CuratorRole] = SIG,
) -> NightActs:
    """Return the acts after a learning day, in force on `from_day`.

    `caps`: of the nudges, by curator; `earlier`: acts that this night decided before; `standing`: people's lifts and
    the acts that they name.
    """
    subjects = Subjects(tuple(d.detector_id for d in facts.detectors), facts.assets)
    own = [act for act in earlier if act.is_of_curator and act.actor != REFIT and act.kind != CurationKind.LIFT]
    over_already = {act.revokes for act in earlier if act.kind == CurationKind.LIFT}
    decided = {_key(act): act for act in own if act.act_id not in over_already}
    over = Counter(_key(act) for act in own if act.act_id in over_already)
    lifted = held_back_by(standing, from_day, facts.day)
    acts: dict[Key, CurationAct] = {}
    refused: list[str] = []
    held_back = 0
    for role, proposal in _proposals(facts, caps, roles):
        act = _act(facts, role, proposal, from_day)
        if (act.actor, act.kind, act.target) in lifted:
            held_back += 1
            continue
        before = decided.get(_key(act))
        if times := over[_key(act)]:
            act = replace(act, evidence_ref=f"{act.evidence_ref} again {times}")
        try:
            acts[_key(act)] = before or check_act(act, powers(), subjects).named()
        except ConfigError as problem:
            refused.append(f"{role.name} on {act.target}: {problem}")
    fresh = [act for key, act in acts.items() if key not in decided]
    gone = [act for key, act in decided.items() if key not in acts]
    fresh += [ended(act, from_day) for act in gone if from_day < act.until_day]
    return NightActs(tuple(acts.values()), tuple(fresh), tuple(refused), held_back)


def _proposals(
    facts: NightFacts, caps: Mapping[str, float], roles: Sequence[CuratorRole]
) -> Iterable[tuple[CuratorRole, Proposal]]:
    for role in roles:
        if role.judge is not None:
            for proposal in role.judge(facts, min(role.cap, caps.get(role.name, role.cap))):
                yield role, proposal


def _act(facts: NightFacts, role: CuratorRole, proposal: Proposal, from_day: str) -> CurationAct:
    value = float(round_learned(np.array([proposal.value]))[0])
    reason, evidence = proposal.reason[:MOST_REASON], f"governance_acts[{facts.day}]"
    days = from_day, next_day(from_day)
    return CurationAct(
        "", facts.branch, facts.day, role.actor, proposal.kind, proposal.target, value, reason, evidence, *days
    )


def _key(act: CurationAct) -> Key:
    return act.actor, act.kind, act.target, act.value


def ended(act: CurationAct, from_day: str) -> CurationAct:
    """Return the lift of an act that its night, decided again, would not do any more."""
    days = from_day, next_day(from_day)
    return CurationAct(
        "", act.branch, act.day, act.actor, CurationKind.LIFT, act.target, 0.0, "the night was decided again",
        act.evidence_ref, *days, act.act_id,
    ).named()  # fmt: skip


def held_back_by(standing: Sequence[CurationAct], day: str, night: str) -> set[tuple[str, str, str]]:
    """Return what people's lifts that were said before this night stand against on a day: actor, kind and target."""
    named = {act.act_id: act for act in standing}
    return {
        (held.actor, held.kind, held.target)
        for lift in standing
        if lift.kind == CurationKind.LIFT and lift.day < night and lift.from_day <= day < lift.until_day
        if not lift.is_of_curator and (held := named.get(lift.revokes)) is not None and held.is_of_curator
    }
