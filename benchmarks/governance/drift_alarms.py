"""How often the monitors of drift alarm in years in which nothing changed, and how soon where two of 24 series moved.

`python -m benchmarks.governance.drift_alarms --row watch-honest --seeds 1-100`: the product's own reports, day after
day. Beside them stand, on every fifth day, two rules that are usual elsewhere: a two-sample Kolmogorov-Smirnov test of
each series against the 28 days before (5 %, Bonferroni), and PSI above .25. In worlds with a move ADWIN runs on the
rows of each series over the 20 days before it.
"""

import time
from collections import deque
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.governance.adwin import Adwin
from benchmarks.governance.watched_worlds import MOVED, NAMES, Floats, Kind, Watched, days_of, is_moved
from benchmarks.lessons.claims import Claim, total
from benchmarks.lessons.command import command
from benchmarks.lessons.evidence import FOLDER, ROOT, Study, best_rows
from benchmarks.lessons.worlds import Figures
from lotus.monitoring.drift import REPORTS, drift_report
from lotus.monitoring.drift_table import DriftReport, Verdict
from lotus.monitoring.e_detector import ALARM
from lotus.monitoring.like_days import LOOK_BACK
from lotus.monitoring.sketch_table import DaySketches, SeriesName
from lotus.monitoring.sketches import largest_gap, stability_index

SEED = 7
NAIVE_DAYS, PSI_LIMIT, LEVEL = 28, 0.25, 0.05
EVERY = 5  # days, to which the usual rules are put
SOON, LATE = 8, 14
ADWIN_DAYS = 20


def measure(world: Watched, seed: int) -> Figures:
    """Return alarms of both families, of the usual rules, and of the moved series the delay and who was named."""
    began, past, reports = time.process_time(), deque(maxlen=LOOK_BACK), deque(maxlen=REPORTS)
    out: Figures = dict.fromkeys(
        ("days", "alarms", "beside", "ks_days", "psi_days", "naive_days", "tested", "unlike"), 0
    )
    delay, named = 0, 0
    adwin, cuts = {name: Adwin() for name in NAMES}, [0]

    def rows_before(day: int, names: tuple[SeriesName, ...], values: Floats) -> None:
        if world.before - ADWIN_DAYS <= day < world.before:
            cuts[0] += sum(adwin[name].feed(row) for name, row in zip(names, values, strict=True))

    for place, (day, sketches) in enumerate(days_of(world, seed, rows_before if is_moved(world.kind) else None)):
        report = drift_report(day, sketches, list(past), list(reports), SEED)
        beside = place >= world.before and (place - world.before) % EVERY == 0
        ks, psi = usual_rules(sketches, [one for _, one in list(past)[-NAIVE_DAYS:]]) if beside else (0, 0)
        past.append((day, sketches))
        reports.append(report)
        if place < world.before:
            continue
        alarms, who = alarms_of(report)
        verdicts = report.numbers["verdict"]
        out["days"] += 1
        out["alarms"] += alarms
        out["tested"] += int((verdicts == Verdict.TESTED).sum())
        out["unlike"] += int((verdicts == Verdict.UNLIKE).sum())
        out["beside"] += beside
        out["ks_days"] += ks
        out["psi_days"] += psi
        out["naive_days"] += ks or psi
        if is_moved(world.kind) and alarms and not delay:
            delay, named = place - world.before + 1, int(set(who) <= set(MOVED))
    if is_moved(world.kind):
        out |= {"delay": delay, "soon": int(0 < delay <= SOON), "in_time": int(0 < delay <= LATE), "named": named}
        out |= {"adwin": int(cuts[0] > 0), "adwin_cuts": cuts[0]}
    return out | {"cpu_s": round(time.process_time() - began, 2)}


def alarms_of(report: DriftReport) -> tuple[int, list[object]]:
    """Return how many families are in alarm, and the series that are named."""
    mean = report.floats("family_r")
    families = {name.family for name, r in zip(report.names, mean, strict=True) if r >= ALARM}
    rows = np.flatnonzero(report.numbers["is_named"])
    return len(families), [report.names[row] for row in rows.tolist()]


