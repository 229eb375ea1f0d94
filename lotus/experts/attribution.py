"""DETECTOR_DSI_ATTRIB: what each expert had to do with evidence and payoff of the windows that a detector published.

With c_jw = w_j z_jw sign(s_w), the part of expert j in micro_llr at window w turned to the side of the signal (weights
of the set in force, nulls 0), and P_w the payoff of the window's probe:

    share_j        = mean over windows with evidence of |c_jw| / sum_k |c_kw|          (sums to 1 over experts)
    agreement_j    = mean of sign(c_jw) over the windows in which j speaks             (1: always with the signal)
    contribution_j = mean of c_jw                                                      (nat)
    credit_j       = mean of c_jw (P_w - mean P)                                       (nat bps)

Credits of all experts add up to the covariance of the signed evidence with the payoff (covariance allocation, the
Shapley value of a sum); 0 is an expert that paid no heed to what came. The interval of a credit is clustered by blocks
of six hours. Descriptive: nothing is chosen by it. Literature: D. Tasche, "Capital allocation", 2008; cluster-robust
error (K.-Y. Liang, S. Zeger, 1986).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec
from lotus.errors import SchemaError
from lotus.experts.weekly.verdict import clustered_reach
from lotus.hashing import round_learned

Floats = NDArray[np.float64]

DETECTOR_DSI_ATTRIB: Final = TableSpec(
    "detector_dsi_attrib",
    ("detector_id", "expert_id"),
    (
        Column("detector_id", "text", "", "detector that published the windows"),
        Column("expert_id", "text", "", "micro-expert"),
        Column("weight", "f8", "1", "mean weight in force over the windows", low=0),
        Column("windows", "i8", "", "published windows with a payoff that matured on the day", low=1),
        Column("spoke", "i8", "", "those in which the expert's part is not 0", low=0),
        Column("share", "f8", "1", "mean share of the size of all parts; null without evidence", True, 0, 1),
        Column("agreement", "f8", "1", "mean sign of its part with the signal; null when it never spoke", True, -1, 1),
        Column("contribution", "f8", "nat", "mean part, positive with the signal"),
        Column("credit", "f8", "nat bps", "covariance of its part with the payoff P"),
        Column("credit_low", "f8", "nat bps", "lower end of its 95 % interval; null below two blocks", True),
        Column("credit_high", "f8", "nat bps", "upper end of its 95 % interval; null below two blocks", True),
        Column("blocks", "i4", "6 h", "blocks that the interval is clustered by", low=1),
    ),
)


@dataclass(frozen=True, slots=True, eq=False)
class AttributedWindows:
    """Published windows with a known payoff.

    detector str[n], side f8[n] = sign of s, payoff f8[n] in bps, block i8[n] of six hours; z and the weights in force
    f8[n, experts].
    """

    detector: NDArray[np.object_]
    side: Floats
    payoff: Floats
    block: NDArray[np.int64]
    z: Floats
    weights: Floats


def attribution(windows: AttributedWindows, experts: Sequence[str]) -> dict[str, NDArray[np.generic]]:
    """Return the rows of `DETECTOR_DSI_ATTRIB`: every detector with windows and every expert, in key order.

    Raises `SchemaError` for a payoff that is not known or another number of experts.
    """
    if windows.z.shape != (len(windows.side), len(experts)) or not np.isfinite(windows.payoff).all():
        wanted = f"{len(experts)} experts and finite payoffs"
        raise SchemaError(f"windows {windows.z.shape} and their payoffs", wanted, "open probes")
    part = np.where(np.isfinite(windows.z), windows.z, 0.0) * windows.weights * windows.side[:, None]
    order = sorted(range(len(experts)), key=lambda k: experts[k])
    names = np.array([experts[k] for k in order], dtype=object)
    made = []
    for detector in sorted(set(windows.detector.tolist())):
        own_rows = windows.detector == detector
        result = _of_detector(part[own_rows][:, order], windows.payoff[own_rows], windows.block[own_rows])
        weight = round_learned(windows.weights[own_rows][:, order].mean(axis=0))
        key = {"detector_id": np.full(len(order), detector, dtype=object), "expert_id": names, "weight": weight}
        made.append(key | result)
    return {
        c.name: np.concatenate([np.zeros(0, _dtype(c.name)), *(rows[c.name] for rows in made)]).astype(_dtype(c.name))
        for c in DETECTOR_DSI_ATTRIB.columns
    }


def _of_detector(part: Floats, payoff: Floats, block: NDArray[np.int64]) -> dict[str, NDArray[np.generic]]:
    n, many = part.shape
    size, spoke = np.abs(part), (part != 0.0).sum(axis=0)
    total = size.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        agreement = np.sign(part).sum(axis=0) / spoke
    has_weight = total > 0.0
    share = (size[has_weight] / total[has_weight, None]).mean(axis=0) if has_weight.any() else np.full(many, np.nan)
    product = part * (payoff - payoff.mean())[:, None]
    credit = product.mean(axis=0)
    low, high, blocks = _interval(product, credit, block)
    return {
        "windows": np.full(many, n), "spoke": spoke, "share": round_learned(share),
        "agreement": round_learned(agreement), "contribution": round_learned(part.mean(axis=0)),
        "credit": round_learned(credit), "credit_low": round_learned(low), "credit_high": round_learned(high),
        "blocks": np.full(many, blocks),
    }  # fmt: skip


def _interval(product: Floats, credit: Floats, block: NDArray[np.int64]) -> tuple[Floats, Floats, int]:
    """Return the ends of the interval of every mean over rows that stand and fall together in a block."""
    _, place = np.unique(block, return_inverse=True)
    blocks = int(place.max()) + 1
    if blocks < 2:
        unknown = np.full(len(credit), np.nan)
        return unknown, unknown, blocks
    sums = np.stack([np.bincount(place, column, blocks) for column in (product - credit).T], axis=1)
    reach = clustered_reach((sums * sums).sum(axis=0), blocks, len(product))
    return credit - reach, credit + reach, blocks


def _dtype(name: str) -> np.dtype[np.generic]:
    return DETECTOR_DSI_ATTRIB.numpy_dtype(name)
