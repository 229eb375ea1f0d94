"""The same worlds traded with lessons on and off: what lessons are worth, and that they do not hurt where none is true.

`python -m benchmarks.lessons.ablation --row ablation-null --seeds 1-200`: the closed loop of `year_loop` with an alert
budget in force and the product's patch sizes. Both arms see the same windows, payoffs, logits before patches and draws;
the arm with lessons adds its patches and one shift of the logit a day, common to all detectors, so that both expect the
same number of alerts that day. Days are blocks within a world, worlds are independent. Nothing is judged here but
totals. In the literature: paired comparison under common random numbers.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from benchmarks.lessons import trust
from benchmarks.lessons.claims import Claim, total
from benchmarks.lessons.command import command
from benchmarks.lessons.equal_alerts import equal_alerts, probability
from benchmarks.lessons.evidence import FOLDER, ROOT, Row, Study, best_rows
from benchmarks.lessons.worlds import Figures
from benchmarks.lessons.year import PLANTED, Year
from benchmarks.lessons.year_loop import Loop
from lotus.learning.lanes import Both
from lotus.learning.slots import NOTHING_SPENT, allowance, nightly_look
from lotus.manifest import LearningDefaults, WeaveDefaults
from lotus.simulation.learning_world import market, planted_rules, track
from lotus.weave.tilt import wanted_tilt

WEAVE = WeaveDefaults()
BUDGETED = LearningDefaults(max_literals=2, alert_budget=1_470.0)  # 13.6 % of 10 x 1,080 windows
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Day:
    """One day of both arms: net payoffs and alerts as drawn, and the expected payoff, bps.

    `off` without lessons, `on` with them at equal expected alerts, `free` with them as traded.
    """

    off: tuple[float, int]
    on: tuple[float, int]
    free: tuple[float, int]
    gain_expected: float


def measure(year: Year, seed: int) -> Figures:
    """Return totals of both arms over all days of one world."""
    began = time.process_time()
    place, settings = market(seed, year.days, year.windows), year.learning
    lessons = planted_rules(seed, place, year.effect_bps)[:PLANTED] if year.effect_bps else ()
    names = [f"d{k}" for k in range(year.detectors)]
    tracks = [track(place, year.kind, name, lessons if name == "d0" else (), year.herd) for name in names]
    loop, state = Loop(place, tracks, settings, year.kind != "null"), NOTHING_SPENT
    days, accepted, patched_days = list[Day](), 0, 0
    for night in range(1, year.days + 1):
        loop.publish(night - 1)
        patched_days += any(one.tilt != 0.0 for one in loop.active)
        days.append(traded(loop, night - 1))
        loop.expire(night)
        if allowance(night, settings.draws, settings.alpha) <= state.day.spent:
            continue
        lanes = loop.look(night)
        looks = [nightly_look(of, night, *one, settings.alpha) for of, one in zip(state, lanes, strict=True)]
        state, bars = Both(looks[0].state, looks[1].state), Both(looks[0].critical, looks[1].critical)
        if all(real > max(bar, settings.min_evidence_nats) for bar, (real, _) in zip(bars, lanes, strict=True)):
            accepted += len(loop.promote(night, bars))
            loop.active = [replace(one, tilt=wanted_tilt(one.lesson, WEAVE).delta) for one in loop.active]
    out: Figures = {"days": year.days, "accepted": accepted, "patched_days": patched_days} | totals(days)
    return out | {"cpu_s": round(time.process_time() - began, 2)}


def traded(loop: Loop, day: int) -> Day:
    """Return what one day paid with and without the patches in force."""
    at = loop.window(day)
    u0 = np.stack([track.u0[at] for track in loop.tracks])
    draw, paid, mean = (np.stack([getattr(t, name)[at] for t in loop.tracks]) for name in ("draw", "executed", "mean"))
    off, free = probability(u0), loop.p[:, at]
    on = equal_alerts(free, float(off.sum())) if any(one.tilt != 0.0 for one in loop.active) else off

    def drawn(p: Floats) -> tuple[float, int]:
        taken = draw < p
        return float(paid[taken].sum()), int(taken.sum())

    return Day(drawn(off), drawn(on), drawn(free), float(((on - off) * mean).sum()))


def totals(days: Sequence[Day]) -> Figures:
    """Return totals of the arms; the error of the gain is that of the sum of daily differences."""
    gain = np.array([day.on[0] - day.off[0] for day in days])
    out: Figures = {}
    for arm in ("off", "on", "free"):
        out[f"{arm}_bps"] = float(sum(getattr(day, arm)[0] for day in days))
        out[f"{arm}_alerts"] = sum(getattr(day, arm)[1] for day in days)
    error = float(gain.std(ddof=1) * np.sqrt(len(gain)))
    out |= {"gain_bps": float(gain.sum()), "gain_day_block_bps": error}
    out["expected_bps"] = float(sum(day.gain_expected for day in days))
    out["loses"] = int(gain.sum() < -1.96 * error)
    return out | {"wins": int(gain.sum() > 1.96 * error)}


def interval(values: Floats) -> tuple[float, float, float]:
    """Return (mean, low, high): the mean over worlds and its 95 % t interval."""
    n, mean = len(values), float(values.mean())
    if n < 2:
        return mean, float("-inf"), float("inf")
    half = float(student.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n))
    return mean, mean - half, mean + half


def gains(rows: Sequence[Row]) -> dict[str, tuple[float, float, float]]:
    """Return (mean, low, high) over worlds: payoff a day, expected payoff a day, and payoff per alert, on less off."""
    of = {name: np.array([float(row[name]) for row in rows]) for name in rows[0] if name not in ("setting", "code")}
    per_alert = of["on_bps"] / of["on_alerts"] - of["off_bps"] / of["off_alerts"]
    as_traded = of["free_bps"] / of["free_alerts"] - of["off_bps"] / of["off_alerts"]
    return {
        "off, bps a day": interval(of["off_bps"] / of["days"]),
        "gain, bps a day": interval(of["gain_bps"] / of["days"]),
        "expected gain, bps a day": interval(of["expected_bps"] / of["days"]),
        "gain per alert, bps": interval(per_alert),
        "gain per alert as traded, bps": interval(as_traded),
    }


def lines(folder: Path = FOLDER) -> list[str]:
    """Return the table of gains as Markdown lines; empty without rows."""
    out = []
    for name, study in STUDIES.items():
        rows = best_rows(study, folder)
        if rows:
            patched = sum(int(row["patched_days"]) > 0 for row in rows)
            cells = [f"{mean:.3f} ({low:.3f} to {high:.3f})" for mean, low, high in gains(rows).values()]
            out.append(f"| `{name}` | {len(rows)} ({patched}) | {' | '.join(cells)} |")
    names = ("off", "gain", "expected gain", "gain per alert", "gain per alert as traded")
    heads = [f"{name}, bps{'' if 'alert' in name else ' a day'}" for name in names]
    head = [f"| study | worlds (with a patch) | {' | '.join(heads)} |", "|---" * 7 + "|"]
    return [*head, *out, ""] if out else []


def _small(year: Year) -> Year:
    return replace(year, days=30, windows=432, detectors=2, effect_bps=4.0 * year.effect_bps)


_WORLDS = {
    "ablation-null": Year("null", learning=BUDGETED),
    "ablation-conf": Year("conf", learning=BUDGETED),
    "ablation-half": Year("plant", 6.0, learning=BUDGETED),
    "ablation-quarter": Year("plant", 3.0, learning=BUDGETED),
}
_HERE = (
    *(Path(__file__).with_name(name) for name in ("ablation.py", "equal_alerts.py", "year_loop.py", "worlds.py")),
    ROOT / "lotus" / "weave" / "tilt.py",
)
STUDIES = {name: Study(name, year, measure, _HERE, _small(year), 10.0) for name, year in _WORLDS.items()}
CLAIMS = [
    claim
    for name, words in (("null", "nothing is true"), ("conf", "confounded"), ("half", ".5 sd"), ("quarter", ".25 sd"))
    for claim in (
        Claim(f"ablation-{name}", f"{words}: a world loses by its lessons, beyond 95 %", total("loses"), 0.05),
        Claim(f"ablation-{name}", f"{words}: a world gains by its lessons, beyond 95 %", total("wins")),
    )
]

if __name__ == "__main__":
    raise SystemExit(command(STUDIES | trust.STUDIES, [*CLAIMS, *trust.CLAIMS], __doc__ or "", figures=trust.figures))
