"""Scoring one window of one asset by all detectors: bins, kernel score, priors, propensity and draw.

One compiled function serves the live daemon and the batch; it must be called in the order in which windows close.
The field's words: a weighted geometric mean of terms (ln sigma = .6 ln sq + .4 ln delta_phi), a logistic propensity
with floor epsilon, the Kuramoto order parameter over assets, Page-Hinkley's cumulative surprise. No history here.
"""

import math

import numpy as np
from numpy.typing import NDArray

from lotus import mathx
from lotus.detectors.daily.segment_list import segment_of
from lotus.detectors.scoring import signal_spec as spec
from lotus.detectors.scoring.draw import uniform
from lotus.detectors.scoring.records import FLOOR, MIN_ASSETS, SLOTS, ScoreInputs, ln_term
from lotus.detectors.windows import row_spec as win
from lotus.jit import kernel
from lotus.priors.compiled import CAP_TILT, CAP_TRUST_FLOOR, apply_priors, cap_tilt, exploration_mult, version_at
from lotus.priors.gate import cap_gate, gate_of, level_of
from lotus.priors.vocabulary import ALIGNED, FEATURE_NAMES, N_BINS, N_FEATURES

_NULL = 255
_SURPRISE_DRIFT = 0.25
_SURPRISE_SCALE = 5.0
_CONTEXT = (
    win.F_VOL, -1, win.F_MX, win.F_SLOPE, win.F_IMBALANCE, win.F_OI, win.F_FUNDING, win.F_BASIS, win.F_SPREAD,
    win.F_SESSION, win.F_FLOW, win.F_TREND,
)  # fmt: skip
_WINDOW_OF_FEATURE = np.array(_CONTEXT, dtype=np.int64)
_MX = FEATURE_NAMES.index("mx")
_IS_ALIGNED = np.array(ALIGNED)
_BINS_OF_FEATURE = np.array(N_BINS, dtype=np.int64)


@kernel
def score_window(
    inputs: ScoreInputs,
    ints: NDArray[np.int64],
    floats: NDArray[np.float64],
    out_ints: NDArray[np.int64],
    out_floats: NDArray[np.float64],
    out_bins: NDArray[np.uint8],
) -> int:
    """Score one closed window (`windows.row_spec`) by every detector into rows 0..D-1; return how many published.

    Writes every number of the rows. Updates the cross-asset state of the asset afterwards, for the next windows.
    """
    state, config, terms = inputs.state, inputs.config, inputs.terms
    at = ints[win.W_ASSET]
    detectors = terms.shape[0]
    before = ints[win.W_END] - config[0]["window_ms"]
    entrain, gate_open = _entrain(state, before, config[0]["tau_entrain"])
    surprise = _surprise(state, at, inputs.hbar[at], floats[win.F_RV], ints[win.W_AGE])
    version = version_at(inputs.effective_from_ms, ints[win.W_END])
    published = 0
    group = inputs.groups[at]
    for d in range(detectors):
        row = out_floats[d]
        s = floats[win.F_SIGNAL + d]
        side = 1.0 if s > 0.0 else -1.0 if s < 0.0 else 0.0
        static_terms(terms, d, row)
        row[spec.O_S] = s
        row[spec.O_UNCERT] = floats[win.F_SIGNAL + detectors + d]
        row[spec.O_KAIROS] = _kairos(floats, terms, d, side)
        row[spec.O_ENTRAIN] = entrain
        row[spec.O_MX] = 1.0 - floats[win.F_MX] if side < 0.0 else floats[win.F_MX]
        row[spec.O_CONFIRM] = floats[win.F_CONFIRM]
        row[spec.O_HBAR] = 0.5 if surprise != surprise else surprise
        row[spec.O_CROWD] = _crowd(state, before, side, detectors)
        row[spec.O_SPREAD] = floats[win.F_SPREAD_CLOSE]
        row[spec.O_RV] = floats[win.F_RV]
        _bins(floats, surprise, inputs.edges[at], side, row, out_bins[d])
        if d == 0 and inputs.segments.shape[1] > 0:
            group = segment_of(inputs.segments[at], row, spec.O_X)
        veto = terms[d]["veto"] | inputs.vetoes[at, d] | _veto(config, row, ints[win.W_QUALITY], gate_open)
        if terms[d]["confirm"] != 0 and row[spec.O_CONFIRM] != 1.0:
            veto |= spec.NO_CONFIRMATION
        fired = score_row(inputs, d, version, out_bins[d], group, ints[win.W_END], row)
        row[spec.O_DRAW] = uniform(inputs.keys[at, d, 0], inputs.keys[at, d, 1], before)
        if veto != 0:
            row[spec.O_PI] = 0.0
        out_ints[d, spec.K_ASSET] = at
        out_ints[d, spec.K_DETECTOR] = d
        out_ints[d, spec.K_END] = ints[win.W_END]
        out_ints[d, spec.K_RECV] = ints[win.W_RECV]
        out_ints[d, spec.K_SEQ] = ints[win.W_SEQ]
        out_ints[d, spec.K_MID2] = ints[win.W_MID2]
        out_ints[d, spec.K_VETO] = veto
        out_ints[d, spec.K_PUBLISHED] = 1 if row[spec.O_DRAW] < row[spec.O_PI] else 0
        published += out_ints[d, spec.K_PUBLISHED]
        out_ints[d, spec.K_FIRED] = fired
        out_ints[d, spec.K_COND] = np.int64(cond_key(out_bins[d]))
        out_ints[d, spec.K_VERSION] = version
    _close(state, at, ints[win.W_END], floats, detectors)
    return published


