"""Scoring: live equals batch, no look-ahead, propensities, draws, gates and the kernel score against hand oracles."""

import math
from dataclasses import replace

import numpy as np
import pytest

from lotus.detectors.daily.make import day_tables
from lotus.detectors.explain import explain_event
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring import signal_spec as spec
from lotus.detectors.scoring.draw import draw_keys
from lotus.detectors.scoring.scored import columns_of
from lotus.detectors.scoring.scorer import Scorer, in_key_order, score_windows
from lotus.detectors.scoring.signal_spec import SIGNAL_EVENTS
from lotus.detectors.windows import row_spec as win
from lotus.detectors.windows.builder import WindowBatch, build_windows
from lotus.errors import BeliefError, SchemaError
from lotus.manifest import Asset, Manifest, ScoreDefaults
from lotus.priors.asset_context import ASSET
from lotus.priors.segment_context import SEGMENT
from lotus.priors.types import ActiveBraid, Literal, Patch, Rule, priors_0, priors_version
from lotus.priors.vocabulary import FEATURE_NAMES
from lotus_live.parity import events_hash

GENESIS = [priors_0("main")]
DETECTORS = shipped_detectors()


def equal(a, b) -> bool:
    return all(
        list(a[name]) == list(b[name]) if a[name].dtype == object else a[name].tobytes() == b[name].tobytes()
        for name in a
    )


def braided(start_ms: int = 1):
    """Priors in force from `start_ms`: an always-true boost on one detector and an evidence rule on another."""
    boost = ActiveBraid("boost", "micro", "micro_drift", 30, Rule(), Patch(-0.1, 1.05))
    rule = Rule.of(Literal(FEATURE_NAMES.index("mx"), 3, 4), Literal(FEATURE_NAMES.index("flow"), 0, 2))
    damp = ActiveBraid("damp", "micro", "basis_shock", 30, rule, Patch(0.12, 0.95))
    return [priors_0("main"), priors_version("main", start_ms, (boost, damp))]


def scored(chain, day: int, priors=None, manifest=None):
    m = manifest or chain.manifest
    return score_windows(chain.windows[day], m, m.universe, chain.tables[day], priors or GENESIS, "main")


def trusted(start_ms: int, *levels: int):
    """Versions of every detector's two gates, from `start_ms` on and every ten minutes at the next level."""
    rule = Rule.of(Literal(FEATURE_NAMES.index("mx"), 2, 4))
    patches = Patch(-0.1, 1.05, (), 1.6), Patch(0.05, 0.97, (), -0.9)
    made = [priors_0("main")]
    for k, level in enumerate(levels):
        braids = tuple(
            ActiveBraid(f"{d.detector_id}{n}", "micro", d.detector_id, d.horizon_s, where, patch, level=level * (1 - n))
            for d in DETECTORS
            for n, (where, patch) in enumerate(zip((rule, Rule()), patches, strict=True))
        )
        made.append(priors_version("main", start_ms + k * 600_000, braids))
    return made


def middle_ms(chain, day: int) -> int:
    return int(np.median(chain.windows[day].ints[:, win.W_END]))


def test_live_equals_batch_bit_for_bit_across_a_swap_of_priors(chain) -> None:
    day, m = 12, chain.manifest
    priors = braided(middle_ms(chain, day))
    batch = scored(chain, day, priors)
    windows = chain.windows[day]
    scorer = Scorer(m, m.universe, DETECTORS, chain.tables[day], GENESIS, "main")
    parts = []
    for ints, floats in zip(windows.ints, windows.floats, strict=True):
        if ints[win.W_END] == priors[1].effective_from_ms:
            scorer.swap(priors)
        parts.append(scorer.feed(ints, floats))
    live = in_key_order(columns_of(parts))
    assert set(live.pop("source")) == {"live"}
    assert set(batch.pop("source")) == {"batch"}
    assert equal(live, batch)
    assert batch["fired"].any()
    assert sum(p.published for p in parts) == int(batch["published"].sum()) > 0


