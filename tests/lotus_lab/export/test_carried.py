"""Carried lessons advise as the kernels that score live do, on random beliefs; they refuse when changed or too old."""

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from random_priors import DETECTORS, random_bins, random_version, trusted

from lotus.detectors.daily.tables import DayTables
from lotus.errors import BeliefError
from lotus.manifest import Asset, Manifest
from lotus.priors.claims import fired_claims, total_of
from lotus.priors.compiled import caps_of, compile_priors, fired_braids
from lotus.priors.segment_context import SEGMENT
from lotus.priors.types import ActiveBraid, Literal, Patch, PriorsVersion, Rule, priors_0, priors_version
from lotus.priors.vocabulary import DEFAULT
from lotus.timebase import day_start_ms
from lotus_lab.export.carried import CarriedLessons, StaleLessons, hash_of, moved_chance, or_refuse
from lotus_lab.export.home import home_data, kernel_advice

DAY = "1970-01-01"
MANIFEST = Manifest(universe=(Asset("BTC", 5), Asset("ETH", 4)))


def tables(temperature: float = 0.1) -> DayTables:
    """Return tables of two coins: quintile edges at 1, 2, 3, 4."""
    n = len(DETECTORS)
    edges = tuple(tuple(float(k) for k in range(1, f.bins)) for f in DEFAULT.features)
    half = (0.5,) * n
    return DayTables(
        day=DAY, assets=("BTC", "ETH"), detector_ids=tuple(DETECTORS), edges=(edges, edges), hbar_m=(None, None),
        hbar_s=(None, None), sq_score=half, kr_coherence=half, kr_phi=half, theta0=(0.4,) * n, kr_rho=half,
        kr_emergence=half, kr_novelty=half, tau_pub=half, temperature=(temperature,) * n, neutral=((),) * n,
        quality=({},) * n,
    )  # fmt: skip


def carried(version: PriorsVersion, claims: dict[str, float] | None = None, temperature: float = 0.1) -> dict[str, Any]:
    """Return the data of an export, through JSON."""
    made: dict[str, Any] = json.loads(json.dumps(home_data(version, tables(temperature), MANIFEST, claims or {})))
    return made


@pytest.mark.parametrize("levels", [False, True])
def test_ten_thousand_windows_are_advised_as_the_daemon_does(levels: bool) -> None:
    rng = np.random.default_rng(11 + levels)
    caps, gated = caps_of(MANIFEST.weave), 0
    for _ in range(20):
        version = random_version(rng)
        version = trusted(rng, version) if levels else version
        claims = {b.braid_id: float(rng.normal()) for b in version.braids if rng.random() < 0.8}
        temperature = float(rng.uniform(0.05, 0.25))
        lessons = CarriedLessons(carried(version, claims, temperature))
        names = list(DETECTORS)
        compiled = compile_priors(version, names)
        for _ in range(250):
            d, bins, group = int(rng.integers(len(names))), random_bins(rng), int(rng.integers(0, 2))
            theta1, now_ms = float(rng.uniform(0.0, 0.9)), int(rng.integers(0, 1000))
            both = np.append(bins, np.uint8(group))
            wanted = kernel_advice(compiled, d, both, theta1, now_ms, caps, temperature, MANIFEST)
            got = lessons.of_bins(names[d], bins.tolist(), now_ms, theta1, group)
            assert (got.theta, got.phi) == pytest.approx(wanted[2:4], abs=1e-12)
            assert (got.tilt, got.gate) == pytest.approx(wanted[:2], abs=1e-12)
            assert list(got.braids) == [b.braid_id for b in fired_braids(version, names[d], wanted[4])]
            assert got.claim_bps == pytest.approx(total_of(fired_claims(version, names[d], wanted[4], claims))[0])
            gated += got.gate != 0.0
    assert (gated > 500) == levels


def test_values_become_bins_as_the_daemon_makes_them() -> None:
    lessons = CarriedLessons(carried(random_version(np.random.default_rng(1))))
    values: dict[str, Any] = {f.name: 2.0 for f in DEFAULT.features}
    assert lessons.bins("BTC", values, 1) == [1] * 12, "a tie belongs to the lower bin"
    assert lessons.bins("BTC", values | {"vol": 2.1, "oi": 99, "spread": -3, "hbar": None}, 1)[:6] == [
        2,
        255,
        1,
        1,
        1,
        4,
    ]
    short = lessons.bins("BTC", values, -1)
    assert [b for b, f in zip(short, DEFAULT.features, strict=True) if f.aligned] == [0] * 5
    assert [b for b, f in zip(lessons.bins("BTC", values), DEFAULT.features, strict=True) if f.aligned] == [255] * 5
    assert lessons.bins("NEW", values, 1) == [255] * 12
    assert lessons.bins("BTC", values | {"vol": float("nan")}, 1)[0] == 255
    assert lessons.bins("BTC", {"vol": 2.1})[:2] == [2, 255]


