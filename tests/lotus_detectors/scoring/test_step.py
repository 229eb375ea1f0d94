"""The streaming terms of every window against pandas and NumPy over whole scored days: no loop is shared.

Timing, crowding, surprise, geometric mean, resonance and sigma, from the windows and the tables alone.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from lotus.detectors.daily.history import MAX_ASSETS
from lotus.detectors.daily.make import day_tables
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring.scorer import score_windows
from lotus.detectors.spec import JITTER
from lotus.detectors.windows import row_spec as win
from lotus.detectors.windows.builder import build_windows
from lotus.manifest import Manifest
from lotus.priors.types import priors_0

SPECS = shipped_detectors()
D = len(SPECS)


@pytest.fixture(scope="module")
def rows(chain) -> pd.DataFrame:
    """The last day's events, a row each, with the raw phase of their window."""
    windows, names = chain.windows[12], [a.name for a in chain.manifest.universe]
    raw = pd.DataFrame(
        {
            "asset": [names[a] for a in windows.ints[:, win.W_ASSET]],
            "window_end_ms": windows.ints[:, win.W_END],
            "age": windows.ints[:, win.W_AGE],
            "phase": np.arctan2(windows.floats[:, win.F_SIN], windows.floats[:, win.F_COS]),
        }
    )
    events = chain.events[12]
    flat = pd.DataFrame({n: v for n, v in events.items() if v.ndim == 1})
    return flat.merge(raw, on=["asset", "window_end_ms"], validate="many_to_one")


def test_kairos_is_the_raised_cosine_to_the_best_phase(rows: pd.DataFrame) -> None:
    best = rows.detector_id.map({d.detector_id: np.radians(d.best_phase_deg) for d in SPECS})
    turned = np.where(rows.s < 0.0, np.pi, 0.0)
    expected = (1.0 + np.cos(rows.phase - best - turned)) / 2.0
    assert rows.phase.isna().any()
    assert rows.phase.notna().mean() > 0.8
    np.testing.assert_allclose(rows.kairos, expected, atol=1e-12)
    assert np.all((rows.veto & 4 != 0) == ~(rows.kairos >= 0.2))


def test_entrainment_is_kuramoto_over_the_assets_of_the_window_before(rows: pd.DataFrame) -> None:
    phase = rows.drop_duplicates(["asset", "window_end_ms"]).pivot(
        index="window_end_ms", columns="asset", values="phase"
    )
    whole = phase.reindex(np.arange(phase.index[0], phase.index[-1] + 1, 5_000))
    order = np.abs(np.exp(1j * whole).mean(axis=1)).where(whole.notna().sum(axis=1) >= 3).shift(1)
    np.testing.assert_allclose(rows.entrain, rows.window_end_ms.map(order), atol=1e-12)
    assert rows.entrain.notna().mean() > 0.5


def test_crowding_is_the_share_of_the_signals_of_the_window_before(rows: pd.DataFrame) -> None:
    side = np.sign(rows.s)
    cells = rows.assign(up=side > 0, down=side < 0).groupby("window_end_ms")[["up", "down"]].mean()
    whole = cells.reindex(np.arange(cells.index[0], cells.index[-1] + 1, 5_000)).shift(1).fillna(0.0)
    before = whole.loc[rows.window_end_ms]
    expected = np.select([side > 0, side < 0], [before.up, before.down], 0.0)
    np.testing.assert_allclose(rows.crowd_share, expected, atol=1e-12)
    assert rows.crowd_share.max() > 0.2


