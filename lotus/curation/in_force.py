"""Which acts are in force on a day, and what they do to its tables; a function of the acts and the day alone.

Where one actor has said two things about one target for one day (a night that came late), the later night's counts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from lotus.curation.act import OF_EXPERTS, CurationAct, CurationKind, parts_of
from lotus.detectors.asymmetry_fit import SHIPPED
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.meta_signals import MEASURED
from lotus.hashing import round_learned


def in_force(acts: Iterable[CurationAct], day: str) -> list[CurationAct]:
    """Return the nudges, vetoes and weights in force on a day, in order of target, kind and actor, one of each."""
    acts = tuple(acts)
    lifted = {act.revokes for act in acts if act.kind == CurationKind.LIFT and act.from_day <= day}
    newest: dict[tuple[str, str, str], CurationAct] = {}
    for act in acts:
        if act.kind == CurationKind.LIFT or act.act_id in lifted or not act.from_day <= day < act.until_day:
            continue
        key = act.target, act.kind, act.actor
        if key not in newest or (newest[key].day, newest[key].act_id) < (act.day, act.act_id):
            newest[key] = act
    return [newest[key] for key in sorted(newest)]


def expert_states(acts: Iterable[CurationAct], day: str) -> dict[str, frozenset[str]]:
    """Return the kinds of act (`off`, `idle`) that are in force on a day, by the micro-expert that they speak of."""
    states: dict[str, frozenset[str]] = {}
    for act in in_force(acts, day):
        if act.kind in OF_EXPERTS:
            states[act.target] = states.get(act.target, frozenset()) | {str(act.kind)}
    return states


def acted(tables: DayTables, acts: Sequence[CurationAct]) -> DayTables:
    """Return the tables of a day under the acts in force on it, and under no others that they were under before.

    Acts on detectors or coins that the tables do not have do nothing, nor do kinds that are no nudge and no veto;
    without any the tables are what they are.
    """
    nudges: list[dict[str, float]] = [{} for _ in tables.detector_ids]
    vetoes = np.zeros((len(tables.detector_ids), len(tables.assets)), np.int64)
    floors = [0.0 for _ in tables.detector_ids]  # the lowest that anybody says
    for act in acts:
        detector, coin = parts_of(act.target)
        rows = [d for d, name in enumerate(tables.detector_ids) if detector in ("", name)]
        coins = [a for a, name in enumerate(tables.assets) if coin in ("", name)]
        if act.kind == CurationKind.VETO:
            vetoes[np.ix_(rows, coins)] |= act.veto_bit
        elif act.kind == CurationKind.NUDGE:
            for d in rows:
                nudges[d][act.actor] = float(round_learned(np.array([act.value]))[0])
        elif act.kind == CurationKind.EPSILON:
            for d in rows:
                floors[d] = min(floors[d], act.value) if floors[d] > 0.0 else act.value
    bits = [tuple(row) if any(row) else () for row in vetoes.tolist()]
    return replace(
        tables,
        curator_nudge=tuple(nudges) if any(nudges) else (),
        curator_veto=tuple(bits) if any(bits) else (),
        epsilon=tuple(floors) if any(floors) else (),
        asymmetry_weights=weights_of(acts),
    )


def weights_of(acts: Iterable[CurationAct]) -> tuple[float, ...]:
    """Return the weights of asymmetry that acts in force set, one a component; none unless they set every one.

    Without the shipped ones, which hold where there are none: one set, one name of tables.
    """
    by_name = {act.target: act.value for act in acts if act.kind == CurationKind.WEIGHT}
    weights = tuple(by_name[name] for name in MEASURED if name in by_name)
    return weights if len(weights) == len(MEASURED) and weights != SHIPPED else ()
