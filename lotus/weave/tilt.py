"""From a lesson to the size of its patch: the tilt of the publication logit and its realisation as (theta, phi).

Formulas: design note "learning", amendment V (size) and "weave", effect of one braid (realisation). The patch never
exceeds its two bounds; what it realises is measured, and claims and reports use the realised tilt, not the wanted one.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.errors import ConfigError
from lotus.learning.lesson import Lesson
from lotus.manifest import ScoreDefaults, WeaveDefaults
from lotus.priors.types import Knob, Patch

_PHI_SHARE = 2.0 * 0.4  # half of the tilt through phi; ln sigma carries ln phi with weight 1 - sq_share = .4
_LIVE_SHARE = {"A": 1.0, "B": 0.5}  # grade B is proved on paper fills, so real money follows it half the way
ACCOUNTS = ("paper", "live")


@dataclass(frozen=True, slots=True)
class Tilt:
    """The tilt of logit pi a lesson asks for; 0 with the reason in words when it owns no patch."""

    delta: float
    reason: str = ""


def wanted_tilt(lesson: Lesson, weave: WeaveDefaults) -> Tilt:
    """Return delta* = sign(U) min(max_tilt, kappa max(0, LCB) / sigma_Y), or none when it would not pay.

    A boost also needs the lower 95 % bound of the region's net payoff above the shadow price, a suppression the upper
    bound below it or an alert budget in force (all in bps). Tilts below `min_tilt` own no patch.
    """
    price = lesson.shadow_price_bps
    size = min(weave.max_tilt, weave.patch_gain * max(0.0, lesson.lcb_bps) / lesson.sigma_y_bps)
    if size < weave.min_tilt:
        return Tilt(0.0, f"tilt {size:.3f} below {weave.min_tilt}")
    if lesson.sign > 0 and not lesson.net_low_bps > price:
        return Tilt(0.0, f"below shadow price: net payoff >= {lesson.net_low_bps:.2f} bps is not above it")
    if lesson.sign < 0 and not lesson.alert_budget and not lesson.net_high_bps < price:
        return Tilt(0.0, f"above shadow price: net payoff <= {lesson.net_high_bps:.2f} bps is not below it")
    return Tilt(lesson.sign * size)


def tilt_share(grade: str, weave: WeaveDefaults) -> float:
    """Return the share of its tilt that a braid may have: all on paper; live all with grade A, half with grade B.

    >>> tilt_share("B", WeaveDefaults()), tilt_share("B", WeaveDefaults(account="live"))
    (1.0, 0.5)

    Raises `ConfigError` for an unknown account.
    """
    if weave.account not in ACCOUNTS:
        raise ConfigError(f"weave.account is {weave.account!r}", " or ".join(ACCOUNTS))
    return _LIVE_SHARE.get(grade, 0.0) if weave.account == "live" else 1.0


def shared(
    patch: Patch, share: float, temperature: float, theta_bar: float, score: ScoreDefaults, weave: WeaveDefaults
) -> Patch:
    """Return the patch that realises `share` of what `patch` tilts the logit by at the median penalty `theta_bar`."""
    _, tilt, _ = realised_tilt(patch, np.array([theta_bar]), temperature, score, weave)
    return patch_for(share * tilt, temperature, theta_bar, score, weave)


def patch_for(delta: float, temperature: float, theta_bar: float, score: ScoreDefaults, weave: WeaveDefaults) -> Patch:
    """Return the pair (theta_delta, phi_mult) that realises `delta` at the median penalty `theta_bar`.

    Half of the tilt goes through each; where one half clips, the other takes the rest within its own bound.
    """
    wanted = temperature * delta
    limit = math.log(weave.phi_step)
    ln_phi = _clip(wanted / _PHI_SHARE, limit)
    theta = _clip(_theta_for(wanted - 0.4 * ln_phi, theta_bar, score), weave.theta_step)
    rest = wanted - 0.4 * score.penalty_a * math.log((1.0 - theta_bar - theta) / (1.0 - theta_bar))
    return Patch(theta, math.exp(_clip(rest / 0.4, limit)))


def realised_tilt(
    patch: Patch, theta1: NDArray[np.float64], temperature: float, score: ScoreDefaults, weave: WeaveDefaults
) -> tuple[float, float, float]:
    """Return (p10, median, p90) of the logit tilt of one patch alone over the penalties `theta1` of its windows."""
    if len(theta1) == 0:
        return 0.0, 0.0, 0.0
    low = np.minimum(theta1, weave.theta_min)
    moved = np.where(
        patch.theta_delta < 0.0,
        np.maximum(low, theta1 + patch.theta_delta),
        np.maximum(theta1, np.minimum(weave.theta_max, theta1 + patch.theta_delta)),
    )
    gain = math.log(patch.phi_mult) + score.penalty_a * np.log((1.0 - moved) / (1.0 - theta1))
    p10, median, p90 = np.quantile(0.4 * gain / temperature, [0.1, 0.5, 0.9])
    return float(p10), float(median), float(p90)


def knob_patch(delta: float, key: str, weave: WeaveDefaults) -> Patch:
    """Return the patch of a knob for a tilt: the largest tilt moves it by the bound of phi, less by as much less (ln).

    >>> round(knob_patch(0.25, "policy:size", WeaveDefaults()).knob("policy:size") ** 2, 9)
    1.06
    """
    share = _clip(delta / weave.max_tilt, 1.0)
    return Patch(knobs=(Knob(key, math.exp(share * math.log(weave.phi_step))),))


def knob_tilt(patch: Patch, weave: WeaveDefaults) -> float:
    """Return the tilt that the knobs of a patch stand for: the largest in size, the inverse of `knob_patch`."""
    logs = [math.log(knob.mult) for knob in patch.knobs]
    return max(logs, key=abs, default=0.0) / math.log(weave.phi_step) * weave.max_tilt


def _theta_for(share: float, theta_bar: float, score: ScoreDefaults) -> float:
    return (1.0 - theta_bar) * (1.0 - math.exp(share / (0.4 * score.penalty_a)))


def _clip(x: float, limit: float) -> float:
    return max(-limit, min(limit, x))
