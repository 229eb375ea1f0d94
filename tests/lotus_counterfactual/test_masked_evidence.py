"""What windows would know with some experts masked: by hand, and equal to the rest where nobody is."""

import math
from dataclasses import replace

import numpy as np
import pytest

from lotus.counterfactual.masked_evidence import evidence_without, of_side
from lotus.experts.fusion import default_experts

EXPERTS = default_experts()
RAW = replace(EXPERTS, fusion=replace(EXPERTS.fusion, evidence=()))
NAMES, WEIGHTS = EXPERTS.names, np.array(EXPERTS.weights)
FIRST = int(np.flatnonzero(WEIGHTS > 0.0)[0])


def said(**by_name: float) -> np.ndarray:
    """Return one window in which only the named experts speak."""
    return np.array([[by_name.get(name, math.nan) for name in NAMES]])


def test_the_sum_of_those_who_remain_goes_through_the_logistic() -> None:
    other = int(np.flatnonzero(WEIGHTS > 0.0)[1])
    z = said(**{NAMES[FIRST]: 2.0, NAMES[other]: -1.0})
    both = 1.0 / (1.0 + math.exp(-(2.0 * WEIGHTS[FIRST] - WEIGHTS[other])))
    assert evidence_without(z, RAW, ()).tolist() == pytest.approx([both])
    one = 1.0 / (1.0 + math.exp(WEIGHTS[other]))
    assert evidence_without(z, RAW, (NAMES[FIRST],)).tolist() == pytest.approx([one])


def test_it_is_null_where_nobody_who_remains_speaks() -> None:
    z = said(**{NAMES[FIRST]: 2.0})
    assert np.isnan(evidence_without(z, RAW, (NAMES[FIRST],))).tolist() == [True]
    assert np.isnan(evidence_without(said(), RAW, ())).tolist() == [True]
    assert len(evidence_without(np.empty((0, len(NAMES))), RAW, NAMES)) == 0


def test_a_stranger_changes_nothing_and_the_calibration_of_the_set_is_used() -> None:
    z = np.random.default_rng(3).normal(size=(50, len(NAMES)))
    bent = replace(EXPERTS, fusion=replace(EXPERTS.fusion, evidence=((0.0, 0.3), (1.0, 0.7))))
    plain = evidence_without(z, RAW, ())
    assert np.array_equal(plain, evidence_without(z, RAW, ("nobody",)))
    np.testing.assert_allclose(evidence_without(z, bent, ()), 0.3 + 0.4 * plain)


def test_a_signal_below_zero_reads_the_other_side() -> None:
    up = np.array([0.7, 0.7, np.nan])
    np.testing.assert_allclose(of_side(up, np.array([1.0, -1.0, -1.0])), [0.7, 0.3, np.nan])
