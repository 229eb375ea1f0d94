"""Curators: what audits told enters the tables by version, vetoes and nudges one detector, leaves all else alone."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.detectors.curators import (
    CuratorInput,
    act_vetoes,
    curated,
    fragility_nudges,
    log_nudges,
    veto_bits,
    without_curators,
)
from lotus.detectors.daily.make import day_tables
from lotus.detectors.daily.tables import CURATED, tables_from_json, tables_to_json
from lotus.detectors.explain import explain_event
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring.scored import columns_of
from lotus.detectors.scoring.scorer import Columns, Scorer
from lotus.detectors.scoring.signal_spec import COMPLIANCE, DIVERSITY, LEAKAGE, VETOES
from lotus.errors import ConfigError, SchemaError
from lotus.priors.types import priors_0

DETECTORS = shipped_detectors()
LEAKY, FRAGILE = DETECTORS[1], DETECTORS[3]
TOLD = {
    LEAKY.detector_id: CuratorInput(True, 0.25, LEAKY.version),
    FRAGILE.detector_id: CuratorInput(False, 0.5, FRAGILE.version),
}


def scored(chain, tables) -> Columns:
    """Score day 12 window by window."""
    m, windows = chain.manifest, chain.windows[12]
    scorer = Scorer(m, m.universe, DETECTORS, tables, [priors_0("main")], "main")
    fed = [scorer.feed(windows.ints[k], windows.floats[k]) for k in range(len(windows))]
    whole = Scorer(m, m.universe, DETECTORS, tables, [priors_0("main")], "main").feed_all(windows)
    joined = columns_of(fed)
    for name in set(joined) - {"source"}:
        np.testing.assert_array_equal(joined[name], whole[name])
    return whole


def test_what_nobody_was_told_is_nothing(chain) -> None:
    tables = chain.tables[12]
    assert curated(tables, {}, DETECTORS) is tables
    assert curated(tables, {"stranger": CuratorInput(True, 1.0, 1)}, DETECTORS) is tables
    other = {LEAKY.detector_id: CuratorInput(True, 1.0, LEAKY.version + 1)}
    assert curated(tables, other, DETECTORS) is tables
    assert not veto_bits(tables).any()
    assert not np.signbit(fragility_nudges(tables, 0.15)).any()


def test_what_was_told_is_another_version_and_comes_back(chain) -> None:
    tables = chain.tables[12]
    told = curated(tables, TOLD, DETECTORS)
    assert told.tables_ver != tables.tables_ver
    assert without_curators(told) == tables
    assert without_curators(told).tables_ver == tables.tables_ver
    assert tables_from_json(tables_to_json(told)) == told
    later = curated(told, {LEAKY.detector_id: CuratorInput(False, 0.75, LEAKY.version)}, DETECTORS)
    assert not any(later.leakage_veto)
    assert later.adv_fragility == tuple(0.75 if d is LEAKY else 0.5 if d is FRAGILE else 0.0 for d in DETECTORS)
    assert set(CURATED) == {"leakage_veto", "adv_fragility", "stage_gate", "curator_nudge", "curator_veto", "epsilon"}
    with pytest.raises(SchemaError, match="curators"):
        replace(told, adv_fragility=())
    with pytest.raises(SchemaError, match="curators"):
        replace(told, leakage_veto=(True,), adv_fragility=(0.0,))


def test_tables_stored_before_there_were_curators_are_read(chain) -> None:
    raw = (
        tables_to_json(chain.tables[12])
        .replace(b'"leakage_veto":[]', b'"x":[]')
        .replace(b'"adv_fragility":[]', b'"y":[]')
    )
    assert raw.count(b'"x":') == raw.count(b'"y":') == 1
    assert tables_from_json(raw) == chain.tables[12]


def test_a_veto_silences_and_fragility_nudges_one_detector_each(chain) -> None:
    plain, kappa = scored(chain, chain.tables[12]), chain.manifest.score.kappa_fragility
    told = scored(chain, curated(chain.tables[12], TOLD, DETECTORS))
    leaky, fragile = (plain["detector_id"] == d.detector_id for d in (LEAKY, FRAGILE))
    np.testing.assert_array_equal(told["veto"], plain["veto"] | np.where(leaky, LEAKAGE, 0))
    assert plain["published"][leaky].any()
    assert not told["pi"][leaky].any()
    assert not told["published"][leaky].any()
    assert not told["eligible"][leaky].any()
    moved = {"tables_ver", "veto", "eligible", "published", "pi", "u", "u0", "ln_sigma_0", "ln_sigma_tilde"}
    moved |= {"det_sigma"}
    np.testing.assert_allclose(told["det_sigma"], plain["det_sigma"], rtol=1e-14)  # it leaves the nudge out again
    for name in set(plain) - moved:
        np.testing.assert_array_equal(told[name], plain[name])
    for name in moved - {"tables_ver"}:
        others = ~leaky & ~fragile
        np.testing.assert_array_equal(told[name][others], plain[name][others])
    for name in ("ln_sigma_0", "ln_sigma_tilde"):
        shift = told[name] - plain[name]
        assert shift[leaky] == pytest.approx(-kappa * 0.25)
        assert shift[fragile] == pytest.approx(-kappa * 0.5)
    assert told["pi"][fragile].sum() < plain["pi"][fragile].sum()
    assert VETOES[LEAKAGE] == "leakage"


def test_an_event_is_explained_with_its_curators(chain) -> None:
    tables = curated(chain.tables[12], TOLD, DETECTORS)
    events = scored(chain, tables)
    for spec, vetoed in ((LEAKY, True), (FRAGILE, False)):
        at = int(np.flatnonzero((events["detector_id"] == spec.detector_id) & (events["s"] != 0.0))[7])
        row = {name: values[at] for name, values in events.items()}
        found = explain_event(row, tables, priors_0("main"), chain.manifest, spec)
        assert found.exact
        assert ("leakage" in found.vetoes) is vetoed
        assert [s.name for s in found.steps if s.section == "curators"] == ["adv_fragility", "leakage_veto"]


def test_a_threshold_goes_on_while_a_veto_stands(chain) -> None:
    m, d = chain.manifest, DETECTORS.index(LEAKY)
    vetoed = [
        replace(h, veto=np.where(h.detector == d, h.veto | LEAKAGE, h.veto).astype(np.uint32))
        for h in chain.history[:12]
    ]
    plain, told = (
        day_tables(chain.tables[12].day, history, m, m.universe, DETECTORS) for history in (chain.history[:12], vetoed)
    )
    assert not vetoed[-1].eligible[vetoed[-1].detector == d].any()
    assert "tau_pub" not in told.neutral[d]
    assert told.temperature[d] == plain.temperature[d]


def test_a_curator_cannot_nudge_beyond_its_cap(chain) -> None:
    for kappa in (-0.01, 0.151):
        m = replace(chain.manifest, score=replace(chain.manifest.score, kappa_fragility=kappa))
        with pytest.raises(ConfigError, match="kappa_fragility"):
            Scorer(m, m.universe, DETECTORS, chain.tables[12], [priors_0("main")], "main")


def under_acts(tables, nudges: dict[str, dict[str, float]], vetoes: dict[tuple[str, str], int]):
    """The tables with nudges by detector and actor, and veto bits by detector and coin."""
    bits = [tuple(vetoes.get((d, a), 0) for a in tables.assets) for d in tables.detector_ids]
    return replace(
        tables,
        curator_nudge=tuple(nudges.get(d, {}) for d in tables.detector_ids),
        curator_veto=tuple(row if any(row) else () for row in bits),
    )


def test_acts_touch_their_detector_and_coin_and_nothing_else(chain) -> None:
    tables, coin = chain.tables[12], chain.tables[12].assets[1]
    plain = scored(chain, tables)
    moved = under_acts(
        tables, {FRAGILE.detector_id: {"curator:diversity": -0.03, "ann": 0.02}}, {(LEAKY.detector_id, coin): DIVERSITY}
    )
    told = scored(chain, moved)
    vetoed = (plain["detector_id"] == LEAKY.detector_id) & (plain["asset"] == coin)
    nudged = plain["detector_id"] == FRAGILE.detector_id
    assert plain["published"][vetoed].any()
    np.testing.assert_array_equal(told["veto"], plain["veto"] | np.where(vetoed, DIVERSITY, 0))
    assert not told["published"][vetoed].any()
    assert not told["pi"][vetoed].any()
    np.testing.assert_array_equal(told["u0"][vetoed], plain["u0"][vetoed])  # its score goes on
    assert (told["ln_sigma_0"] - plain["ln_sigma_0"])[nudged] == pytest.approx(-0.01)
    for name in set(plain) - {"tables_ver"}:
        others = ~vetoed & ~nudged
        np.testing.assert_array_equal(told[name][others], plain[name][others])
    for spec, mask in ((LEAKY, vetoed), (FRAGILE, nudged)):
        at = int(np.flatnonzero(mask & (told["s"] != 0.0))[5])
        found = explain_event({n: v[at] for n, v in told.items()}, moved, priors_0("main"), chain.manifest, spec)
        assert found.exact
        names = [s.name for s in found.steps if s.section == "acts"]
        assert names == (["act_veto"] if spec is LEAKY else ["ann", "curator:diversity", "nudge", "act_veto"])
    assert VETOES[COMPLIANCE] == "compliance curator"


def test_nudges_are_summed_and_clipped_and_no_crowd_of_people_is_stronger_than_one(chain) -> None:
    tables, kappa = chain.tables[12], 0.15
    d = tables.detector_ids.index(FRAGILE.detector_id)
    bound = min(0.15, tables.temperature[d])

    def total(nudges: dict[str, float], fragility: float = 0.0) -> float:
        fragile = {FRAGILE.detector_id: CuratorInput(False, fragility, FRAGILE.version)}
        told = under_acts(curated(tables, fragile, DETECTORS), {FRAGILE.detector_id: nudges}, {})
        assert not np.delete(log_nudges(told, kappa), d).any()
        return float(log_nudges(told, kappa)[d])

    assert total({"curator:data": -0.15, "curator:regime": -0.15}) == -bound
    assert total({"ann": 0.05, "bob": 0.05, "eve": 0.05}) == 0.05
    assert total({"ann": 0.05, "curator:diversity": -0.01}) == pytest.approx(0.04)
    assert total({"ann": -0.05, "bob": -0.05, "curator:diversity": 0.01}) == pytest.approx(-0.04)
    assert total({"curator:diversity": 0.01}, fragility=1.0) == pytest.approx(-0.14)
    assert total({"curator:diversity": -0.01}, fragility=1.0) == -kappa  # what fragility took alone stays the floor
    step = replace(tables, temperature=(0.0,) * len(tables.detector_ids))
    assert not log_nudges(under_acts(step, {FRAGILE.detector_id: {"ann": 0.05}}, {}), kappa).any()
    assert not act_vetoes(tables).any()
    with pytest.raises(SchemaError, match="acts on other"):
        replace(tables, curator_veto=((1,),))
    with pytest.raises(SchemaError, match="acts on other"):
        replace(tables, curator_veto=((1,),) * len(tables.detector_ids))