def usual_rules(today: DaySketches, past: list[DaySketches]) -> tuple[int, int]:
    """Return whether KS (Bonferroni) and PSI > .25 alarm on any series against the days before, all taken together."""
    if len(past) < NAIVE_DAYS:
        return 0, 0
    ks = psi = 0
    limit = np.sqrt(-np.log(LEVEL / len(NAMES) / 2.0) / 2.0)
    for name in NAMES:
        row = today.places[name]
        whole = [(day.quantiles[r], day.count[r]) for day in past if day.count[r := day.places[name]]]
        if not today.count[row] or not whole:
            continue
        reference = np.quantile(np.concatenate([q for q, _ in whole]), np.arange(1, 50) / 50.0)[None]
        n, m = float(today.count[row]), float(sum(count for _, count in whole))
        found = today.quantiles[row][None]
        ks |= int(largest_gap(found, reference)[0] * np.sqrt(n * m / (n + m)) > limit)
        psi |= int(stability_index(found, reference)[0] > PSI_LIMIT)
    return ks, psi


DECIDING = ("drift", "drift_table", "e_detector", "like_days", "own_life", "reference", "sketch_table", "sketches")
SOURCES = (
    Path(__file__),
    Path(__file__).with_name("watched_worlds.py"),
    Path(__file__).with_name("adwin.py"),
    *(ROOT / "lotus" / "monitoring" / f"{name}.py" for name in DECIDING),
)
ALIKE: tuple[Kind, ...] = (
    "honest", "heavy", "trend", "missing", "holidays", "slow", "slower", "common", "cycle", "regimes", "breathes",
    "weekdays",
)  # fmt: skip
MOVES: tuple[Kind, ...] = ("moved", "eased", "moved-slow", "moved-cycle")
_WORLDS = {
    **{f"watch-{kind}": Watched(kind) for kind in ALIKE},
    **{f"watch-{kind}": Watched(kind, before=150, days=40) for kind in MOVES},
}
STUDIES = {
    name: Study(name, world, measure, SOURCES, replace(world, before=50, days=12, windows=120), 5.0)
    for name, world in _WORLDS.items()
}
FALSE = "a false alarm of data or score, by day"
CLAIMS = [
    Claim("watch-honest", FALSE, total("alarms", "days"), 1.0 / 365.0),
    Claim(
        "watch-honest", "KS (Bonferroni) or PSI > .25 alarms, by day asked", total("naive_days", "beside"), 0.9, True
    ),
    Claim("watch-honest", "of these KS", total("ks_days", "beside")),
    Claim("watch-honest", "of these PSI", total("psi_days", "beside")),
    *(Claim(f"watch-{kind}", FALSE, total("alarms", "days"), 1.0 / 365.0) for kind in ALIKE[1:]),
    Claim("watch-moved", "ADWIN on rows alarms in the 20 days before", total("adwin"), 0.9, True),
    Claim("watch-moved", f"alarm by day {SOON}", total("soon"), 0.5, True),
    Claim("watch-moved", f"alarm by day {LATE}", total("in_time"), 0.9, True),
    Claim("watch-moved", "only moved series are named", total("named"), 0.9, True),
    *(Claim(f"watch-{kind}", f"alarm by day {LATE}", total("in_time")) for kind in MOVES[1:]),
]


def lines(folder: Path = FOLDER) -> list[str]:
    """Return alarms a year with their spread over worlds, what was tested, and the delays, as a table."""
    out = ["| study | worlds | alarms a year | most in a world | series tested a day | delay, median | p90 | longest |",
           "|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for name, study in STUDIES.items():
        rows = best_rows(study, folder)
        if not rows:
            continue
        days, alarms = (np.array([float(row[c]) for row in rows]) for c in ("days", "alarms"))
        tested = sum(float(row["tested"]) for row in rows) / days.sum()
        told = f"| `{name}` | {len(rows)} | {365 * alarms.sum() / days.sum():.2f} | {alarms.max():g} | {tested:.1f} |"
        delays = sorted(float(row["delay"]) or 999.0 for row in rows if "delay" in row)
        spans = [np.median(delays), np.quantile(delays, 0.9), delays[-1]] if delays else []
        out.append(told + " ".join(f" {span:g} |" for span in spans or ()) + (" | | |" if not delays else ""))
    return [*out, ""]


if __name__ == "__main__":
    raise SystemExit(command(STUDIES, CLAIMS, __doc__ or ""))