def test_with_gates_live_equals_batch_over_changes_of_level(chain) -> None:
    m, windows = chain.manifest, chain.windows[12]
    priors = trusted(int(windows.ints[0, win.W_END]) + 300_000, 1, 3, 0)
    batch = scored(chain, 12, priors)
    scorer, known, parts = Scorer(m, m.universe, DETECTORS, chain.tables[12], GENESIS, "main"), 1, []
    for ints, floats in zip(windows.ints, windows.floats, strict=True):
        if known < len(priors) and ints[win.W_END] >= priors[known].effective_from_ms:
            known += 1
            scorer.swap(priors[:known])
        parts.append(scorer.feed(ints, floats))
    live = in_key_order(columns_of(parts))
    assert known == 4
    assert equal({n: v for n, v in live.items() if n != "source"}, {n: v for n, v in batch.items() if n != "source"})
    acted = [bool(batch["gate"][batch["priors_ver"] == p.priors_ver].any()) for p in priors]
    assert acted == [False, True, True, False]


def test_the_gate_is_added_to_the_logit_within_the_cap_of_its_level(chain) -> None:
    plain = chain.events[12]
    for level, whole in ((1, 1.5), (2, 2.5), (3, 3.0)):
        e = scored(chain, 12, trusted(1, level))
        inside, eligible = e["fired"] == 3, e["eligible"]
        z = (e["ln_sigma_tilde"] - np.log(e["tau_pub"])) / e["temperature"] + e["gate"]
        floor = np.where(inside, 0.05, 0.02)
        p = np.clip(1 / (1 + np.exp(-z)), floor, 1 - floor)
        assert np.allclose(e["pi"][eligible], p[eligible], atol=1e-12)
        assert np.allclose(e["u"], np.log(p / (1 - p)), atol=1e-9)
        tilt = (e["ln_sigma_tilde"] - e["ln_sigma_0"]) / e["temperature"]
        assert np.allclose(e["gate"][inside], np.minimum(1.6, whole - tilt[inside]), atol=1e-12)
        assert 0.1 < inside.mean() < 0.9
        assert not e["gate"][~inside].any()  # of the braid without a level
        assert e["u0"].tobytes() == plain["u0"].tobytes()
        assert e["ln_sigma_0"].tobytes() == plain["ln_sigma_0"].tobytes()


def test_without_a_level_every_bit_is_as_without_gates(chain) -> None:
    gated = trusted(1, 0)
    no_gates = (replace(b, patch=replace(b.patch, gate=0.0)) for b in gated[1].braids)
    bare = [gated[0], priors_version("main", gated[1].effective_from_ms, tuple(no_gates))]
    one, two = scored(chain, 12, gated), scored(chain, 12, bare)
    assert events_hash(one | {"priors_ver": two["priors_ver"]}) == events_hash(two)
    assert not one["gate"].any()
    assert SIGNAL_EVENTS.silent(one) == {"gate"}
    stored = {name: values for name, values in one.items() if name != "gate"}
    assert events_hash(stored) == events_hash(one)


def test_a_lesson_about_one_coin_acts_there_alone_and_live_equals_batch(chain) -> None:
    m, windows = chain.manifest, chain.windows[12]
    rule = Rule.of(Literal(FEATURE_NAMES.index("mx"), 2, 4), Literal(ASSET, 1, 1))
    braids = tuple(
        ActiveBraid(f"{d.detector_id}0", "micro", d.detector_id, d.horizon_s, rule, Patch(-0.1, 1.05))
        for d in DETECTORS
    )
    priors = [priors_0("main"), priors_version("main", middle_ms(chain, 12), braids)]
    batch, plain = scored(chain, 12, priors), chain.events[12]
    scorer, parts = Scorer(m, m.universe, DETECTORS, chain.tables[12], GENESIS, "main"), []
    for ints, floats in zip(windows.ints, windows.floats, strict=True):
        if ints[win.W_END] == priors[1].effective_from_ms:
            scorer.swap(priors)
        parts.append(scorer.feed(ints, floats))
    assert events_hash(columns_of(parts)) == events_hash(batch)
    fired = batch["fired"] != 0
    inside = (batch["asset"] == "A1") & (batch["b_mx"] >= 2) & (batch["b_mx"] <= 4)
    assert fired.any()
    assert np.array_equal(fired, inside & (batch["window_end_ms"] >= priors[1].effective_from_ms))
    for name in ("pi", "theta2", "phi_mult", "published", "cond_key"):
        assert batch[name][~fired].tobytes() == plain[name][~fired].tobytes()
    assert (batch["pi"][fired] > plain["pi"][fired]).any()
    row = {name: values[np.flatnonzero(fired)[0]] for name, values in batch.items()}
    detector = next(d for d in DETECTORS if d.detector_id == row["detector_id"])
    found = explain_event(row, chain.tables[12], priors[1], m, detector)
    assert found.exact
    assert [s.note for s in found.trace.steps] == ["mx >= 2 and on A1"]


