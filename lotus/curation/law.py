"""The law of acts: who may do what, how strongly and for how long. A bad act is refused once, with every reason.

Decided with day d known, an act is in force from d + 2 at the earliest (the state of d + 1 may be born already) and for
30 days at most. A curator nudges within its cap, a person within 0.05; a person may lift what people and curators did,
except the vetoes for leakage, data and compliance. A person's veto may hold at once. Only the allocator takes votes of
micro-experts or makes them idle. Nobody promotes anything. Nothing is stored here. (Literature: bounded discretion,
separation of duties.)
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from lotus.curation.act import ALLOCATOR, OF_EXPERTS, CurationAct, CurationKind, parts_of
from lotus.detectors.curators import CURATOR, LEAST_EPSILON, MOST_EPSILON, MOST_OF_PEOPLE
from lotus.detectors.meta_signals import MEASURED
from lotus.errors import ConfigError
from lotus.names import is_name
from lotus.timebase import next_day

LAG_DAYS: Final = 2
MOST_DAYS: Final = 30
MOST_REASON: Final = 400
MOST_NAME: Final = 128  # characters of an actor or of what an act rests on
EXPLORER: Final = "explorer"
MACHINES: Final = frozenset({ALLOCATOR, EXPLORER})  # names that no person may have
REFIT: Final = f"{CURATOR}asymmetry"  # the weekly refit of the weights of asymmetry
NEVER_LIFTED: Final = frozenset({f"{CURATOR}leakage", f"{CURATOR}data", f"{CURATOR}compliance"})


@dataclass(frozen=True, slots=True)
class Subjects:
    """What acts may name: detectors that are scored, coins of the universe, and micro-experts."""

    detectors: tuple[str, ...]
    assets: tuple[str, ...]
    experts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CuratorPower:
    """What one curator may do: nudge within `cap` (0: not at all), veto, weigh the components of asymmetry."""

    cap: float
    vetoes: bool
    weighs: bool = False


def check_act(
    act: CurationAct,
    powers: Mapping[str, CuratorPower],
    subjects: Subjects | None,
    earlier: Sequence[CurationAct] = (),
) -> CurationAct:
    """Return an act that the law allows; raises `ConfigError` with every reason against it.

    `powers` by the actor's name; `subjects` None: the target was checked by the sender; `earlier`: acts that a lift may
    name.
    """
    faults = [*_actor_faults(act, powers), *_day_faults(act)]
    if not act.reason.strip() or len(act.reason) > MOST_REASON or not act.reason.isprintable():
        faults.append(f"a reason of {len(act.reason)} characters: 1 to {MOST_REASON}, all printable")
    if len(act.evidence_ref) > MOST_NAME or not act.evidence_ref.isprintable():
        faults.append(f"evidence_ref of {len(act.evidence_ref)} characters: at most {MOST_NAME}, all printable")
    if act.kind == CurationKind.LIFT:
        faults += _lift_faults(act, earlier)
    elif act.revokes:
        faults.append(f"it revokes {act.revokes[:40]!r}: only a lift does")
    if act.kind == CurationKind.NUDGE:
        faults += _nudge_faults(act, powers)
    elif act.kind == CurationKind.EPSILON:
        faults += _epsilon_faults(act)
    elif act.kind == CurationKind.WEIGHT:
        faults += _weight_faults(act)
    elif act.value != 0.0:
        faults.append(f"value {act.value!r}: 0 but for a nudge, a weight or a floor")
    if act.at_once and (act.kind != CurationKind.VETO or act.is_of_curator):
        faults.append(f"a {act.kind[:40]} of {act.actor[:40]} at once: a person's veto only")
    if subjects is not None and act.kind not in (CurationKind.LIFT, CurationKind.WEIGHT):
        faults += _target_faults(act, subjects)
    if faults:
        raise ConfigError("an act with " + "; ".join(faults), "an act within the law (docs/concepts/governance.md)")
    return act


def _actor_faults(act: CurationAct, powers: Mapping[str, CuratorPower]) -> list[str]:
    if act.kind not in tuple(CurationKind):
        return [f"kind {act.kind[:40]!r}: {', '.join(CurationKind)}"]
    if act.is_of_curator:
        power = powers.get(act.actor)
        if power is None:
            return [f"actor {act.actor[:40]!r}: one of {', '.join(sorted(powers))}"]
        if act.kind == CurationKind.VETO and not power.vetoes:
            return [f"a veto of {act.actor}: it has none"]
        if act.kind in OF_EXPERTS:
            return [f"{act.kind} by {act.actor}: the allocator's act alone"]
        return [f"a weight of {act.actor}: it sets none"] if _is_weight(act) and not power.weighs else []
    if act.actor == ALLOCATOR and act.kind in (*OF_EXPERTS, CurationKind.LIFT):
        return []
    if act.kind in OF_EXPERTS:
        return [f"{act.kind} by {act.actor[:40]}: the allocator's act alone"]
    if _is_weight(act):
        return [f"a weight of {act.actor[:40]!r}: of the weekly refit alone"]
    if act.actor == EXPLORER and act.kind == CurationKind.EPSILON:
        return []
    if not is_name(act.actor) or len(act.actor) > MOST_NAME or ":" in act.actor or act.actor in MACHINES:
        return [f"actor {act.actor[:40]!r}: the printable name of a person, without a colon, at most {MOST_NAME} long"]
    return []


def _day_faults(act: CurationAct) -> list[str]:
    wrong = [text for text in (act.day, act.from_day, act.until_day) if not _is_day(text)]
    if wrong:
        return [f"day {text[:40]!r}: YYYY-MM-DD" for text in wrong]
    faults, earliest = [], next_day(act.day, LAG_DAYS)
    if not earliest <= act.from_day <= next_day(earliest, MOST_DAYS):
        faults.append(
            f"first day {act.from_day}: {earliest} or one of the {MOST_DAYS} days after, {act.day} being known"
        )
    if not act.from_day < act.until_day <= next_day(act.from_day, MOST_DAYS):
        faults.append(f"days {act.from_day} to {act.until_day}: 1 to {MOST_DAYS} of them")
    return faults


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text < "9000"
    except ValueError:
        return False


def _is_weight(act: CurationAct) -> bool:
    return act.kind == CurationKind.WEIGHT


def _weight_faults(act: CurationAct) -> list[str]:
    faults = [] if act.target in MEASURED else [f"component {act.target[:80]!r}: one of {', '.join(MEASURED)}"]
    return faults if 0.0 <= act.value <= 1.0 else [*faults, f"a weight of {act.value:g}: within 0 and 1"]


def _nudge_faults(act: CurationAct, powers: Mapping[str, CuratorPower]) -> list[str]:
    power = powers.get(act.actor)
    cap = MOST_OF_PEOPLE if power is None else power.cap
    faults = [] if parts_of(act.target)[1] == "" else [f"a nudge of {act.target[:80]!r}: of a whole detector only"]
    if not (math.isfinite(act.value) and 0.0 < abs(act.value) <= cap):
        faults.append(f"a nudge of {act.value:g}: not 0, within -{cap:g} and {cap:g} for {act.actor[:40]}")
    return faults


def _epsilon_faults(act: CurationAct) -> list[str]:
    """Return why a floor is none: the explorer's is within its bounds, a person's holds it at the least."""
    faults = [] if parts_of(act.target)[1] == "" else [f"a floor of {act.target[:80]!r}: of a whole detector only"]
    most = MOST_EPSILON if act.actor == EXPLORER else LEAST_EPSILON
    if act.is_of_curator:
        faults.append(f"a floor by {act.actor}: only the explorer says one, and people hold it")
    if not LEAST_EPSILON <= act.value <= most:
        faults.append(f"a floor of {act.value:g}: {LEAST_EPSILON:g} to {most:g} for {act.actor[:40]}")
    return faults


def _target_faults(act: CurationAct, subjects: Subjects) -> list[str]:
    if act.kind in OF_EXPERTS:
        found = act.target in subjects.experts
        return [] if found else [f"expert {act.target[:80]!r}: one of {', '.join(subjects.experts)}"]
    detector, coin = parts_of(act.target)
    faults = [] if detector or coin else ["no target: a detector, @COIN or DETECTOR@COIN"]
    if detector and detector not in subjects.detectors:
        faults.append(f"detector {detector[:80]!r}: one of {', '.join(subjects.detectors)}")
    if coin and coin not in subjects.assets:
        faults.append(f"coin {coin[:80]!r}: one of {', '.join(subjects.assets)}")
    return faults


def _lift_faults(act: CurationAct, earlier: Sequence[CurationAct]) -> list[str]:
    lifted = {one.revokes for one in earlier}
    found = next((one for one in earlier if one.act_id == act.revokes), None)
    if act.is_of_curator:
        return [] if found is not None and found.actor == act.actor else ["a curator lifts acts of its own only"]
    if found is None or found.kind == CurationKind.LIFT:
        return [f"no act {act.revokes[:40]!r} on the branch: one that `lotus curate summary` shows"]
    if found.act_id in lifted:
        return [f"act {found.act_id} is lifted already"]
    if found.actor in NEVER_LIFTED:
        return [f"act {found.act_id} of {found.actor}: nobody lifts what leakage, data or compliance did"]
    return [] if act.from_day < found.until_day else [f"act {found.act_id} ends on {found.until_day} by itself"]
