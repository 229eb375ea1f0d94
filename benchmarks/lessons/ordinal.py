"""Labels in place of numbers: do lessons over ordered categories reach the power of lessons over the numbers?

`python -m benchmarks.lessons.ordinal --row ordinal --seeds 1-100`: worlds of `lotus.own_signals.example` in which a
range of bins of one feature, alone or in one regime, pays more. `lab.learn` sees them three times, on the same draws:
the features as numbers (binned per asset from the seven days before), as the labels of their true fifths in order,
and as the same labels without an order. Found: a lesson of the right sign whose windows overlap the planted ones with
Jaccard >= .5. False: a lesson in which the planted effect is not a tenth more than outside. In the literature:
ordinal features, McNemar's test on paired outcomes.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import lotus_lab as lab
from benchmarks.lessons.claims import Claim, Counts, total
from benchmarks.lessons.command import command
from benchmarks.lessons.evidence import ROOT, Row, Study
from benchmarks.lessons.worlds import Figures
from lotus.learning.rows import rows_by_detector
from lotus.own_signals.example import ExampleSpec, example_days
from lotus.simulation.learning_world import QUINTILES

FEATURES = ("x_flow", "x_vol", "x_gap")
LABELS = ("lowest", "low", "middle", "high", "highest")
RANGES = ((0, 1), (1, 2), (1, 3), (2, 3), (3, 4), (2, 4), (0, 0), (4, 4))
NUMBERS, ORDERED, LOOSE = "numbers", "labels", "loose"
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class OrdinalWorld:
    """How much is made, and what a range of bins pays more, bps; `days` with `windows` a day on each of three coins."""

    days: int = 16
    windows: int = 160
    effect_bps: float = 3.5


def measure(world: OrdinalWorld, seed: int) -> Figures:
    """Return for each of the three kinds whether the planted range was found, and how many lessons were false."""
    events, bins, inside = planted(world, seed)
    out: Figures = {"windows": int(inside.sum())}
    for kind in (NUMBERS, ORDERED, LOOSE):
        began = time.process_time()
        report = lab.learn(shown(events, bins, kind), config(kind))
        right, wrong = judged(report, events, inside, world.effect_bps)
        out |= {kind: int(right > 0), f"{kind}_false": wrong, f"{kind}_lessons": len(report.lessons)}
        out[f"{kind}_cpu_s"] = round(time.process_time() - began, 2)
    return out


def planted(world: OrdinalWorld, seed: int) -> tuple[pd.DataFrame, pd.DataFrame, Bools]:
    """Return events of one detector, the true fifths of their features, and the windows that pay more."""
    spec = ExampleSpec(seed=seed, days=world.days, windows=world.windows, detectors=("fade",), effect_bps=0.0)
    events = pd.concat([pd.DataFrame(columns) for _, columns in example_days(spec)], ignore_index=True)
    events = events.drop(columns=["mfe_bps", "mae_bps", "p_hit"])
    events["ts"] = pd.to_datetime(events["ts"], unit="us", utc=True)
    bins = pd.DataFrame({name: np.searchsorted(QUINTILES, events[name]) for name in FEATURES})
    rng = np.random.default_rng([seed, 91])
    low, high = RANGES[rng.integers(len(RANGES))]
    inside = bins[FEATURES[rng.integers(len(FEATURES))]].between(low, high).to_numpy(copy=True)
    if rng.random() < 0.5:
        inside &= (events["x_regime"] == "calm").to_numpy()
    for name in ("payoff_bps", "paper_payoff_bps"):
        events[name] += world.effect_bps * inside
    return events, bins, inside


def shown(events: pd.DataFrame, bins: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Return the events as one kind of file has them."""
    if kind == NUMBERS:
        return events
    labels = {name: pd.Categorical.from_codes(bins[name], list(LABELS), ordered=True) for name in FEATURES}
    return events.assign(**{name: x if kind == ORDERED else x.astype(str) for name, x in labels.items()})


def config(kind: str) -> Mapping[str, Any]:
    """Return how the features are read: numbers by ranges as well, so that both kinds know the same rules."""
    features = dict.fromkeys(FEATURES, "interval") if kind == NUMBERS else {name: {"bins": 5} for name in FEATURES}
    return {"max_literals": 2, "features": features | {"x_regime": "category"}}


def judged(report: lab.Report, events: pd.DataFrame, inside: Bools, effect_bps: float) -> tuple[int, int]:
    """Return how many lessons are the planted one, and how many are false."""
    known = set(zip(events["asset"][inside], _ms(events["ts"])[inside], strict=True))
    rows = rows_by_detector(report.scores.scores.of("fade"), report.config.last_days, report.study.vocabulary)["fade"]
    names = np.array(rows.assets)[rows.asset]
    truth = np.array([pair in known for pair in zip(names.tolist(), rows.end_ms.tolist(), strict=True)])
    right = wrong = 0
    for lesson in (x.lesson for x in report.study.findings):
        held = rows.covered(lesson.rule)
        right += lesson.sign > 0 and bool(2 * (held & truth).sum() >= (held | truth).sum())
        gain = lesson.sign * effect_bps * (truth[held].mean() - truth[~held].mean())
        wrong += bool(gain < 0.1 * effect_bps)
    return right, wrong


def _ms(ts: "pd.Series[Any]") -> NDArray[np.int64]:
    return ts.dt.as_unit("ms").astype("int64").to_numpy()


def _discordant(rows: Sequence[Row]) -> Counts:
    """Return worlds that labels alone find, of those that only one of labels and numbers finds."""
    differ = [row for row in rows if row[ORDERED] != row[NUMBERS]]
    return sum(int(row[ORDERED]) for row in differ), len(differ)


_SOURCES = (
    Path(__file__),
    *(ROOT / "lotus" / "own_signals" / f"{name}.py" for name in ("bins", "example", "groups", "scores")),
)
STUDIES = {
    "ordinal": Study(
        "ordinal", OrdinalWorld(), measure, _SOURCES, OrdinalWorld(days=13, windows=80, effect_bps=9.0), 0.6
    )
}
CLAIMS = [
    Claim("ordinal", "found with numbers", total(NUMBERS)),
    Claim("ordinal", "found with labels in order", total(ORDERED)),
    Claim("ordinal", "found with labels without an order", total(LOOSE)),
    Claim(
        "ordinal", "of worlds that only one of numbers and labels in order finds, the labels do", _discordant, 0.5, True
    ),
    Claim("ordinal", "a false lesson with labels in order", total(f"{ORDERED}_false"), 0.05),
]

if __name__ == "__main__":
    raise SystemExit(command(STUDIES, CLAIMS, __doc__ or ""))
