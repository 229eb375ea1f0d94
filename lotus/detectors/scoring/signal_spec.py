"""SIGNAL_EVENTS: every scored window of every detector, with all terms of its score, its propensity and its draw.

The table's columns, the bits of `veto` and the layout of the kernel's output rows; nothing is computed here.
Key order of a written table is (window_end_ms, asset, detector_id).
"""

from typing import Final

from lotus.columns import Column, TableSpec
from lotus.priors.vocabulary import BIN_COLUMNS, FEATURES, VALUE_COLUMNS

NO_SIGNAL: Final[int] = 1  # s = 0
BAD_QUALITY: Final[int] = 2  # no quote, a crossed one, a gap or warm-up inside the window
KAIROS: Final[int] = 4  # phase null or alignment below tau_K
ENTRAIN: Final[int] = 8  # order parameter null with >= 3 assets on the tape, or below tau_r
UNCERT: Final[int] = 16  # sibling variance above tau_U
NO_EVIDENCE: Final[int] = 32  # mx_evidence null: no score
NOT_EMITTED: Final[int] = 64  # the daemon ran on the day and did not emit the window (set when its log is compared)
LIVE_DIFFERS: Final[int] = 128  # the daemon's row is not the recomputed one: its values stand and teach nothing
LEAKAGE: Final[int] = 256  # the newest audit of an earlier day failed: the detector may know the future
NO_CONFIRMATION: Final[int] = 512  # the detector requires mx_confirm and the experts did not confirm at the close
STAGE: Final[int] = 1024  # the version is deprecated or archived by its card of an earlier day
DATA: Final[int] = 2048  # bits of curators' acts, one each, for detectors and coins named by an act in force
DIVERSITY: Final[int] = 4096
COMPLIANCE: Final[int] = 8192
ADVERSARIAL: Final[int] = 16_384
EXPLAINABILITY: Final[int] = 32_768
PERSON: Final[int] = 65_536
ACT_VETOES: Final = {
    DATA: "data curator", DIVERSITY: "diversity curator", COMPLIANCE: "compliance curator",
    ADVERSARIAL: "adversarial curator", EXPLAINABILITY: "explainability curator", PERSON: "person",
}  # fmt: skip
ACTS: Final[int] = sum(ACT_VETOES)
VETOES: Final = {
    NO_SIGNAL: "no signal", BAD_QUALITY: "data quality", KAIROS: "kairos", ENTRAIN: "entrainment",
    UNCERT: "uncertainty", NO_EVIDENCE: "no evidence", NOT_EMITTED: "not emitted live", LIVE_DIFFERS: "live differs",
    LEAKAGE: "leakage", NO_CONFIRMATION: "no confirmation", STAGE: "stage",
    **ACT_VETOES,
}  # fmt: skip

_TERMS: Final = (
    Column("s", "f8", "1", "signal, sign = direction", False, -1, 1),
    Column("uncert", "f8", "1", "variance over K = 4 jittered siblings", False, 0, 1),
    Column("kairos", "f8", "1", "(1 + cos(phase - best phase of the direction)) / 2; null without a phase", True, 0, 1),
    Column("entrain", "f8", "1", "|mean exp(i phase)| over the assets that closed the window before; null below 3",
           True, 0, 1),
    Column("mx_evidence", "f8", "1", "fused evidence of the micro-experts for the signal's direction, P(up) or P(down)",
           True, 0, 1),
    Column("mx_confirm", "f8", "0/1", "confirmation by the micro-experts at the close", True, 0, 1),
    Column("kr_hbar", "f8", "1", "surprise: Page-Hinkley of ln rv, PH / (PH + 5)", False, 0, 1),
    Column("kr_coherence", "f8", "1", "Welch coherence of signal and return in the band, daily", False, 0, 1),
    Column("kr_phi", "f8", "1", "|partial correlation| of payoff and dispersion, daily", False, 0, 1),
    Column("kr_theta", "f8", "1", "theta_0, context penalty, daily", False, 0, 0.9),
    Column("kr_rho", "f8", "1", "complexity penalty of the specification", False, 0, 1),
    Column("kr_emergence", "f8", "1", "trend of daily median sigma, daily", False, 0, 1),
    Column("kr_novelty", "f8", "1", "distance of the payoff profile to the others, daily", False, 0, 1),
    Column("sq_score", "f8", "1", "signal quality, daily", False, 0, 1),
    Column("theta1", "f8", "1", "max(0, theta_0 - gamma mx_evidence)", False, 0, 1),
    Column("theta2", "f8", "1", "theta' after priors", False, 0, 1),
    Column("phi_mult", "f8", "1", "Phi' of the priors", False, 0),
    Column("crowd_share", "f8", "1", "share of all signals of the window before that point the same way; 0 without one",
           False, 0, 1),
    Column("kr_delta_phi", "f8", "1", "resonance with priors, clipped for display", False, 0, 1),
    Column("det_sigma", "f8", "1", "sigma with priors, clipped for display", False, 0, 1),
    Column("ln_sigma_0", "f8", "ln", "ln sigma~ without any braid"),
    Column("ln_sigma_tilde", "f8", "ln", "ln sigma~ = ln sigma + curators, total tilt of priors capped"),
    Column("tau_pub", "f8", "1", "threshold of publication, day-frozen", False, 0),
    Column("temperature", "f8", "ln", "T of publication, day-frozen", False, 0),
    Column("gate", "f8", "logit", "gate of earned trust, added to the logit after the temperature; 0 without a level",
           low=-3, high=3, later=True),
    Column("u0", "f8", "logit", "logit of the clipped pi this window would have had without any braid"),
    Column("u", "f8", "logit", "logit of the clipped pi with priors"),
    Column("pi", "f8", "1", "probability of publication at the draw; 0 when not eligible", False, 0, 1),
    Column("draw", "f8", "1", "uniform draw; published when below pi", False, 0, 1),
)  # fmt: skip