def test_a_lesson_about_a_segment_acts_there_alone_and_live_equals_batch(chain) -> None:
    m, windows, plain = chain.manifest, chain.windows[12], chain.events[12]
    half = {a: float(np.nanmedian(plain["x_vol"][plain["asset"] == a])) for a in ("A0", "A1")}
    calm = {a: (f"vol <= {x!r}bps/sqrt(min)", f"vol > {x!r}bps/sqrt(min)") for a, x in half.items()}
    tables = replace(chain.tables[12], segments=(calm["A0"], calm["A1"], ()))
    rule = Rule.of(Literal(FEATURE_NAMES.index("mx"), 2, 4), Literal(SEGMENT, 1, 1))
    braids = tuple(
        ActiveBraid(f"{d.detector_id}0", "micro", d.detector_id, d.horizon_s, rule, Patch(-0.1, 1.05))
        for d in DETECTORS
    )
    priors = [priors_0("main"), priors_version("main", middle_ms(chain, 12), braids)]
    batch = score_windows(windows, m, m.universe, tables, priors, "main")
    scorer, parts = Scorer(m, m.universe, DETECTORS, tables, priors, "main"), []
    for ints, floats in zip(windows.ints, windows.floats, strict=True):
        parts.append(scorer.feed(ints, floats))
    assert events_hash(columns_of(parts)) == events_hash(batch)
    fired = batch["fired"] != 0
    wild = np.zeros(len(fired), bool)
    for a, x in half.items():
        wild |= (batch["asset"] == a) & (batch["x_vol"] > x)
    inside = wild & (batch["b_mx"] >= 2) & (batch["b_mx"] <= 4)
    assert fired.any()
    assert np.array_equal(fired, inside & (batch["window_end_ms"] >= priors[1].effective_from_ms))
    for name in ("pi", "theta2", "phi_mult", "published", "cond_key"):
        assert batch[name][~fired].tobytes() == plain[name][~fired].tobytes()
    row = {name: values[np.flatnonzero(fired)[0]] for name, values in batch.items()}
    detector = next(d for d in DETECTORS if d.detector_id == row["detector_id"])
    on = replace(m, learning=replace(m.learning, segment_context=True))
    found = explain_event(row, tables, priors[1], on, detector)
    assert found.exact
    assert [s.note for s in found.trace.steps] == ["mx >= 2 and in segment 1"]


def test_a_truncated_day_scores_the_same(chain) -> None:
    m, whole = chain.manifest, chain.windows[12]
    full = Scorer(m, m.universe, DETECTORS, chain.tables[12], GENESIS, "main").feed_all(whole)
    for rows in (1, 7, 400, 901):
        part = WindowBatch(whole.detectors, whole.window_ms, whole.ints[:rows], whole.floats[:rows])
        found = Scorer(m, m.universe, DETECTORS, chain.tables[12], GENESIS, "main").feed_all(part)
        assert equal(found, {name: values[: rows * 6] for name, values in full.items()})


