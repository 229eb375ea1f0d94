"""What tests of the weave share: lessons, a detector's day, braids, and rows of a world with known truth."""

from dataclasses import replace

import numpy as np

from lotus.learning.forward import steps_of
from lotus.learning.lesson import Lesson
from lotus.learning.monitor import Monitor, watch
from lotus.learning.rows import DetectorRows
from lotus.learning.strata import UNKNOWN
from lotus.manifest import Manifest
from lotus.priors.types import Literal, Patch, Rule
from lotus.priors.vocabulary import DEFAULT
from lotus.timebase import DAY_MS, day_start_ms, next_day
from lotus.weave.admission import DetectorDay
from lotus.weave.braid import Braid, Quality

MANIFEST = Manifest()
WEAVE = MANIFEST.weave
NIGHT_MS = 20_000 * DAY_MS
A, B = Rule.of(Literal(7, 0, 1)), Rule.of(Literal(3, 0, 1))


def lesson(**changes: object) -> Lesson:
    """An accepted lesson that bears a patch."""
    base = Lesson(
        lesson_id="", branch="b", night="2026-01-17", detector_id="d", horizon_s=30, rule=A, sign=1, uplift_bps=12.0,
        se_bps=1.0, ci95=(10.0, 14.0), lcb_bps=4.0, claim_bps=10.2, net_mean_bps=6.0, net_low_bps=3.0, net_high_bps=9.0,
        sigma_y_bps=10.0, m_nats=5.0, t_stat=4.6, recent_t=4.0, critical=1.0, n_windows=4000, n_published=500,
        ess=400.0, n_days=13, n_blocks=26, n_eff_days=11.0, coverage=0.4, fill_share=1.0, trials=174965, grade="B",
        state="IDENTIFIED",
    )  # fmt: skip
    return replace(base, **changes).named()  # type: ignore[arg-type]


def braid(name: str, rule: Rule = A, **changes: object) -> Braid:
    """An active micro braid with a monitor that has seen nothing yet."""
    base = Braid(
        braid_id=name, branch="b", braid_type="micro", detector_id="d", horizon_s=30, rule=rule, sign=1,
        lesson_id=f"lesson {name}", grade="B", claim_bps=10.0, lcb_bps=4.0, ci95=(8.0, 12.0), support=500,
        quality=Quality(1.0, 0.05, 0.1, 0.12), target=Patch(-0.1, 1.05), patch=Patch(-0.05, 1.02), delta_wanted=0.5,
        delta_realised=(0.2, 0.3, 0.4), state="active", reason="accepted lesson", effective_from_ms=NIGHT_MS - DAY_MS,
        expires_at_ms=NIGHT_MS + 20 * DAY_MS, members_sample=("e",), monitor=monitor(),
    )  # fmt: skip
    return replace(base, **changes)  # type: ignore[arg-type]


def monitor(**changes: object) -> Monitor:
    """The monitor of a lesson selected on 2026-01-17."""
    return replace(watch(1, 10.0, 400.0, 60, "2026-01-17"), **changes)  # type: ignore[arg-type]


def day_of(detector_seed: int = 3, n: int = 400) -> DetectorDay:
    """A day of a detector: bins that hold both rules on part of the windows."""
    rng = np.random.default_rng(detector_seed)
    return DetectorDay(rng.integers(0, 4, (n, 12)).astype(np.uint8), rng.uniform(0.2, 0.6, n), 0.12)


def rows(day: str, effect: object, seed: int = 0, n: int = 1200, detector: str = "d") -> DetectorRows:
    """Rows of one learning day: payoff = noise + effect(bins), published by chance at p = u0's propensity."""
    rng = np.random.default_rng([seed, int(day.replace("-", ""))])
    bins = rng.integers(0, 4, (n, 12)).astype(np.uint8)
    u0 = rng.normal(-0.5, 1.0, n)
    p = 1.0 / (1.0 + np.exp(-u0))
    published = rng.random(n) < p
    paper = rng.normal(0.0, 12.0, n) + effect(bins)  # type: ignore[operator]
    block = np.arange(n) * 4 // n
    basis, end_ms = UNKNOWN.basis(u0), day_start_ms(day) + np.arange(1, n + 1) * (DAY_MS // n)
    return DetectorRows(
        vocabulary=DEFAULT, detector_id=detector, spec_version=1, horizon_s=30, block=block,
        days=(day,), lane_day=np.zeros(4, dtype=np.int64), lane=block,
        day=np.zeros(n, dtype=np.int64), bins=bins, asset=np.arange(n) % 3, u0=u0, p=p,
        left=basis.left, share=basis.share, level=np.zeros(n), weight=np.ones(n), end_ms=end_ms,
        step=steps_of(end_ms, p * (1 - p), 30), h=p * (1 - p),
        f=p * (1 - p) * paper, published=published, payoff_p=paper, payoff_y=np.where(published, paper, np.nan),
        hit=(paper > 0).astype(float), source=np.ones(n, dtype=np.int64),
        event_id=np.array([f"{day}-{i}" for i in range(n)], dtype=object),
    )  # fmt: skip


def rows_of_days(effect: object, days: int = 12, seed: int = 0) -> DetectorRows:
    """Rows of several learning days of one detector, payoff = noise + effect(bins)."""
    day, parts = "2026-01-17", list[DetectorRows]()
    for _ in range(days):
        day = next_day(day)
        parts.append(rows(day, effect, seed))
    joined = {
        name: np.concatenate([getattr(p, name) for p in parts])
        for name in ("block", "bins", "asset", "u0", "p", "h", "f", "published", "payoff_p", "payoff_y", "hit",
                     "source", "event_id", "left", "share", "level", "weight", "end_ms", "step")
    }  # fmt: skip
    return replace(
        parts[0],
        days=tuple(p.days[0] for p in parts),
        day=np.repeat(np.arange(days), len(parts[0])),
        lane=np.concatenate([p.lane + 4 * i for i, p in enumerate(parts)]),
        lane_day=np.repeat(np.arange(days), 4),
        **joined,
    )
