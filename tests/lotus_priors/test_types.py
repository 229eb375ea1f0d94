"""Versions of priors: round trips, times, and which are refused."""

from dataclasses import replace

import numpy as np
import pytest
from random_priors import DETECTORS, random_version

from lotus.errors import BeliefError
from lotus.priors.compiled import compile_priors, version_at
from lotus.priors.types import (
    ActiveBraid,
    Patch,
    Rule,
    from_json,
    in_force,
    priors_0,
    priors_version,
    to_json,
)


def test_versions_round_trip_and_are_looked_up_by_time() -> None:
    rng = np.random.default_rng(4)
    versions = [priors_0("main"), random_version(rng, start=100), random_version(rng, start=300)]
    for version in versions:
        assert from_json(to_json(version)) == version
    compiled = compile_priors(versions, DETECTORS)
    for now in (0, 99, 100, 299, 300, 10**12):
        assert compiled.priors_vers[version_at(compiled.effective_from_ms, now)] == in_force(versions, now).priors_ver
    with pytest.raises(BeliefError):
        from_json(to_json(versions[1]).replace(b'"phi_mult":', b'"phi_mult":1', 1))
    with pytest.raises(BeliefError):
        in_force(versions[1:], 99)


def test_a_gate_and_a_level_stand_in_json_and_name_only_where_they_are_not_zero() -> None:
    plain = ActiveBraid("x", "micro", "a", 30, Rule(), Patch(-0.1, 1.05))
    version = priors_version("main", 7, (plain,))
    assert version.priors_ver == "8e9419ab6b9a2ebfefa5431a6dff4f77"
    assert b"gate" not in to_json(version)
    assert b"level" not in to_json(version)
    trusted = replace(plain, level=2, patch=replace(plain.patch, gate=-0.75))
    names = {priors_version("main", 7, (b,)).priors_ver for b in (plain, trusted, replace(plain, level=1))}
    assert len(names) == 3
    found = from_json(to_json(priors_version("main", 7, (trusted,)))).braids
    assert found == (trusted,)
    assert (trusted.acting_gate, replace(trusted, level=0).acting_gate) == (-0.75, 0.0)


@pytest.mark.parametrize("gate", [2.01, -3.0, float("nan")])
def test_gates_and_levels_keep_their_bounds(gate: float) -> None:
    with pytest.raises(BeliefError, match="gate"):
        Patch(gate=gate)
    with pytest.raises(BeliefError, match="level"):
        ActiveBraid("x", "micro", "a", 30, Rule(), Patch(), level=4)
    with pytest.raises(BeliefError, match="acts on a score"):
        ActiveBraid("x", "field", "a", 30, Rule(), Patch(gate=0.5))
    with pytest.raises(BeliefError, match="acts on a score"):
        ActiveBraid("x", "micro", "a", 30, Rule(), Patch(), scope="dm", level=1)


def test_refused_versions() -> None:
    many = tuple(ActiveBraid(f"{k}", "micro", "a", 30, Rule(), Patch()) for k in range(64))
    with pytest.raises(BeliefError):
        compile_priors(priors_version("main", 0, many), DETECTORS)
    orphan = ActiveBraid("m", "meta", "a", 30, Rule(), Patch(), ("0", "gone"), op="INTERSECT")
    with pytest.raises(BeliefError):
        compile_priors(priors_version("main", 0, (many[0], orphan)), DETECTORS)
    with pytest.raises(BeliefError):
        compile_priors(priors_version("main", 0, (replace(many[0], detector_id="zzz"),)), DETECTORS)
    with pytest.raises(BeliefError):
        ActiveBraid("x", "micro", "a", 30, Rule(), Patch(), op="UNION")
