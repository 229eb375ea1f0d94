"""The documented terms of a score: their names are those of the tables, and scored values keep their ranges."""

import numpy as np
from kernel_terms_page import QUALITY, SLOW, TERMS

from lotus.detectors.daily.quality import WEIGHTS
from lotus.detectors.scoring.signal_spec import SIGNAL_EVENTS

STORED = {"det_kairos": "kairos", "det_entrain_r": "entrain", "det_uncert": "uncert"}


def test_every_quality_part_and_every_stored_term_is_listed_once() -> None:
    names = [t.name for t in TERMS]
    assert len(set(names)) == len(names)
    assert {n for n in SIGNAL_EVENTS.names if n.startswith(("kr_", "sq_"))} <= set(names)
    assert {f"sq_{n}" for n in (*WEIGHTS, "score")} == {t.name for t in TERMS if t.group == QUALITY}
    assert {t.name for t in TERMS} >= {"kr_theta", "kr_rho", "G", "det_sigma", *STORED}


def test_scored_values_keep_the_ranges(chain) -> None:
    seen = 0
    for term in TERMS:
        column = STORED.get(term.name, term.name)
        if column in SIGNAL_EVENTS.names:
            stored = SIGNAL_EVENTS.column(column)
            assert stored.nullable or "null" not in term.neutral
            values = np.concatenate([e[column] for e in chain.events])
            known = values[np.isfinite(values)]
            assert term.low <= known.min() <= known.max() <= term.high
            seen += 1
    assert seen >= 15
    for tables in chain.tables:
        for parts in tables.quality:
            assert all(0.0 <= value <= 1.0 for value in parts.values())


def test_the_reading_windows_are_those_of_the_code() -> None:
    days = {t.name: t.window for t in TERMS if t.group in (QUALITY, SLOW)}
    assert days.pop("kr_emergence") == "30 days"
    assert days.pop("kr_rho") == "none"
    assert set(days.values()) == {"20 days"}