_AFTER: Final = (
    Column("spread_bps", "f8", "bps", "spread at the close", True, 0),
    Column("rv_bps", "f8", "bps per sqrt(minute)", "short realised volatility at the close, input of kr_hbar", True, 0),
)

KERNEL_FLOATS: Final = (*(c.name for c in _TERMS), *VALUE_COLUMNS, *(c.name for c in _AFTER))
(
    O_S, O_UNCERT, O_KAIROS, O_ENTRAIN, O_MX, O_CONFIRM, O_HBAR, O_COHERENCE, O_PHI, O_THETA, O_RHO, O_EMERGENCE,
    O_NOVELTY, O_SQ, O_THETA1, O_THETA2, O_PHI_MULT, O_CROWD, O_DELTA_PHI, O_SIGMA, O_LN_SIGMA_0, O_LN_SIGMA, O_TAU,
    O_T, O_GATE, O_U0, O_U, O_PI, O_DRAW, O_X,
) = range(len(_TERMS) + 1)  # fmt: skip
O_SPREAD: Final[int] = O_X + len(FEATURES)
O_RV: Final[int] = O_SPREAD + 1
N_FLOATS: Final[int] = O_RV + 1

KERNEL_INTS: Final = (
    "asset", "detector", "window_end_ms", "close_recv_ns", "close_seq", "mid2", "veto", "published", "fired",
    "cond_key", "version",
)  # fmt: skip
(K_ASSET, K_DETECTOR, K_END, K_RECV, K_SEQ, K_MID2, K_VETO, K_PUBLISHED, K_FIRED, K_COND, K_VERSION) = range(
    len(KERNEL_INTS)
)
N_INTS: Final[int] = len(KERNEL_INTS)

_VALUES: Final = tuple(
    Column(
        name, "f8", f.unit, f"context {f.name}" + (", times the direction (raw when s = 0)" if f.aligned else ""), True
    )
    for name, f in zip(VALUE_COLUMNS, FEATURES, strict=True)
)
_BINS: Final = tuple(
    Column(name, "u1", "bin", f"bin of x_{f.name}, 255 = null", False, 0, 255)
    for name, f in zip(BIN_COLUMNS, FEATURES, strict=True)
)

SIGNAL_EVENTS: Final = TableSpec(
    "signal_events",
    ("window_end_ms", "asset", "detector_id"),
    (
        Column("event_id", "text", "", "natural identity of (branch, detector, spec version, asset, window start)"),
        Column("branch", "text", "", "main or a backfill's id"),
        Column("detector_id", "text", "", "detector"),
        Column("spec_version", "i4", "", "version of its specification", low=1),
        Column("asset", "text", "", "venue name of the perpetual"),
        Column("window_start_ms", "i8", "ms UTC", "start of the window, venue time"),
        Column("window_end_ms", "i8", "ms UTC", "end of the window, venue time"),
        Column("close_recv_ns", "i8", "ns UTC", "receive stamp of the closing message"),
        Column("close_seq", "i8", "line", "line number of the closing message"),
        Column("horizon_s", "i4", "s", "decision horizon", low=1),
        *_TERMS,
        Column("veto", "u4", "bits", "0 = eligible, else " + ", ".join(f"{b} {n}" for b, n in VETOES.items())),
        Column("eligible", "?", "", "veto = 0"),
        Column("published", "?", "", "eligible and draw < pi"),
        Column("fired", "u8", "bits", "braids of this detector that fired, in compiled order"),
        Column("priors_ver", "text", "", "version of the priors in force at the window's end"),
        Column("tables_ver", "text", "", "version of the day tables"),
        *_BINS,
        *_VALUES,
        Column("cond_key", "u8", "hash", "64-bit hash of the twelve bins"),
        Column("mid2", "i8", "half price units", "bid + ask at the close", low=1),
        *_AFTER,
        Column("source", "text", "", "live = as the daemon logged it, batch = not emitted by one"),
    ),
)
