"""Records that the scoring kernel reads: settings, the day's terms per detector, and the streaming state per asset.

They are made from the manifest and the day tables; no value is computed from market data here.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lotus import mathx
from lotus.detectors.curators import MOST_EPSILON, log_nudges, veto_bits
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.spec import DetectorSpec
from lotus.detectors.stage_gate import StageGate, is_gated
from lotus.errors import ConfigError, SchemaError
from lotus.jit import kernel
from lotus.manifest import Manifest, ScoreDefaults

SLOTS: Final[int] = 4  # windows of each asset kept for the cross-asset pass
FLOOR: Final[float] = 1e-3  # least sq and delta phi whose logarithm is taken
MIN_ASSETS: Final[int] = 3  # below this many on the tape the entrainment gate is neutral

_FROM_MANIFEST: Final = (
    "gamma_mx", "beta_mx", "crowding_c", "crowding_q", "sq_share", "penalty_a", "penalty_b", "epsilon", "tau_kairos",
    "tau_entrain", "tau_uncert",
)  # fmt: skip
CONFIG_DTYPE: Final = np.dtype([("window_ms", "i8"), ("bad_quality", "i8"), *((name, "f8") for name in _FROM_MANIFEST)])

TERMS_DTYPE: Final = np.dtype(
    [
        ("sq", "f8"),
        ("coherence", "f8"),
        ("phi", "f8"),
        ("theta", "f8"),
        ("rho", "f8"),
        ("emergence", "f8"),
        ("novelty", "f8"),
        ("tau", "f8"),
        ("temperature", "f8"),
        ("nudge", "f8"),  # sum of the curators' log nudges
        ("ln_sq", "f8"),  # what the day fixes of the logarithms and powers of a score
        ("ln_tau", "f8"),  # inf: no score passes, the propensity is at its floor
        ("ln_coherence", "f8"),
        ("ln_phi", "f8"),
        ("ln_novelty", "f8"),
        ("ln_emergence", "f8"),
        ("rho_penalty", "f8"),  # (1 - rho)^b
        ("epsilon", "f8"),  # floor of the propensity
        ("epsilon_most", "f8"),  # beyond which field braids do not multiply it; inf where no act says a floor
        ("veto", "i8"),  # bits that every window of the detector carries that day
        ("confirm", "i8"),  # 1: a window without mx_confirm is not published
        ("best_cos", "f8"),
        ("best_sin", "f8"),
    ]
)

SCORE_STATE_DTYPE: Final = np.dtype(
    [
        ("surprise", "f8"),  # PH of kr_hbar
        ("seen", "i8"),
        ("closed", "i8", (SLOTS,)),  # window_end_ms of the last closed windows
        ("cos", "f8", (SLOTS,)),
        ("sin", "f8", (SLOTS,)),
        ("up", "f8", (SLOTS,)),  # number of detectors that signalled up and down
        ("down", "f8", (SLOTS,)),
    ]
)


class ScoreInputs(NamedTuple):
    """Everything the kernel reads beside the window: settings, tables, keys, compiled priors; `state` is updated."""

    state: NDArray[np.void]  # SCORE_STATE_DTYPE [A]
    config: NDArray[np.void]  # CONFIG_DTYPE [1]
    terms: NDArray[np.void]  # TERMS_DTYPE [D]
    edges: NDArray[np.float64]  # [A, 12, 4]
    hbar: NDArray[np.float64]  # [A, 2]
    keys: NDArray[np.uint64]  # [A, D, 2]
    groups: NDArray[np.int64]  # [A], of coins
    segments: NDArray[np.float64]  # [A, labels, steps, 3], no label where segments are no context
    vetoes: NDArray[np.int64]  # [A, D], bits of the acts in force
    braids: NDArray[np.void]
    first: NDArray[np.int64]
    counts: NDArray[np.int64]
    effective_from_ms: NDArray[np.int64]
    caps: NDArray[np.float64]


def score_config(manifest: Manifest, bad_quality: int) -> NDArray[np.void]:
    """Return the one-element record of settings; `bad_quality` = frame quality bits that veto a window."""
    out = np.zeros(1, CONFIG_DTYPE)
    out["window_ms"], out["bad_quality"] = manifest.kernel.window_ms, bad_quality
    for name in _FROM_MANIFEST:
        out[name] = getattr(manifest.score, name)
    kappa, most = manifest.score.kappa_fragility, manifest.score.kappa_curator
    if not 0.0 <= kappa <= most:
        raise ConfigError(f"score.kappa_fragility = {kappa}", f"0 to kappa_curator = {most}, the cap of every curator")
    if not 0.0 < manifest.score.epsilon < 0.5:
        raise ConfigError(f"score.epsilon = {manifest.score.epsilon}", "above 0 and below one half")
    return out


def score_terms(tables: DayTables, detectors: Sequence[DetectorSpec], score: ScoreDefaults) -> NDArray[np.void]:
    """Return one record per detector; raises `SchemaError` for tables of other detectors."""
    names = tuple(d.detector_id for d in detectors)
    if tables.detector_ids != names:
        raise SchemaError(f"day tables of detectors {tables.detector_ids}", str(names), "another set of specifications")
    out = np.zeros(len(names), TERMS_DTYPE)
    out["sq"], out["coherence"], out["phi"] = tables.sq_score, tables.kr_coherence, tables.kr_phi
    out["theta"], out["rho"], out["emergence"] = tables.theta0, tables.kr_rho, tables.kr_emergence
    out["novelty"], out["tau"], out["temperature"] = tables.kr_novelty, tables.tau_pub, tables.temperature
    out["nudge"], out["veto"] = log_nudges(tables, score.kappa_fragility), veto_bits(tables)
    for d, spec in enumerate(detectors):
        out[d]["confirm"] = int(spec.require == "mx_confirm")
        out[d]["best_cos"], out[d]["best_sin"] = unit_vector(spec.best_phase_deg)
        out[d]["ln_sq"], out[d]["ln_tau"] = mathx.log(max(out[d]["sq"], FLOOR)), mathx.log(out[d]["tau"])
        out[d]["rho_penalty"] = mathx.power(1.0 - out[d]["rho"], score.penalty_b)
        for name in ("coherence", "phi", "novelty", "emergence"):
            out[d][f"ln_{name}"] = ln_term(out[d][name])
    out["epsilon"], out["epsilon_most"] = floors_of(tables, score.epsilon)
    out["ln_tau"][is_gated(tables, StageGate.FLOOR)] = math.inf
    return out


def floors_of(tables: DayTables, epsilon: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return f8[D] twice: the floor of the propensity of each detector, and the most that field braids make of it.

    Where an act says a floor that is `MOST_EPSILON`; elsewhere the floor is `epsilon` and nothing bounds it here.
    """
    by_acts = np.array(tables.epsilon or (0.0,) * len(tables.detector_ids))
    return np.where(by_acts > 0.0, by_acts, epsilon), np.where(
        by_acts > 0.0, np.maximum(MOST_EPSILON, by_acts), math.inf
    )


