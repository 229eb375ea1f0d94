"""The table of audits: every finding, and what curators take of it."""

from dataclasses import replace

import numpy as np
from audit_signals import DAY, DETECTORS, HONEST, LEAKY, SEED, _closes, market, scorer
from numpy.typing import NDArray

from lotus.detectors.audits import sample
from lotus.detectors.audits.leakage import is_shuffled
from lotus.detectors.audits.table import (
    ADV_FRAGILITY,
    DETECTOR_AUDITS,
    LEAKAGE_VETO,
    audit_day,
    audit_table,
    curator_inputs,
    planted_was_caught,
)
from lotus.detectors.daily.tables import DayTables
from lotus.hashing import content_hash
from lotus.microtape.frames import spec as c
from lotus.microtape.frames.batch import FrameBatch

FRAMES = market()


def future(frames: FrameBatch, asset: int) -> NDArray[np.float64]:
    """The return of the next minute."""
    end = frames.ints[_closes(frames, asset), c.I_END]
    ahead = sample.forward_returns(frames, np.full(len(end), asset), end, end + 60_000)
    return np.clip(np.where(np.isfinite(ahead), ahead, 0.0) / 20.0, -1.0, 1.0)


NO_TABLES = DayTables(
    DAY, (), (HONEST, LEAKY), (), (), (), (0.5, 0.5), *(((0.5, 0.5),) * 8), ((), ()), ({"cost": 0.4}, {})
)  # fmt: skip


def test_the_table_holds_every_finding_and_what_curators_take() -> None:
    vetoed = replace(NO_TABLES, leakage_veto=(False, True), adv_fragility=(0.0, 0.0))
    rows = audit_day(FRAMES, vetoed, scorer(future), DETECTORS, SEED, DAY)
    assert {n: v.dtype for n, v in rows.items()} == {n: DETECTOR_AUDITS.numpy_dtype(n) for n in DETECTOR_AUDITS.names}
    keys = list(zip(rows["detector_id"].tolist(), rows["audit"].tolist(), strict=True))
    assert keys == sorted(set(keys))
    assert len(keys) == 3 * 4 + 2 * 6 + 2 * 2
    assert planted_was_caught(rows) == (4, 4)
    inputs = curator_inputs(rows)
    assert inputs[LEAKY].leakage_veto
    assert not inputs[HONEST].leakage_veto
    assert all(0.0 < x.adv_fragility < 1.0 for x in inputs.values())
    curators = np.isin(rows["audit"].astype(str), [LEAKAGE_VETO, ADV_FRAGILITY])
    assert set(rows["kind"][curators].tolist()) == {"curator"}
    again = audit_day(FRAMES, vetoed, scorer(future), DETECTORS, SEED, DAY)
    assert content_hash(again) == content_hash(rows)
    shuffled = [
        is_shuffled(SEED, DAY),
        "label_shuffle" in audit_day(FRAMES, NO_TABLES, scorer(future), DETECTORS, SEED, DAY)["audit"],
    ]
    assert shuffled[0] == shuffled[1]
    other = replace(DETECTORS[0], version=9)
    assert audit_table([], [], [other])["spec_version"].dtype == np.int32