def test_propensities_and_draws(chain) -> None:
    m = chain.manifest
    for day in (0, 5, 12):
        e = chain.events[day]
        eligible = e["veto"] == 0
        assert np.array_equal(eligible, e["eligible"])
        assert np.all(e["pi"][~eligible] == 0.0)
        assert np.all((e["pi"][eligible] >= 0.02) & (e["pi"][eligible] <= 0.98))
        assert np.array_equal(e["published"], eligible & (e["draw"] < e["pi"]))
        assert not np.any(eligible & (e["s"] == 0.0))
        p = np.clip(1 / (1 + np.exp(-(e["ln_sigma_tilde"] - np.log(e["tau_pub"])) / e["temperature"])), 0.02, 0.98)
        assert np.allclose(e["pi"][eligible], p[eligible], atol=1e-12)
        assert np.allclose(e["u"], np.log(p / (1 - p)), atol=1e-9)
    keys = draw_keys(m.score.seed, m.universe, DETECTORS)
    names, ids = [a.name for a in m.universe], [d.detector_id for d in DETECTORS]
    for row in range(0, len(e["s"]), 997):
        key = keys[names.index(e["asset"][row]), ids.index(e["detector_id"][row])]
        philox = np.random.Philox(key=key, counter=[int(e["window_start_ms"][row]) - 1, 0, 0, 0])
        assert e["draw"][row] == np.random.Generator(philox).random()


def test_without_a_fired_braid_nothing_differs_from_genesis(chain) -> None:
    plain = chain.events[12]
    events = scored(chain, 12, braided())
    quiet = events["fired"] == 0
    assert 0.5 < quiet.mean() < 0.9
    assert np.array_equal(events["u"][quiet], events["u0"][quiet])
    for name in ("theta2", "phi_mult", "ln_sigma_tilde", "u", "u0", "pi", "draw", "published", "det_sigma"):
        assert events[name][quiet].tobytes() == plain[name][quiet].tobytes(), name
    assert np.array_equal(events["u0"], plain["u0"])
    loud = (events["detector_id"] == "micro_drift") & events["eligible"]
    assert np.all(events["u"][loud] >= events["u0"][loud])
    assert events["pi"][loud].mean() > plain["pi"][loud].mean() + 0.02


def test_total_tilt_is_capped_at_one_logit(chain) -> None:
    many = tuple(
        ActiveBraid(f"{d.detector_id}{k}", "micro", d.detector_id, d.horizon_s, Rule(), Patch(-0.12, 1.06))
        for d in DETECTORS
        for k in range(4)
    )
    m = replace(chain.manifest, weave=replace(chain.manifest.weave, max_total_tilt=0.25))
    for manifest, limit in ((chain.manifest, 1.0), (m, 0.25)):
        e = scored(chain, 12, [priors_version("main", 0, many)], manifest)
        tilt = (e["ln_sigma_tilde"] - e["ln_sigma_0"]) / e["temperature"]
        assert tilt.max() == pytest.approx(limit, abs=1e-9)


def test_kernel_score_by_hand(chain) -> None:
    e = scored(chain, 12, braided())
    for row in range(0, len(e["s"]), 211):
        x = {name: float(e[name][row]) for name in spec.KERNEL_FLOATS}
        terms = (
            (x["kr_hbar"], 1),
            (x["kr_coherence"], 1),
            (x["kr_phi"], 1),
            (x["kr_novelty"], 0.8),
            (x["kr_emergence"], 0.8),
        )
        g = math.exp(sum(w * math.log(0.05 + 0.95 * v) for v, w in terms) / 4.6)
        theta1 = max(0.0, x["kr_theta"] - 0.1 * x["mx_evidence"])
        assert x["theta1"] == pytest.approx(theta1)
        delta = g * (1 - x["theta2"]) ** 0.7 * (1 - x["kr_rho"]) ** 0.7
        delta *= (1 + 0.2 * (2 * x["mx_evidence"] - 1)) / (1 + x["crowd_share"]) * x["phi_mult"]
        assert x["kr_delta_phi"] == pytest.approx(min(max(delta, 0), 1))
        ln = 0.6 * math.log(max(x["sq_score"], 1e-3)) + 0.4 * math.log(max(delta, 1e-3))
        assert x["det_sigma"] == pytest.approx(min(math.exp(ln), 1.0))
        capped = min(max(ln, x["ln_sigma_0"] - x["temperature"]), x["ln_sigma_0"] + x["temperature"])
        assert x["ln_sigma_tilde"] == pytest.approx(capped)


