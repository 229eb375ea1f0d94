"""What lessons say of windows to come: a tilt of the logit of publication, which lessons hold there, what they claim.

The size of each lesson's tilt, which lessons may act together and the cap of their sum are those of the weave
(`lotus.weave`), at full size: a daemon's patches move there over some nights. In the literature: a bounded policy
patch; contextual recommendation with a capped log-odds shift.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lotus.learning.lesson import Lesson
from lotus.learning.rows import rows_by_detector
from lotus.manifest import Manifest, ScoreDefaults, WeaveDefaults
from lotus.own_signals.config import OwnConfig
from lotus.own_signals.recent import LastDays, bins_after
from lotus.own_signals.replay import ALIVE
from lotus.own_signals.scores import MaturedScores
from lotus.own_signals.study import Study
from lotus.own_signals.table import table_of
from lotus.priors.types import Rule
from lotus.priors.vocabulary import NULL_BIN, rule_mask
from lotus.weave.braid import quality_of
from lotus.weave.conflict import choose
from lotus.weave.tilt import patch_for, wanted_tilt
from lotus_lab.reading.frames import read_context

if TYPE_CHECKING:
    import pandas as pd

CONFLICT = "conflict: a better lesson acts there"
_MEDIAN_PENALTY = 0.5  # where a detector's own penalty is not known, as the weave has it


@dataclass(frozen=True, slots=True)
class Advised:
    """An accepted lesson with its tilt (logit); 0 with the reason in words."""

    lesson_id: str
    detector_id: str
    rule: Rule
    tilt: float
    claim_bps: float
    reason: str = ""


def advised_lessons(study: Study, scores: MaturedScores, weave: WeaveDefaults | None = None) -> tuple[Advised, ...]:
    """Return the lessons that are alive with the tilt that the weave would give each."""
    limits = weave or WeaveDefaults()
    alive = [f.lesson for f in study.findings if f.status == ALIVE and f.lesson.accepted]
    out = []
    for name in dict.fromkeys(x.detector_id for x in alive):
        own = [x for x in alive if x.detector_id == name]
        rows = rows_by_detector(scores.scores.of(name), study.settings.search_days, study.vocabulary)[name]
        out += _weighed(own, rows.bins[rows.day == rows.day.max()], limits)
    order = {x.lesson_id: k for k, x in enumerate(alive)}
    return tuple(sorted(out, key=lambda x: order[x.lesson_id]))


def _weighed(lessons: Sequence[Lesson], bins: NDArray[np.uint8], weave: WeaveDefaults) -> list[Advised]:
    """Return the lessons of one detector; `bins` are those of its last day, on which overlaps are measured."""
    wanted = [wanted_tilt(x, weave) for x in lessons]
    out = [
        Advised(x.lesson_id, x.detector_id, x.rule, t.delta, x.claim_bps, t.reason)
        for x, t in zip(lessons, wanted, strict=True)
    ]
    places = [k for k, t in enumerate(wanted) if t.delta]
    score, temperature = ScoreDefaults(), Manifest().score.temperature
    chosen = choose(
        [max(quality_of(lessons[k], weave).effect, 1e-6) for k in places],
        [patch_for(wanted[k].delta, temperature, _MEDIAN_PENALTY, score, weave) for k in places],
        [rule_mask(lessons[k].rule, bins) for k in places],
        weave,
    )
    for k, acts in zip(places, chosen, strict=True):
        if not acts:
            out[k] = replace(out[k], tilt=0.0, reason=CONFLICT)
    return out


def advice_of(
    lessons: Sequence[Advised],
    study: Study,
    scores: MaturedScores,
    recent: LastDays,
    config: OwnConfig,
    events: object,
) -> "pd.DataFrame":
    """Return ts, asset, detector_id, tilt, lesson_ids, claim_bps and note of every row of `events`, in their order."""
    import pandas as pd

    table = table_of([read_context(events, config.columns)])
    bins = bins_after(recent, table, study.vocabulary, scores.readings.groups)
    tilt, claim = np.zeros(len(table)), np.zeros(len(table))
    ids: list[list[str]] = [[] for _ in range(len(table))]
    for lesson in lessons:
        if not lesson.tilt or lesson.detector_id not in table.detector.names:
            continue
        own = table.detector.codes == table.detector.names.index(lesson.detector_id)
        inside = np.flatnonzero(own & rule_mask(lesson.rule, bins))
        tilt[inside] += lesson.tilt
        claim[inside] += lesson.claim_bps
        for row in inside.tolist():
            ids[row].append(lesson.lesson_id)
    cap = WeaveDefaults().max_total_tilt
    blind = (bins == NULL_BIN).any(axis=1)
    frame = pd.DataFrame({
        "ts": pd.to_datetime(table.ts_us, unit="us", utc=True),
        "asset": np.array(table.asset.names, dtype=object)[table.asset.codes],
        "detector_id": np.array(table.detector.names, dtype=object)[table.detector.codes],
        "tilt": np.clip(tilt, -cap, cap),
        "lesson_ids": [tuple(x) for x in ids],
        "claim_bps": claim,
        "note": np.where(blind, _NO_BIN, ""),
    })  # fmt: skip
    return frame.iloc[np.argsort(table.origin, kind="stable")].reset_index(drop=True)


_NO_BIN = "a feature is null or has no day before it: rules that speak of it hold nowhere"