@kernel
def ln_term(x: float) -> float:
    """Return the logarithm of a term of G, which enters as .05 + .95 x."""
    return mathx.log(0.05 + 0.95 * x)


def unit_vector(degrees: float) -> tuple[float, float]:
    """Return (cos, sin) of an angle in degrees, by Taylor series of the angle reduced to +-45 degrees: no libm.

    >>> unit_vector(270.0)
    (0.0, -1.0)
    """
    turned = degrees % 360.0
    quarter = math.floor(turned / 90.0 + 0.5)
    x = (turned - 90.0 * quarter) * (math.pi / 180.0)
    cos, sin, term = 0.0, 0.0, 1.0
    for k in range(24):
        part = term if k % 4 < 2 else -term
        if k % 2 == 0:
            cos += part
        else:
            sin += part
        term *= x / (k + 1)
    for _ in range(quarter % 4):
        cos, sin = -sin, cos
    return cos + 0.0, sin + 0.0


def neutral_ln_sigma(manifest: Manifest, rho: float) -> float:
    """Return ln sigma of a window whose every term is 0.5, without crowd: the threshold's anchor without history."""
    score = manifest.score
    theta1 = max(0.0, 0.5 - score.gamma_mx * 0.5)
    resonance = 0.525 * mathx.power(1.0 - theta1, score.penalty_a) * mathx.power(1.0 - rho, score.penalty_b)
    return score.sq_share * mathx.log(0.5) + (1.0 - score.sq_share) * mathx.log(resonance)