def test_surprise_is_page_hinkley_on_the_scale_of_the_seven_days_before(chain, rows: pd.DataFrame) -> None:
    past = pd.concat([pd.DataFrame({"a": h.key % MAX_ASSETS, "rv": h.rv}) for h in chain.history[5:12]])
    logs = np.log(past.rv + 1e-4).groupby(past.a)
    for a, asset in enumerate(chain.manifest.universe):
        mine = rows[rows.asset == asset.name].drop_duplicates("window_end_ms").sort_values("window_end_ms")
        x = ((np.log(mine.rv_bps + 1e-4) - logs.mean()[a]) / logs.std(ddof=0)[a]).clip(-5, 5).fillna(0.25) - 0.25
        expected = []
        for _, run in x.groupby((mine.age == 0).cumsum()):
            sums = np.concatenate([[0.0], run.cumsum()])
            expected.append((sums - np.minimum.accumulate(sums))[1:])
        total = np.concatenate(expected)
        np.testing.assert_allclose(mine.kr_hbar, total / (total + 5.0), rtol=1e-6, atol=1e-9)


def test_uncertainty_is_the_variance_over_siblings_run_as_detectors(market) -> None:
    manifest = Manifest()
    batch = build_windows(market.frames, market.annotations, manifest)
    siblings = []
    for factor in JITTER[1:]:
        jittered = [d.jittered(factor) for d in SPECS]
        alone = build_windows(market.frames, market.annotations, manifest, jittered)
        siblings.append(alone.floats[:, win.F_SIGNAL : win.F_SIGNAL + D])
    expected = np.var(siblings, axis=0)
    np.testing.assert_allclose(batch.floats[:, win.F_SIGNAL + D :], expected, atol=1e-12)
    assert (expected > 0.01).any(axis=0).sum() >= 4


@pytest.mark.parametrize("score", [{}, {"crowding_c": 2.0, "crowding_q": 0.5, "penalty_a": 0.4, "penalty_b": 1.3}])
@pytest.mark.parametrize("day", [0, 12])
def test_resonance_and_sigma_of_every_row(chain, day: int, score: dict[str, float]) -> None:
    plain = chain.manifest
    m = replace(plain, score=replace(plain.score, **score))
    scored = score_windows(chain.windows[day], m, m.universe, chain.tables[day], [priors_0("main")], "main")
    e = pd.DataFrame(scored)
    weights = {"kr_hbar": 1.0, "kr_coherence": 1.0, "kr_phi": 1.0, "kr_novelty": 0.8, "kr_emergence": 0.8}
    gain = np.prod([(0.05 + 0.95 * e[n]) ** (w / 4.6) for n, w in weights.items()], axis=0)
    mx = e.mx_evidence.fillna(0.5)
    theta = (e.kr_theta - 0.1 * mx).clip(lower=0.0)
    resonance = gain * (1 - theta) ** m.score.penalty_a * (1 - e.kr_rho) ** m.score.penalty_b * (0.8 + 0.4 * mx)
    resonance /= 1.0 + m.score.crowding_c * e.crowd_share**m.score.crowding_q
    np.testing.assert_allclose(e.kr_delta_phi, resonance.clip(0.0, 1.0), rtol=1e-9)
    sigma = e.sq_score.clip(lower=1e-3) ** 0.6 * resonance.clip(lower=1e-3) ** 0.4
    np.testing.assert_allclose(e.det_sigma, sigma.clip(upper=1.0), rtol=1e-9)
    pi = expit((np.log(sigma) - np.log(e.tau_pub)) / e.temperature).clip(0.02, 0.98)
    np.testing.assert_allclose(e.pi, pi.where(e.veto == 0, 0.0), rtol=1e-7, atol=1e-12)
    assert e.eligible.any()


def test_rho_is_logistic_in_depth_and_nodes() -> None:
    for spec in SPECS:
        assert spec.rho == pytest.approx(expit((spec.depth - 8) / 4 + (spec.nodes - 48) / 24), rel=1e-12)


def test_a_first_day_is_neutral_and_says_so(chain) -> None:
    tables = day_tables("2025-03-03", [], chain.manifest, chain.manifest.universe, SPECS)
    assert tables.hbar_m == tables.hbar_s == (None,) * 3
    first = chain.events[0]
    for name in ("kr_hbar", "kr_coherence", "kr_phi", "kr_theta", "kr_emergence", "kr_novelty", "sq_score"):
        assert np.all(first[name] == 0.5), name