def test_what_rules_speak_of_has_to_be_there_and_nothing_else() -> None:
    lessons = CarriedLessons(carried(random_version(np.random.default_rng(1))))
    detector = DETECTORS[0]
    needed = lessons.needed[detector]
    rules = [b["rule"] for b in lessons.data["detectors"][detector]["braids"] if b["op"] == "RULE"]
    assert needed == tuple(f.name for k, f in enumerate(DEFAULT.features) if k in {x for r in rules for x, *_ in r})
    whole: dict[str, Any] = {f.name: 2.5 for f in DEFAULT.features}
    just = {name: whole[name] for name in needed}
    assert lessons.advise(detector, "BTC", just, 5, side=1) == lessons.advise(detector, "BTC", whole, 5, side=1)
    for name in needed:
        with pytest.raises(KeyError, match=f"no {name}; expected"):
            lessons.advise(detector, "BTC", {k: v for k, v in just.items() if k != name}, 5)
    with pytest.raises(KeyError, match="misspelled"):
        lessons.advise("other", "BTC", just, 5)


def test_a_detector_without_a_rule_is_advised_nothing() -> None:
    version = random_version(np.random.default_rng(3), detectors=("a",))
    lessons = CarriedLessons(carried(version))
    assert lessons.needed["b"] == ()
    assert lessons.advise("b", "BTC", {}, 5)[:5] == (0.0, 0.0, 0.4 - 0.05, 1.0, ())


def test_what_fails_is_no_confirmation() -> None:
    @or_refuse
    def confirm(answer: Any) -> Any:
        return 1 / answer

    assert [confirm(x) for x in (1, 0, "x", math.inf)] == [True, False, False, False]
    assert confirm.__name__ == "confirm"


def test_they_refuse_before_and_after_their_time() -> None:
    data = carried(random_version(np.random.default_rng(2)))
    lessons, bins = CarriedLessons(data), [0] * 12
    assert (data["from_ms"], data["until_ms"]) == (0, 2**53) or data["until_ms"] <= day_start_ms("1970-01-04")
    lessons.of_bins(DETECTORS[0], bins, data["until_ms"] - 1)
    for now_ms, words in ((data["until_ms"], "export the lessons again"), (-1, "a clock that is wrong")):
        with pytest.raises(StaleLessons, match=words):
            lessons.of_bins(DETECTORS[0], bins, now_ms)
    with pytest.raises(KeyError):
        lessons.of_bins("other", bins, 5)


def test_what_was_changed_is_refused() -> None:
    data = carried(random_version(np.random.default_rng(3)))
    for path in (("until_ms",), ("caps", "theta_total"), ("edges", "BTC", "vol", 0)):
        changed = json.loads(json.dumps(data))
        at = changed
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] += 1
        with pytest.raises(StaleLessons, match="edited"):
            CarriedLessons(changed)
    braid = next(b for own in data["detectors"].values() for b in own["braids"] if b["op"] == "RULE" and b["theta"] > 0)
    braid["theta"] += 0.01
    with pytest.raises(StaleLessons, match="test vector"):
        CarriedLessons({**data, "hash": hash_of(data)})
    with pytest.raises(StaleLessons, match="another release"):
        CarriedLessons({**data, "format": 2})


def test_without_a_rule_or_with_edges_of_before_there_is_nothing_to_export() -> None:
    with pytest.raises(BeliefError, match="no rule"):
        home_data(priors_0("main"), tables(), MANIFEST, {})
    late = random_version(np.random.default_rng(4), start=day_start_ms("1970-02-01"))
    braid = ActiveBraid("a", "micro", DETECTORS[0], 30, Rule.of(Literal(SEGMENT, 1, 1)), Patch(-0.1, 1.05))
    about_one = priors_version("main", day_start_ms(DAY) + 1, (braid,))
    listed = replace(tables(), segments=(("vol > 1bps/sqrt(min)",), ()))
    with pytest.raises(BeliefError, match="a rule about a segment"):
        home_data(about_one, listed, MANIFEST, {})
    assert home_data(about_one, tables(), MANIFEST, {})["detectors"]
    with pytest.raises(BeliefError, match="edges of 1970-01-01"):
        home_data(late, tables(), MANIFEST, {})


def test_a_chance_is_moved_on_the_logit() -> None:
    assert moved_chance(0.5, 0.0) == 0.5
    assert moved_chance(0.2, 1.0) > 0.2 > moved_chance(0.2, -1.0)
    assert [moved_chance(x, 9.0) for x in (0.0, 1.0)] == [0.0, 1.0]
