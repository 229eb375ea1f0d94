"""The tables of a day from the days before it: one call, pure, the same in a backfill and for tomorrow's daemon.

Days are learning days (days with tape): the last 7 serve bins, surprise and threshold, 20 the quality and kernel terms,
30 emergence. Learned numbers are rounded to 9 significant digits.
"""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from lotus import mathx
from lotus.detectors.daily import bins, kernel
from lotus.detectors.daily.asset_groups import fifths_of_week
from lotus.detectors.daily.history import DayHistory
from lotus.detectors.daily.quality import MIN_DAYS, Matured, matured, nobody, quality
from lotus.detectors.daily.tables import NEUTRAL, DayTables
from lotus.detectors.scoring.records import neutral_ln_sigma
from lotus.detectors.scoring.signal_spec import ACTS, LEAKAGE, STAGE
from lotus.detectors.spec import DetectorSpec
from lotus.detectors.stage_gate import gates_by_status
from lotus.errors import LookAheadError
from lotus.hashing import round_learned
from lotus.manifest import Asset, Manifest

QUALITY_DAYS = 20
EMERGENCE_DAYS = 30


def day_tables(
    day: str,
    history: Sequence[DayHistory],
    manifest: Manifest,
    universe: Sequence[Asset],
    detectors: Sequence[DetectorSpec],
    retired: Collection[str] = (),
) -> DayTables:
    """Return the tables in force on `day`; an empty history gives the tables of a first day.

    `retired` names deprecated and archived detectors: they have terms of their own, but others are not measured against
    them (orthogonality, novelty).
    Raises `LookAheadError` when a day of the history is not before `day` or the days do not rise.
    """
    days = [h.day for h in history]
    if days != sorted(set(days)) or (days and days[-1] >= day):
        raise LookAheadError(f"history {days[-3:]} for the tables of {day}", "rising days before it")
    recent = list(history[-manifest.score.history_days :])
    scale = bins.hbar_scale(recent, len(universe))
    surprise = [bins.surprise_of(h, scale) for h in recent]
    slow = _SlowTerms(history, manifest, detectors, retired)
    values = [slow.of(d) for d in range(len(detectors))]
    for d, spec in enumerate(detectors):
        threshold = bins.threshold(_trailing(recent, surprise, d, spec, values[d], manifest), manifest.score)
        _set_threshold(values[d], threshold, manifest, spec)
    return DayTables(
        day=day,
        assets=tuple(a.name for a in universe),
        detector_ids=tuple(d.detector_id for d in detectors),
        edges=bins.bin_edges(recent, surprise, len(universe)),
        hbar_m=tuple(None if np.isnan(x) else float(x) for x in scale[:, 0]),
        hbar_s=tuple(None if np.isnan(x) else float(x) for x in scale[:, 1]),
        sq_score=tuple(v.terms["sq_score"] for v in values),
        kr_coherence=tuple(v.terms["kr_coherence"] for v in values),
        kr_phi=tuple(v.terms["kr_phi"] for v in values),
        theta0=tuple(v.terms["theta0"] for v in values),
        kr_rho=tuple(d.rho for d in detectors),
        kr_emergence=tuple(v.terms["kr_emergence"] for v in values),
        kr_novelty=tuple(v.terms["kr_novelty"] for v in values),
        tau_pub=tuple(v.terms["tau_pub"] for v in values),
        temperature=tuple(v.terms["temperature"] for v in values),
        neutral=tuple(tuple(v.neutral) for v in values),
        quality=tuple(v.parts for v in values),
        stage_gate=gates_by_status(detectors),
        asset_fifths=fifths_of_week(day, history, manifest, universe),
    )


class _Values:
    """Terms of one detector while they are collected; a missing one is 0.5 and named in `neutral`."""

    def __init__(self) -> None:
        self.terms: dict[str, float] = {}
        self.neutral: list[str] = []
        self.parts: dict[str, float] = {}

    def put(self, name: str, value: float | None) -> None:
        self.terms[name] = NEUTRAL if value is None else _rounded(value)
        if value is None:
            self.neutral.append(name)


