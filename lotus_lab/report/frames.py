"""Facts of a study as data frames: one row for a lesson, a refusal, an audit or a smallest effect; units in names."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

Facts = Mapping[str, Any]
_LESSON = (
    "detector_id", "horizon_s", "rule", "uplift_bps", "bound_bps", "contrast_bps", "claim_bps", "net_mean_bps", "grade",
    "status", "n_eff", "evidence_nats", "critical_nats", "advice", "lesson_id",
)  # fmt: skip
_SUPPORT = ("windows", "published", "days", "blocks", "coverage", "ess")
_REFUSED = ("detector_id", "rule", "uplift_bps", "grade", "status", "evidence_nats", "critical_nats", "reason")
_AUDIT = (
    "detector_id", "alarm", "reason", "windows", "calibration_z", "placebo_z", "dispersion_z", "worst_stratum_z",
    "paper_z", "equal_share", "late_lag", "beyond_share", "results_t", "skew",
)  # fmt: skip


def lesson_frame(rows: Sequence[Facts]) -> pd.DataFrame:
    """Return accepted lessons (or proposals): effect, interval, bound and claim in bps, support, what to do."""
    flat = [
        {
            **{name: x[name] for name in _LESSON[:4]},
            "ci95_low_bps": x["ci95"][0],
            "ci95_high_bps": x["ci95"][1],
            **{name: x[name] for name in _LESSON[4:]},
            **{name: x["support"][name] for name in _SUPPORT},
        }
        for x in rows
    ]
    columns = (*_LESSON[:4], "ci95_low_bps", "ci95_high_bps", *_LESSON[4:], *_SUPPORT)
    return pd.DataFrame(flat, columns=list(columns))


def refused_frame(rows: Sequence[Facts]) -> pd.DataFrame:
    """Return what was refused, each with the number or the reason that failed; `rule` is null for a whole detector."""
    return pd.DataFrame([{name: x.get(name) for name in _REFUSED} for x in rows], columns=list(_REFUSED))


def audit_frame(rows: Sequence[Facts]) -> pd.DataFrame:
    """Return the audits of the logged propensities, z scores and shares, with the notes of each."""
    flat = [{**{name: x[name] for name in _AUDIT}, "notes": "; ".join(x["notes"])} for x in rows]
    return pd.DataFrame(flat, columns=[*_AUDIT, "notes"])