@kernel
def run_scores(
    inputs: ScoreInputs,
    ints: NDArray[np.int64],
    floats: NDArray[np.float64],
    out_ints: NDArray[np.int64],
    out_floats: NDArray[np.float64],
    out_bins: NDArray[np.uint8],
) -> int:
    """Score windows in order into D rows each; return how many rows were published."""
    detectors = inputs.terms.shape[0]
    published = 0
    for i in range(ints.shape[0]):
        a = i * detectors
        b = a + detectors
        published += score_window(inputs, ints[i], floats[i], out_ints[a:b], out_floats[a:b], out_bins[a:b])
    return published


@kernel
def cond_key(bins: NDArray[np.uint8]) -> np.uint64:
    """Return a 64-bit hash of twelve bins: five bits each, mixed by the finaliser of splitmix64 (a bijection)."""
    packed = np.uint64(0)
    for f in range(bins.shape[0]):
        packed = packed << np.uint64(5) | np.uint64(bins[f]) & np.uint64(31)
    packed = (packed ^ packed >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    packed = (packed ^ packed >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return packed ^ packed >> np.uint64(31)


@kernel
def propensity(ln_sigma: float, ln_tau: float, temperature: float, epsilon: float, gate: float) -> float:
    """Return clip(logistic((ln sigma - ln tau) / T + gate), eps, 1 - eps); a step at tau, without a floor, if T = 0."""
    if temperature <= 0.0:
        return 1.0 if ln_sigma >= ln_tau else 0.0
    p = mathx.logistic((ln_sigma - ln_tau) / temperature + gate)
    return min(max(p, epsilon), 1.0 - epsilon)


@kernel
def static_terms(terms: NDArray[np.void], d: int, row: NDArray[np.float64]) -> None:
    """Fill what the tables of the day say of a detector into its row."""
    row[spec.O_COHERENCE] = terms[d]["coherence"]
    row[spec.O_PHI] = terms[d]["phi"]
    row[spec.O_THETA] = terms[d]["theta"]
    row[spec.O_RHO] = terms[d]["rho"]
    row[spec.O_EMERGENCE] = terms[d]["emergence"]
    row[spec.O_NOVELTY] = terms[d]["novelty"]
    row[spec.O_SQ] = terms[d]["sq"]
    row[spec.O_TAU] = terms[d]["tau"]
    row[spec.O_T] = terms[d]["temperature"]


@kernel
def _entrain(state: NDArray[np.void], before_ms: int, floor: float) -> tuple[float, bool]:
    """Return (order parameter of the window before, gate open); neutral (null, open) with fewer than 3 assets seen."""
    seen = 0
    present = 0
    cos = 0.0
    sin = 0.0
    for a in range(state.shape[0]):
        seen += state[a]["seen"]
        for slot in range(SLOTS):
            if state[a]["closed"][slot] == before_ms and state[a]["cos"][slot] == state[a]["cos"][slot]:
                present += 1
                cos += state[a]["cos"][slot]
                sin += state[a]["sin"][slot]
    if seen < MIN_ASSETS:
        return math.nan, True
    if present < MIN_ASSETS:
        return math.nan, False
    r = min(1.0, math.sqrt(cos * cos + sin * sin) / present)
    return r, r >= floor


@kernel
def _crowd(state: NDArray[np.void], before_ms: int, side: float, detectors: int) -> float:
    cells = 0
    same = 0.0
    for a in range(state.shape[0]):
        for slot in range(SLOTS):
            if state[a]["closed"][slot] == before_ms:
                cells += detectors
                same += state[a]["up"][slot] if side > 0.0 else state[a]["down"][slot] if side < 0.0 else 0.0
    return same / cells if cells > 0 else 0.0


@kernel
def _surprise(state: NDArray[np.void], at: int, scale: NDArray[np.float64], rv: float, age: int) -> float:
    """Return PH / (PH + 5), PH = max(0, PH + x - .25), x = clip((ln(rv + 1e-4) - m) / s, +-5); null without m, s."""
    if age == 0:
        state[at]["surprise"] = 0.0
    if not scale[1] > 0.0:
        return math.nan
    if rv == rv:
        x = min(max((mathx.log(rv + 1e-4) - scale[0]) / scale[1], -5.0), 5.0)
        state[at]["surprise"] = max(0.0, state[at]["surprise"] + x - _SURPRISE_DRIFT)
    surprise: float = state[at]["surprise"]
    return surprise / (surprise + _SURPRISE_SCALE)


@kernel
def _kairos(floats: NDArray[np.float64], terms: NDArray[np.void], d: int, side: float) -> float:
    aligned = floats[win.F_COS] * terms[d]["best_cos"] + floats[win.F_SIN] * terms[d]["best_sin"]
    return min(max(0.5 * (1.0 + (-aligned if side < 0.0 else aligned)), 0.0), 1.0) if aligned == aligned else math.nan


@kernel
def _bins(
    floats: NDArray[np.float64],
    surprise: float,
    edges: NDArray[np.float64],
    side: float,
    row: NDArray[np.float64],
    bins: NDArray[np.uint8],
) -> None:
    for f in range(N_FEATURES):
        column = _WINDOW_OF_FEATURE[f]
        value = surprise if column < 0 else floats[column]
        if side < 0.0 and _IS_ALIGNED[f]:
            value = -value
        elif f == _MX:
            value = row[spec.O_MX]
        row[spec.O_X + f] = value
        bins[f] = _NULL
        if value != value or (_IS_ALIGNED[f] and side == 0.0) or edges[f, 0] != edges[f, 0]:
            continue
        b = 0
        while b < _BINS_OF_FEATURE[f] - 1 and value > edges[f, b]:
            b += 1
        bins[f] = b


@kernel
def _veto(config: NDArray[np.void], row: NDArray[np.float64], quality: int, gate_open: bool) -> int:
    veto = 0
    if row[spec.O_S] == 0.0:
        veto |= spec.NO_SIGNAL
    if quality & config[0]["bad_quality"]:
        veto |= spec.BAD_QUALITY
    if not row[spec.O_KAIROS] >= config[0]["tau_kairos"]:
        veto |= spec.KAIROS
    if not gate_open:
        veto |= spec.ENTRAIN
    if not row[spec.O_UNCERT] <= config[0]["tau_uncert"]:
        veto |= spec.UNCERT
    if row[spec.O_MX] != row[spec.O_MX]:
        veto |= spec.NO_EVIDENCE
    return veto


@kernel
def log_geometric_mean(hbar: float, coherence: float, phi: float, novelty: float, emergence: float) -> float:
    """Return ln G of the terms' logarithms (`ln_term`): weights 1, 1, 1, .8, .8."""
    total = hbar + coherence + phi
    total += 0.8 * (novelty + emergence)
    return total / 4.6


@kernel
def delta_phi(
    config: NDArray[np.void], crowd: float, gain: float, evidence: float, theta: float, rho_penalty: float, phi: float
) -> float:
    """Return G (1 - theta)^a (1 - rho)^b (1 + beta (2 mx - 1)) / (1 + c share^q) phi; `gain` = G, `crowd` = share."""
    value: float = gain * mathx.power(1.0 - theta, config[0]["penalty_a"])
    value *= rho_penalty
    value *= 1.0 + config[0]["beta_mx"] * (2.0 * evidence - 1.0)
    q = config[0]["crowding_q"]
    value = value / (1.0 + config[0]["crowding_c"] * (crowd if q == 1.0 else mathx.power(crowd, q)))
    return value * phi


@kernel
def score_row(
    inputs: ScoreInputs,
    d: int,
    version: int,
    bins: NDArray[np.uint8],
    group: int,
    end_ms: int,
    row: NDArray[np.float64],
) -> int:
    """Fill theta, phi, sigma and the propensities of a row (null evidence counts as one half; it vetoes anyway)."""
    config, terms, caps = inputs.config, inputs.terms, inputs.caps
    evidence = row[spec.O_MX] if row[spec.O_MX] == row[spec.O_MX] else 0.5
    theta1 = max(0.0, row[spec.O_THETA] - config[0]["gamma_mx"] * evidence)
    theta2, phi_mult, fired = apply_priors(
        inputs.braids, inputs.first, inputs.counts, version, d, bins, theta1, end_ms, caps, group
    )
    term = terms[d]
    gain = mathx.exp(
        log_geometric_mean(
            ln_term(row[spec.O_HBAR]), term["ln_coherence"], term["ln_phi"], term["ln_novelty"], term["ln_emergence"]
        )
    )
    share, crowd = config[0]["sq_share"], row[spec.O_CROWD]
    quality = share * term["ln_sq"] + term["nudge"]
    plain = delta_phi(config, crowd, gain, evidence, theta1, term["rho_penalty"], 1.0)
    without = quality + (1.0 - share) * mathx.log(max(plain, FLOOR))
    actual, sigma = plain, without
    if fired != 0:
        actual = delta_phi(config, crowd, gain, evidence, theta2, term["rho_penalty"], phi_mult)
        sigma = quality + (1.0 - share) * mathx.log(max(actual, FLOOR))
    tilted = cap_tilt(sigma, without, row[spec.O_T], caps[CAP_TILT]) if row[spec.O_T] > 0.0 else sigma
    row[spec.O_THETA1] = theta1
    row[spec.O_THETA2] = theta2
    row[spec.O_PHI_MULT] = phi_mult
    row[spec.O_DELTA_PHI] = min(max(actual, 0.0), 1.0)
    row[spec.O_SIGMA] = min(mathx.exp(sigma - term["nudge"]), 1.0)
    row[spec.O_LN_SIGMA_0] = without
    row[spec.O_LN_SIGMA] = tilted
    floor = term["epsilon"]
    epsilon = floor
    gate = 0.0
    if fired != 0:
        epsilon = floor * exploration_mult(inputs.braids, inputs.first, inputs.counts, version, d, fired)
        epsilon = min(epsilon, term["epsilon_most"])
        level = level_of(inputs.braids, inputs.first, inputs.counts, version, d, fired)
        if level > 0:
            epsilon = max(epsilon, caps[CAP_TRUST_FLOOR])
            if row[spec.O_T] > 0.0:
                gate = gate_of(inputs.braids, inputs.first, inputs.counts, version, d, fired)
                gate = cap_gate(gate, (tilted - without) / row[spec.O_T], level, caps)
    row[spec.O_GATE] = gate
    row[spec.O_PI] = propensity(tilted, term["ln_tau"], row[spec.O_T], epsilon, gate)
    row[spec.O_U] = mathx.logit(min(max(row[spec.O_PI], epsilon), 1.0 - epsilon))
    row[spec.O_U0] = row[spec.O_U]
    if tilted != without or epsilon != floor or gate != 0.0:
        plain_pi = propensity(without, term["ln_tau"], row[spec.O_T], floor, 0.0)
        row[spec.O_U0] = mathx.logit(min(max(plain_pi, floor), 1.0 - floor))
    return fired


@kernel
def _close(state: NDArray[np.void], at: int, end_ms: int, floats: NDArray[np.float64], detectors: int) -> None:
    oldest = 0
    for slot in range(SLOTS):
        if state[at]["closed"][slot] < state[at]["closed"][oldest]:
            oldest = slot
    up = 0.0
    down = 0.0
    for d in range(detectors):
        s = floats[win.F_SIGNAL + d]
        up += 1.0 if s > 0.0 else 0.0
        down += 1.0 if s < 0.0 else 0.0
    state[at]["seen"] = 1
    state[at]["closed"][oldest] = end_ms
    state[at]["cos"][oldest] = floats[win.F_COS]
    state[at]["sin"][oldest] = floats[win.F_SIN]
    state[at]["up"][oldest] = up
    state[at]["down"][oldest] = down