def test_entrainment_gate_closes_on_missing_assets_and_is_neutral_below_three(chain, new_market) -> None:
    windows = chain.windows[12]
    late = windows.ints[:, win.W_END] > middle_ms(chain, 12)
    keep = ~(late & (windows.ints[:, win.W_ASSET] == 2))
    part = WindowBatch(windows.detectors, 5000, windows.ints[keep], windows.floats[keep])
    m = chain.manifest
    e = score_windows(part, m, m.universe, chain.tables[12], GENESIS, "main")
    after = e["window_end_ms"] > middle_ms(chain, 12) + 5000
    assert np.all(np.isnan(e["entrain"][after]) & (e["veto"][after] & spec.ENTRAIN != 0))
    assert not np.any(e["eligible"][after])
    alone = new_market(77, n=3000, assets=1)
    single = Manifest(universe=(Asset("A0", 2),))
    windows = build_windows(alone.frames, alone.annotations, single)
    tables = day_tables("2025-03-03", [], single, single.universe, DETECTORS)
    e = score_windows(windows, single, single.universe, tables, GENESIS, "main")
    assert np.all(np.isnan(e["entrain"]) & (e["veto"] & spec.ENTRAIN == 0))
    assert e["eligible"].any()


def test_without_temperature_publication_is_a_step(chain) -> None:
    tables = replace(chain.tables[12], temperature=(0.0,) * 6)
    m = chain.manifest
    gated = score_windows(chain.windows[12], m, m.universe, tables, trusted(1, 3), "main")
    assert not gated["gate"].any()
    e = score_windows(chain.windows[12], m, m.universe, tables, GENESIS, "main")
    assert set(np.unique(gated["pi"])) == set(np.unique(e["pi"])) == {0.0, 1.0}
    assert np.array_equal(e["published"], e["eligible"] & (e["ln_sigma_tilde"] >= np.log(e["tau_pub"])))


def test_what_does_not_belong_is_refused(chain) -> None:
    m, tables = chain.manifest, chain.tables[12]
    with pytest.raises(BeliefError, match="branch"):
        Scorer(m, m.universe, DETECTORS, tables, [priors_0("other")], "main")
    future = [priors_version("main", 2**45)]
    with pytest.raises(BeliefError, match="in force"):
        Scorer(m, m.universe, DETECTORS, tables, future, "main").feed_all(chain.windows[12])
    with pytest.raises(SchemaError):
        Scorer(m, m.universe[:2], DETECTORS, tables, GENESIS, "main")
    with pytest.raises(SchemaError):
        Scorer(m, m.universe, DETECTORS[:3], tables, GENESIS, "main")


def test_the_seed_changes_the_draws_only(chain) -> None:
    other = replace(chain.manifest, score=ScoreDefaults(seed=8))
    e = scored(chain, 12, manifest=other)
    assert e["pi"].tobytes() == chain.events[12]["pi"].tobytes()
    assert not np.any(e["draw"] == chain.events[12]["draw"])


def test_what_requires_a_confirmation_is_published_only_with_one(chain) -> None:
    m, windows, at = chain.manifest, chain.windows[12], 2
    asking = tuple(replace(d, require="mx_confirm" if k == at else "") for k, d in enumerate(DETECTORS))
    batch = WindowBatch(asking, windows.window_ms, windows.ints, windows.floats)
    plain = Scorer(m, m.universe, DETECTORS, chain.tables[12], GENESIS, "main").feed_all(windows)
    asked = Scorer(m, m.universe, asking, chain.tables[12], GENESIS, "main").feed_all(batch)
    own = plain["detector_id"] == DETECTORS[at].detector_id
    lacks = own & (plain["mx_confirm"] != 1.0)
    assert plain["published"][lacks].any()
    assert asked["published"][own & ~lacks].any()
    np.testing.assert_array_equal(asked["veto"], plain["veto"] | np.where(lacks, spec.NO_CONFIRMATION, 0))
    assert not asked["pi"][lacks].any()
    for name in set(plain) - {"veto", "eligible", "published", "pi"}:
        np.testing.assert_array_equal(asked[name], plain[name])
    for name in ("eligible", "published", "pi"):
        np.testing.assert_array_equal(asked[name][~lacks], plain[name][~lacks])
    assert spec.VETOES[spec.NO_CONFIRMATION] == "no confirmation"
