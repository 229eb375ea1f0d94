"""How small an effect can be found: the minimum detectable effect at 80 % power, by days and number of literals.

`python -m benchmarks.lessons.mde [--seeds 1-4] [--json]`. MDE = (T_c(L) + .84) s / sqrt(H_R), T_c(L) = sqrt(2 c + 2 ln
N_L): c is the one-look critical value of the product's night, s the deviation of block sums per root of overlap weight,
H_R the weight of a rule that covers 12 % of the windows; c and s are medians over null worlds.
"""

import argparse
import json
from collections.abc import Sequence

import numpy as np

from benchmarks.lessons.command import seeds_of
from benchmarks.lessons.worlds import ONE_LOOK, manifest_of, support_of
from lotus.learning.axes import axes
from lotus.learning.effect import effects_of, plain_sums, residuals
from lotus.learning.night import learn_night
from lotus.learning.rows import day_weights, rows_by_detector
from lotus.learning.search import one_look_critical
from lotus.simulation.learning_world import market, scores_of, stream, track

DAYS, COVERAGE, POWER_Z, RULES = (10, 20, 40, 80), 0.12, 0.84, 20


def world(seed: int, days: int) -> tuple[float, float, float]:
    """Return (c, s, overlap weight a day) of one null world."""
    place = market(seed, days)
    scores = scores_of(place, track(place, "null"))
    rows, space = rows_by_detector(scores, days)["d0"], axes()
    g = day_weights(days, ONE_LOOK.half_life_days)
    eligible = np.flatnonzero(support_of(rows, g, ONE_LOOK).eligible)
    left = residuals(rows)
    spreads = []
    for number in stream(seed, "mde").choice(eligible, RULES, replace=False):
        inside = rows.covered(space.rule(int(number)))
        rest = effects_of(plain_sums(rows, left, inside), g).rest
        spreads.append(rest.se * np.sqrt(left.weight.rest[inside].sum()))
    maxima = learn_night(scores, manifest_of(ONE_LOOK)).draw_maxima.rest
    critical = max(one_look_critical(maxima, ONE_LOOK.alpha), ONE_LOOK.min_evidence_nats)
    return critical, float(np.median(spreads)), float(left.weight.rest.sum()) / days


def rows_of_table(seeds: Sequence[int]) -> list[dict[str, float]]:
    """Return one line per number of days."""
    out = []
    for days in DAYS:
        c, s, weight = np.median([world(seed, days) for seed in seeds], axis=0)
        line = {"days": float(days), "critical_nats": float(c), "s_bps": float(s)}
        for size, price in enumerate(axes().price[1:], 1):
            bar = np.sqrt(2.0 * c + 2.0 * price)
            line[f"mde_{size}_bps"] = float((bar + POWER_Z) * s / np.sqrt(days * weight * COVERAGE))
        out.append(line)
    return out


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=seeds_of, default=[1, 2, 3, 4])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    table = rows_of_table(options.seeds)
    if options.json:
        print(json.dumps(table, indent=1))
        return 0
    print("| days | c, nats | s, bps | 1 literal | 2 literals | 3 literals |\n|---|---|---|---|---|---|")
    for line in table:
        effects = " | ".join(f"{line[f'mde_{n}_bps']:.1f} bps" for n in (1, 2, 3))
        print(f"| {line['days']:.0f} | {line['critical_nats']:.2f} | {line['s_bps']:.1f} | {effects} |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
