"""The shipped detectors: which families, which are scored, one decision horizon each, and what makes an identity."""

from dataclasses import replace
from pathlib import Path

import lotus.detectors
from lotus.detectors.registry import known_detectors, shipped_detectors, specs_ver

FAMILIES = {file.stem for file in (Path(lotus.detectors.__file__).parent / "specs").glob("*.yaml")}


def test_every_family_is_shipped_and_only_the_active_ones_are_scored() -> None:
    known = {d.detector_id: d for d in known_detectors()}
    assert {d.family for d in known.values()} == FAMILIES, "a family has the name of its file"
    assert len(FAMILIES) >= 11
    assert list(known) == sorted(known)
    active = [d for d in known.values() if d.status == "active"]
    assert list(shipped_detectors()) == active
    assert len(active) >= 6
    assert all(d.horizon_s in (30, 300) and len(d.idea) > 20 for d in known.values())
    assert all(0.0 < d.rho < 1.0 for d in known.values())
    assert len({d.spec_id for d in known.values()}) == len(known)


def test_a_changed_parameter_is_another_specification_and_another_wording_is_not() -> None:
    detectors = list(shipped_detectors())
    before = specs_ver(detectors)
    spec = detectors[0]
    assert replace(spec, idea="in other words").spec_id == spec.spec_id
    detectors[0] = spec.jittered(1.01)
    assert specs_ver(detectors) != before
