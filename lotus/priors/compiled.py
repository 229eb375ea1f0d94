"""Priors compiled to arrays and applied exactly: which braids fire in a context, and what they do to theta and phi.

The kernels here run inside the scoring of one window, live and in batch; the readable form is `lotus.priors.trace`.
No belief is made here. In the literature this is a rule list evaluated by bit masks, with additive bounded effects.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus import mathx
from lotus.errors import BeliefError
from lotus.jit import allocating_kernel, kernel
from lotus.manifest import WeaveDefaults
from lotus.names import BRED
from lotus.priors.asset_context import ASSET, check_with_asset
from lotus.priors.types import EXPLORATION, MAX_LEVEL, ActiveBraid, PriorsVersion, check_trust, scoring
from lotus.priors.vocabulary import NULL_BIN

MAX_BRAIDS = 63  # per detector and version: one bit each in a 64-bit mask
OPS = ("RULE", "UNION", "INTERSECT", "EXCEPT", "ATTENUATE", "LIFT_ONLY", "PENALTY_ONLY")
RULE, UNION, INTERSECT, EXCEPT, ATTENUATE, LIFT_ONLY, PENALTY_ONLY = range(7)

BRAID_DTYPE = np.dtype(
    [
        ("low", "u1", (ASSET + 1,)),  # of the twelve bins, then of the group of the coin
        ("high", "u1", (ASSET + 1,)),
        ("theta_delta", "f8"),
        ("phi_mult", "f8"),
        ("effective_from_ms", "i8"),
        ("expires_at_ms", "i8"),
        ("op", "i8"),
        ("field", "i8"),
        ("parents", "u8"),
        ("first_parent", "i8"),
        ("weights", "f8", (MAX_BRAIDS,)),
        ("strength", "f8"),
        ("theta_min_mult", "f8"),
        ("phi_max_mult", "f8"),
        ("exploration", "f8"),
        ("gate", "f8"),
        ("level", "i8"),
    ]
)

CAP_TILT = 4  # place in `caps_of` of the whole tilt without a level; that of a level stands as many places behind
CAP_TRUST_FLOOR = CAP_TILT + MAX_LEVEL + 1
SLACK = 0.5  # logit by which all braids together may exceed the cap of the best trusted one


@dataclass(frozen=True, slots=True)
class CompiledPriors:
    """Several versions of one branch as arrays: row `first[v, d] + k` is braid k (bit k) of detector d in version v."""

    braids: NDArray[np.void]
    first: NDArray[np.int64]
    count: NDArray[np.int64]
    effective_from_ms: NDArray[np.int64]
    priors_vers: tuple[str, ...]
    detector_ids: tuple[str, ...]


def caps_of(weave: WeaveDefaults) -> NDArray[np.float64]:
    """Return the caps the kernels read.

    [theta_total, phi_total, theta_min, theta_max, max_total_tilt, whole tilt at level 1, 2 and 3, trust_floor].
    Raises `ConfigError` as `check_trust` does.
    """
    check_trust(weave)
    trusted, floor = weave.trust_caps, weave.trust_floor
    trusted += (trusted[-1] if trusted else 0.0,) * (MAX_LEVEL + 1 - len(trusted))
    whole = [min(trusted[-1], cap + SLACK) for cap in trusted[1:]]
    bounds = weave.theta_total, weave.phi_total, weave.theta_min, weave.theta_max, weave.max_total_tilt
    return np.array([*bounds, *whole, floor], dtype=np.float64)


def compile_priors(versions: PriorsVersion | Sequence[PriorsVersion], detector_ids: Sequence[str]) -> CompiledPriors:
    """Compile versions (rising `effective_from_ms`) for the detectors in the order given.

    Raises `BeliefError` for more than 63 braids of a detector, an unknown detector, a rule outside the vocabulary,
    or an operator whose parents are not micro braids of the same version and detector.
    """
    ordered = [versions] if isinstance(versions, PriorsVersion) else list(versions)
    if not ordered:
        raise BeliefError("no priors version to compile", "the genesis version at least", "a missing day")
    starts = [v.effective_from_ms for v in ordered]
    if starts != sorted(set(starts)):
        raise BeliefError(f"versions effective from {starts}", "strictly rising times")
    first = np.zeros((len(ordered), len(detector_ids)), dtype=np.int64)
    count = np.zeros_like(first)
    rows: list[NDArray[np.void]] = []
    for v, version in enumerate(ordered):
        unknown = {b.detector_id for b in version.braids if b.scope == "sig"} - set(detector_ids)
        unknown = {name for name in unknown if not name.startswith(BRED)}  # those come and go by day
        if unknown:
            raise BeliefError(f"priors {version.priors_ver} name detectors {sorted(unknown)}", ", ".join(detector_ids))
        for d, detector_id in enumerate(detector_ids):
            own_braids = scoring(version, detector_id)
            first[v, d], count[v, d] = len(rows), len(own_braids)
            rows += _rows(own_braids)
    braids = np.array(rows, dtype=BRAID_DTYPE) if rows else np.zeros(1, dtype=BRAID_DTYPE)
    names = tuple(v.priors_ver for v in ordered)
    return CompiledPriors(braids, first, count, np.array(starts, dtype=np.int64), names, tuple(detector_ids))


def fired_braids(version: PriorsVersion, detector_id: str, fired: int) -> list[ActiveBraid]:
    """Return the braids behind a stored bit mask (bit k = k-th braid of the detector in canonical order)."""
    own_braids = scoring(version, detector_id)
    return [b for k, b in enumerate(own_braids) if fired >> k & 1]


def _rows(braids: list[ActiveBraid]) -> list[NDArray[np.void]]:
    if len(braids) > MAX_BRAIDS:
        raise BeliefError(f"{len(braids)} braids of {braids[0].detector_id}", f"at most {MAX_BRAIDS} per detector")
    bit = {b.braid_id: k for k, b in enumerate(braids)}
    micro = {b.braid_id for b in braids if b.braid_type == "micro"}
    return [_row(b, bit, micro) for b in braids]


def _row(braid: ActiveBraid, bit: dict[str, int], micro: set[str]) -> NDArray[np.void]:
    row = np.zeros((), dtype=BRAID_DTYPE)
    row["high"] = 255
    for literal in check_with_asset(braid.rule).literals:
        row["low"][literal.feature], row["high"][literal.feature] = literal.low, literal.high
    present = [p for p in braid.parents if p in micro]
    if braid.op != "RULE" and len(present) != len(braid.parents):
        missing = sorted(set(braid.parents) - micro)
        raise BeliefError(
            f"{braid.op} braid {braid.braid_id} acts through {missing}", "micro braids of the same version"
        )
    for parent, weight in zip(braid.parents, braid.weights, strict=False):
        if parent in bit:
            row["weights"][bit[parent]] = weight
    if braid.braid_type == "meta":
        row["parents"] = sum(1 << bit[p] for p in present)
        row["first_parent"] = bit[present[0]] if present else 0
    row["op"], row["field"], row["strength"] = OPS.index(braid.op), braid.braid_type == "field", braid.strength
    row["theta_delta"], row["phi_mult"] = braid.patch.theta_delta, braid.patch.phi_mult
    row["effective_from_ms"], row["expires_at_ms"] = braid.effective_from_ms, braid.expires_at_ms
    row["exploration"] = next((k.mult for k in braid.patch.knobs if k.key == EXPLORATION), 1.0)
    row["gate"], row["level"] = braid.acting_gate, braid.level
    row["theta_min_mult"], row["phi_max_mult"] = braid.caps.theta_min_mult, braid.caps.phi_max_mult
    return row


@kernel
def version_at(effective_from_ms: NDArray[np.int64], time_ms: int) -> int:
    """Return the index of the latest version effective at `time_ms` (rising times), -1 when none is."""
    at = -1
    for v in range(len(effective_from_ms)):
        if effective_from_ms[v] <= time_ms:
            at = v
    return at


@kernel
def attenuate(theta_delta: float, phi_mult: float, strength: float) -> tuple[float, float]:
    """Return (lambda * dtheta, phi ** lambda); lambda = 1 is the identity bit for bit."""
    if strength == 1.0:
        return theta_delta, phi_mult
    return strength * theta_delta, mathx.power(phi_mult, strength)


@kernel
def _fires(braids: NDArray[np.void], at: int, bins: NDArray[np.uint8], now_ms: int, fired: int, group: int) -> bool:
    braid = braids[at]
    if now_ms < braid["effective_from_ms"] or now_ms >= braid["expires_at_ms"]:
        return False
    op = braid["op"]
    if op == RULE:
        inside = bool(braid["low"][ASSET] <= group <= braid["high"][ASSET])
        for f in range(bins.shape[0]):
            inside = inside and braid["low"][f] <= bins[f] <= braid["high"][f]
        return inside
    parents = braid["parents"]
    hit = parents & np.uint64(fired)
    if op == UNION:
        return bool(hit != np.uint64(0))
    if op == EXCEPT:
        return bool(hit == np.uint64(1) << np.uint64(braid["first_parent"]))
    return bool(hit == parents)


@kernel
def _effect(braids: NDArray[np.void], start: int, at: int, fired: int) -> tuple[float, float]:
    braid = braids[start + at]
    op = braid["op"]
    if op == RULE:
        return braid["theta_delta"], braid["phi_mult"]
    if op in (UNION, INTERSECT):
        theta = 0.0
        phi = 1.0
        total = 0.0
        hit = np.uint64(fired) & braid["parents"]
        for k in range(at):
            if hit >> np.uint64(k) & np.uint64(1):
                total += braid["weights"][k]
        for k in range(at):
            if hit >> np.uint64(k) & np.uint64(1):
                share = braid["weights"][k] / total if op == UNION else 1.0
                part_theta, part_phi = attenuate(braids[start + k]["theta_delta"], braids[start + k]["phi_mult"], share)
                theta += part_theta
                phi *= part_phi
        return theta, phi
    parent = braids[start + braid["first_parent"]]
    if op == LIFT_ONLY:
        return 0.0, parent["phi_mult"]
    if op == PENALTY_ONLY:
        return parent["theta_delta"], 1.0
    strength = braid["strength"] if op == ATTENUATE else 1.0
    return attenuate(parent["theta_delta"], parent["phi_mult"], strength)


@kernel
def apply_caps(theta1: float, delta: float, phi: float, caps: NDArray[np.float64]) -> tuple[float, float]:
    """Return (theta', phi') of the summed effect: D within the total, theta' within its floor and ceiling, phi' too."""
    delta = min(max(delta, -caps[0]), caps[0])
    if delta < 0.0:
        theta = max(min(theta1, caps[2]), theta1 + delta)
    else:
        theta = max(theta1, min(caps[3], theta1 + delta))
    return theta, min(max(phi, 1.0 / caps[1]), caps[1])


@allocating_kernel
def apply_priors(
    braids: NDArray[np.void],
    first: NDArray[np.int64],
    count: NDArray[np.int64],
    version: int,
    detector: int,
    bins: NDArray[np.uint8],
    theta1: float,
    window_end_ms: int,
    caps: NDArray[np.float64],
    group: int = NULL_BIN,
) -> tuple[float, float, int]:
    """Return (theta', phi', mask of braids that fired) of one window; (theta1, 1.0, 0) bit for bit when none fires.

    The first three arguments are the arrays of `CompiledPriors`; `bins` uint8 [12]; `caps` from `caps_of`; `group`
    is that of the coin (`lotus.priors.asset_context`), null where coins have none.
    """
    start = first[version, detector]
    fired = 0
    replaced = np.uint64(0)
    for k in range(count[version, detector]):
        if _fires(braids, start + k, bins, window_end_ms, fired, group):
            fired |= 1 << k
            replaced |= braids[start + k]["parents"]
    if fired == 0:
        return theta1, 1.0, 0
    acting = 0
    delta = 0.0
    phi = 1.0
    theta_min_mult = 1.0
    phi_max_mult = 1.0
    for k in range(count[version, detector]):
        bit = np.uint64(1) << np.uint64(k)
        if np.uint64(fired) & bit == np.uint64(0) or replaced & bit != np.uint64(0):
            continue
        if braids[start + k]["field"]:
            theta_min_mult *= braids[start + k]["theta_min_mult"]
            phi_max_mult *= braids[start + k]["phi_max_mult"]
            continue
        theta_part, phi_part = _effect(braids, start, k, fired)
        acting += 1
        delta += theta_part
        phi *= phi_part
    if acting == 0:
        return theta1, 1.0, fired
    if theta_min_mult != 1.0 or phi_max_mult != 1.0:
        caps = caps.copy()
        caps[1] = 1.0 + (caps[1] - 1.0) * phi_max_mult
        caps[2] *= theta_min_mult
    theta2, phi2 = apply_caps(theta1, delta, phi, caps)
    return theta2, phi2, fired


@kernel
def exploration_mult(
    braids: NDArray[np.void],
    first: NDArray[np.int64],
    count: NDArray[np.int64],
    version: int,
    detector: int,
    fired: int,
) -> float:
    """Return the product of the exploration multipliers of the field braids that fired; exactly 1.0 without one."""
    mult = 1.0
    for k in range(count[version, detector]):
        braid = braids[first[version, detector] + k]
        if fired >> k & 1 and braid["field"]:
            mult *= braid["exploration"]
    return mult


@kernel
def cap_tilt(ln_with: float, ln_without: float, temperature: float, max_tilt: float) -> float:
    """Return ln sigma with priors, moved back so that its logit tilt |with - without| / T stays within `max_tilt`."""
    limit = max_tilt * temperature
    return min(max(ln_with, ln_without - limit), ln_without + limit)
