"""What each actor's acts did to a day: exact on made windows, nothing on a day without acts, summed over days."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.curation.curator_value import CURATOR_VALUE, curator_value, kpis
from lotus.curation.value import moved_propensity
from lotus.detectors.daily.make import day_tables
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring.signal_spec import COMPLIANCE, DIVERSITY, KAIROS, PERSON
from lotus.manifest import Manifest

DETECTORS = shipped_detectors()
FIRST, SECOND = DETECTORS[0].detector_id, DETECTORS[1].detector_id
BLANK = day_tables("2026-01-12", [], Manifest(), Manifest().universe, DETECTORS)


def windows(tables_ver: str) -> dict[str, np.ndarray]:
    """Four windows of two detectors, then five that were vetoed."""
    n = 9
    veto = np.array([0, 0, 0, 0, COMPLIANCE, COMPLIANCE | PERSON, DIVERSITY, DIVERSITY | KAIROS, DIVERSITY])
    return {
        "detector_id": np.array([FIRST, FIRST, SECOND, SECOND, *[FIRST] * 5], dtype=object),
        "s": np.array([1.0] * 8 + [0.0]), "veto": veto, "published": np.array([True, False, True, *[False] * 6]),
        "ln_sigma_tilde": np.full(n, np.log(0.4)), "tau_pub": np.full(n, 0.4), "temperature": np.full(n, 0.12),
        "gate": np.zeros(n), "pi": np.where(veto == 0, 0.5, 0.0),
        "tables_ver": np.array([tables_ver] * n, dtype=object),
    }  # fmt: skip


def test_nudges_are_valued_and_vetoes_counted_by_actor() -> None:
    nudges = tuple({"curator:mutation": -0.06, "ann": 0.02} if d.detector_id == FIRST else {} for d in DETECTORS)
    tables = replace(BLANK, curator_nudge=nudges)
    events, paper = windows(tables.tables_ver), np.array([4.0, 1.0, 9.0, 9.0, 2.0, 4.0, -5.0, 7.0, 7.0])
    executed = np.array([6.0, *[np.nan] * 8])
    rows = curator_value(events, paper, executed, [BLANK, tables], 0.02, 0.15)
    found = {name: dict(zip(rows["actor"].tolist(), rows[name].tolist(), strict=True)) for name in CURATOR_VALUE.names}
    assert list(found["actor"]) == ["curator:compliance", "curator:diversity", "curator:mutation", "people"]
    without = moved_propensity(events, np.where(np.arange(9) < 2, 0.06, 0.0), 0.02)
    share = 0.5  # of two that were published one was executed
    wanted = (0.5 - without[0]) * (4.0 + 2.0 / 0.5 / share) + (0.5 - without[1]) * 1.0
    assert found["value_bps"]["curator:mutation"] == pytest.approx(wanted)
    assert wanted < 0.0 < found["value_bps"]["people"]
    assert found["nudged"] == {"curator:compliance": 0, "curator:diversity": 0, "curator:mutation": 2, "people": 2}
    assert found["vetoed"] == {"curator:compliance": 2, "curator:diversity": 1, "curator:mutation": 0, "people": 1}
    assert found["vetoed_p_bps"]["curator:compliance"] == 6.0
    assert found["alone"] == {"curator:compliance": 1, "curator:diversity": 1, "curator:mutation": 0, "people": 0}


def test_a_day_without_acts_has_no_rows() -> None:
    events = windows(BLANK.tables_ver)
    events["veto"] = np.where(events["veto"] != 0, KAIROS, 0)
    rows = curator_value(events, np.ones(9), np.full(9, np.nan), [BLANK], 0.02, 0.15)
    assert all(len(values) == 0 for values in rows.values())
    assert kpis([rows] * 10) == []


def test_kpis_sum_days_and_count_those_without_a_row() -> None:
    def day(value: float, vetoed: int, paid: float) -> dict[str, np.ndarray]:
        values = (["curator:regime"], [3], [value], [vetoed], [paid], [vetoed])
        return {
            n: np.array(v, dtype=CURATOR_VALUE.numpy_dtype(n)) for n, v in zip(CURATOR_VALUE.names, values, strict=True)
        }

    nothing = {n: np.zeros(0, CURATOR_VALUE.numpy_dtype(n)) for n in CURATOR_VALUE.names}
    (found,) = kpis([day(1.0, 2, -3.0), nothing, day(2.0, 0, 0.0), nothing, nothing])
    assert (found.value.total, found.value.days, found.nudged, found.vetoed, found.regret_bps) == (3.0, 5, 6, 2, -1.5)
    assert found.value.low is not None
    assert len(kpis([day(1.0, 0, 0.0)] * 100)) == 1
    assert kpis([day(1.0, 0, 0.0)] * 100)[0].value.total == 60.0