class _SlowTerms:
    """Quality and kernel terms of all detectors over the trailing 20 and 30 days."""

    def __init__(
        self,
        history: Sequence[DayHistory],
        manifest: Manifest,
        detectors: Sequence[DetectorSpec],
        retired: Collection[str],
    ) -> None:
        self._detectors, self._window_ms = detectors, manifest.kernel.window_ms
        self._long, self._days = history[-EMERGENCE_DAYS:], history[-QUALITY_DAYS:]
        self._cohort: list[Matured] = []
        if len(self._days) >= MIN_DAYS:
            self._cohort = [matured(self._days, d) for d in range(len(detectors))]
            self._moved = kernel.dispersion(self._days, self._window_ms)
            gone = [d.detector_id in retired for d in detectors]
            self._peers = [nobody() if out else m for m, out in zip(self._cohort, gone, strict=True)]
            self._profiles = [kernel.payoff_profile(m) for m in self._peers]
            lengths = {kernel.segment_length(d.band_s, self._window_ms / 1000.0) for d in detectors}
            self._cuts = {length: kernel.segments(self._days, length) for length in sorted(lengths)}
            self._context = np.concatenate([h.key for h in self._days]), np.concatenate([h.x for h in self._days])

    def of(self, d: int) -> _Values:
        """Return the terms of detector `d`; everything neutral below 10 days."""
        out, spec, window_s = _Values(), self._detectors[d], self._window_ms / 1000.0
        if not self._cohort:
            for name in ("sq_score", "kr_coherence", "kr_phi", "theta0", "kr_emergence", "kr_novelty"):
                out.put(name, None)
            return out
        own = self._cohort[d]
        cohort = [*self._peers[:d], own, *self._peers[d + 1 :]]
        profiles = [*self._profiles[:d], kernel.payoff_profile(own), *self._profiles[d + 1 :]]
        parts, missing = quality(cohort, d, round(spec.horizon_s / window_s))
        out.parts = {name: _rounded(value) for name, value in parts.items()}
        out.put("sq_score", None if "score" in missing else parts["score"])
        out.neutral += [f"sq_{name}" for name in missing if name != "score"]
        cut = self._cuts[kernel.segment_length(spec.band_s, window_s)]
        out.put("kr_coherence", kernel.coherence(self._days, d, cut, spec.band_s, window_s))
        out.put("kr_phi", kernel.phi(own, self._context, self._moved))
        out.put("theta0", kernel.theta0(self._days, d))
        out.put("kr_emergence", kernel.emergence(self._long, d))
        out.put("kr_novelty", kernel.novelty(profiles, d))
        return out


def _trailing(
    recent: Sequence[DayHistory],
    surprise: Sequence[NDArray[np.float64]],
    d: int,
    spec: DetectorSpec,
    values: _Values,
    manifest: Manifest,
) -> NDArray[np.float64]:
    """ln sigma before priors of the trailing eligible signals, at today's slow terms and surprise scale.

    A veto of leakage, of stage or of an act speaks of the detector, not of its windows: while it stands, the threshold
    goes on.
    Yesterday's stored sigma was made with yesterday's terms; a threshold on it would miss the publication share
    whenever a slow term moves.
    """
    score, terms, parts = manifest.score, values.terms, []
    slow = 0.0
    for name, weight in (("kr_coherence", 1.0), ("kr_phi", 1.0), ("kr_novelty", 0.8), ("kr_emergence", 0.8)):
        slow += weight * float(np.log(0.05 + 0.95 * terms[name]))
    for h, u in zip(recent, surprise, strict=True):
        own_rows = (h.detector == d) & ((h.veto & ~np.uint32(LEAKAGE | STAGE | ACTS)) == 0)
        hbar = u[np.searchsorted(h.key, h.signal_key[own_rows])]
        hbar = np.where(np.isfinite(hbar), hbar, NEUTRAL)
        theta1 = np.maximum(0.0, terms["theta0"] - score.gamma_mx * h.mx[own_rows])
        resonance = (np.log(0.05 + 0.95 * hbar) + slow) / 4.6
        resonance += score.penalty_a * np.log(1.0 - theta1) + score.penalty_b * float(np.log(1.0 - spec.rho))
        resonance += np.log(1.0 + score.beta_mx * (2.0 * h.mx[own_rows] - 1.0))
        resonance -= np.log(1.0 + score.crowding_c * h.crowd[own_rows] ** score.crowding_q)
        quality_part = score.sq_share * float(np.log(max(terms["sq_score"], 1e-3)))
        parts.append(quality_part + (1.0 - score.sq_share) * np.maximum(resonance, np.log(1e-3)))
    return np.concatenate(parts) if parts else np.zeros(0)


def _set_threshold(
    values: _Values, threshold: tuple[float, float] | None, manifest: Manifest, spec: DetectorSpec
) -> None:
    score = manifest.score
    if threshold is not None:
        values.terms["tau_pub"], values.terms["temperature"] = threshold
        return
    t = score.temperature
    anchor = neutral_ln_sigma(manifest, spec.rho) + t * mathx.logit(1.0 - score.publish_share)
    values.terms["tau_pub"], values.terms["temperature"] = _rounded(mathx.exp(anchor)), t
    values.neutral += ["tau_pub", "temperature"]


def _rounded(value: float) -> float:
    return float(round_learned(np.array([value]))[0])
