"""Curators: what is known of a detector beside its score, and what it may do to its publication.

One reads its stage of life (`stage_gate`). Two read the audits of an earlier day: a leakage veto, which is hard, and
fragility, which nudges ln sigma~ by c = -kappa_fragility * adv_fragility, in [-kappa_fragility, 0]. The others act by
acts in force on the day (`lotus.curation`), which veto or nudge too; all nudges of a detector are summed and clipped.
What they know is frozen in the day tables, so that live and batch read the same. No audit is made here and nothing is
scored. (Literature: expert adjustment of a forecast; circuit breaker.)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.daily.tables import DayTables
from lotus.detectors.scoring.signal_spec import LEAKAGE, STAGE
from lotus.detectors.spec import DetectorSpec
from lotus.detectors.stage_gate import StageGate, is_gated
from lotus.hashing import round_learned

MOST_TOGETHER: Final = 0.15  # log nudge of all acts on a detector; less where its temperature is
LEAST_EPSILON: Final = 0.02  # floor of the propensity that an act may say, and the most
MOST_EPSILON: Final = 0.10
MOST_OF_PEOPLE: Final = 0.05  # log nudge of all people together
CURATOR: Final = "curator:"  # how an actor of Lotus's own begins
FRAGILITY: Final = f"{CURATOR}adversarial"


@dataclass(frozen=True, slots=True)
class CuratorInput:
    """What the audits of a day say of one detector version: a hard veto, and a share in [0, 1]."""

    leakage_veto: bool
    adv_fragility: float
    spec_version: int


def curated(tables: DayTables, inputs: Mapping[str, CuratorInput], detectors: Sequence[DetectorSpec]) -> DayTables:
    """Return the tables with the audits' results of these detectors; the others keep the values that they had.

    Results of another version of a detector do not count. Without any result the tables stay what they are,
    their version included.
    """
    inputs = {d.detector_id: inputs[d.detector_id] for d in detectors if _speaks_of(inputs, d)}
    names = tables.detector_ids
    if not any(name in inputs for name in names):
        return tables
    vetoes = dict(zip(names, tables.leakage_veto or (False,) * len(names), strict=True))
    shares = dict(zip(names, tables.adv_fragility or (0.0,) * len(names), strict=True))
    vetoes |= {name: one.leakage_veto for name, one in inputs.items()}
    shares |= {name: float(round_learned(np.array([one.adv_fragility]))[0]) for name, one in inputs.items()}
    return replace(
        tables,
        leakage_veto=tuple(vetoes[name] for name in names),
        adv_fragility=tuple(shares[name] for name in names),
    )


def _speaks_of(inputs: Mapping[str, CuratorInput], spec: DetectorSpec) -> bool:
    return spec.detector_id in inputs and inputs[spec.detector_id].spec_version == spec.version


def without_curators(tables: DayTables) -> DayTables:
    """Return the tables as if no audit had been made and every stage were open: what audits score a detector under."""
    return replace(tables, leakage_veto=(), adv_fragility=(), stage_gate=(), curator_nudge=(), curator_veto=())


def veto_bits(tables: DayTables) -> NDArray[np.int64]:
    """Return i8[D]: the bits that every window of a detector carries in `veto` that day."""
    out = np.where(is_gated(tables, StageGate.CLOSED), STAGE, 0)
    if tables.leakage_veto:
        out[np.array(tables.leakage_veto)] |= LEAKAGE
    return out


def fragility_nudges(tables: DayTables, kappa: float) -> NDArray[np.float64]:
    """Return f8[D]: log nudges -kappa * adv_fragility; +0 where nothing is known."""
    out = np.zeros(len(tables.detector_ids))
    return out - kappa * np.array(tables.adv_fragility) if tables.adv_fragility else out


def act_vetoes(tables: DayTables) -> NDArray[np.int64]:
    """Return i8[A, D]: the bits that acts in force put on every window of an asset and a detector that day."""
    out = np.zeros((len(tables.assets), len(tables.detector_ids)), np.int64)
    for d, bits in enumerate(tables.curator_veto):
        if bits:
            out[:, d] = bits
    return out


def log_nudges(tables: DayTables, kappa: float) -> NDArray[np.float64]:
    """Return f8[D]: the log nudge of every detector, fragility (at most `kappa`) and acts in force together.

    People together stay within `MOST_OF_PEOPLE`, and the sum c within +-b, b = min(`MOST_TOGETHER`, T): at T = .12 one
    nudge of .15 is more than a logit. Fragility alone keeps its own bound, so that a day without acts is as before.
    """
    fragile = fragility_nudges(tables, kappa)
    if not tables.curator_nudge:
        return fragile
    acts = np.array([nudge_of(by_actor) for by_actor in tables.curator_nudge])
    bound = np.minimum(MOST_TOGETHER, np.maximum(tables.temperature, 0.0))
    total: NDArray[np.float64] = np.clip(fragile + acts, np.minimum(-bound, fragile), bound)
    return total


def nudge_of(by_actor: Mapping[str, float]) -> float:
    """Return the sum of the nudges of acts on one detector, those of people held within their bound."""
    machines = sum(by_actor[actor] for actor in sorted(by_actor) if actor.startswith(CURATOR))
    people = sum(by_actor[actor] for actor in sorted(by_actor) if not actor.startswith(CURATOR))
    return machines + min(max(people, -MOST_OF_PEOPLE), MOST_OF_PEOPLE)
