"""Detector specifications: what is shipped, what is refused, and how parameters reach the kernels."""

from dataclasses import replace
from importlib import resources

import numpy as np
import pytest

from lotus.detectors.registry import FAMILIES, PARAMS, param_table, parse_spec, shipped_detectors, specs_ver
from lotus.errors import ConfigError
from lotus.manifest import Manifest

TEXT = (resources.files("lotus.detectors") / "specs" / "basis_shock.yaml").read_text("utf-8")


def test_six_families_are_shipped_with_one_decision_horizon_each() -> None:
    found = {d.detector_id: d for d in shipped_detectors()}
    assert set(found) == set(FAMILIES)
    assert {name: d.horizon_s for name, d in found.items()} == {
        name: 300 if name == "compressed_range" else 30 for name in FAMILIES
    }
    assert all(0.0 < d.rho < 0.5 for d in found.values())
    assert len({d.spec_id for d in found.values()}) == 6


def test_a_changed_parameter_is_another_specification() -> None:
    detectors = list(shipped_detectors())
    before = specs_ver(detectors)
    detectors[0] = replace(detectors[0], params=(31.0, *detectors[0].params[1:]))
    assert specs_ver(detectors) != before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("family: basis_shock", "family: gut_feeling"),
        ("lag_s: 30", "lag_s: .nan"),
        ("lag_s: 30", "lag_s: 0"),
        ("lag_s: 30", "lag: 30"),
        ("version: 1", "version: 0"),
        ("depth: 6", "deep: 6"),
        ("band_s: [20, 160]", "band_s: [160, 20]"),
    ],
)
def test_bad_specifications_are_refused(old: str, new: str) -> None:
    assert parse_spec(TEXT, "x").detector_id == "basis_shock"
    with pytest.raises(ConfigError, match="x"):
        parse_spec(TEXT.replace(old, new), "x")
    with pytest.raises(ConfigError):
        parse_spec("- a list", "x")


def test_parameters_reach_the_kernels_in_frames_and_windows_with_siblings() -> None:
    detectors = shipped_detectors()
    table = param_table(detectors, Manifest())
    names = [d.detector_id for d in detectors]
    imbalance, basis = table[names.index("imbalance_persistence")], table[names.index("basis_shock")]
    assert imbalance[0, 0] == 30.0
    assert basis[0, 0] == 6.0
    assert np.all(table[:, 1:, 0].min(axis=1) < table[:, 0, 0])
    assert np.all(imbalance[:, PARAMS["imbalance_persistence"].index("share")] <= 1.0)
