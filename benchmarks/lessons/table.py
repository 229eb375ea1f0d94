"""The table of what the learner must show, one look on one detector, row by row.

`python -m benchmarks.lessons.table --row fwer-null --seeds 1-200 [--json]`: one look at alpha = .04, every day alike,
signs by day, the product's own night. Rows that exist are not made again. The naive arm and the arm that has only the
modelled payoff run in the same worlds.
"""

from dataclasses import replace
from pathlib import Path

from benchmarks.lessons.claims import Claim, sums, total
from benchmarks.lessons.command import command
from benchmarks.lessons.evidence import Study
from benchmarks.lessons.worlds import World, measure

_LENGTHS = (1, 2, 3)
_FOUND, _EXACT = [f"found{n}" for n in _LENGTHS], [f"exact{n}" for n in _LENGTHS]
_WORLDS = {
    "fwer-null": (World("null", 40), 2.0),
    "fwer-conf": (World("conf", 40), 2.0),
    "fwer-mirage": (World("mirage", 40), 3.0),
    "fwer-null-20": (World("null", 20), 1.0),
    "fwer-conf-20": (World("conf", 20), 1.0),
    "power-quarter-80": (World("plant", 80, 3.0), 6.0),
    "power-half-20": (World("plant", 20, 6.0), 2.0),
    "power-half-40": (World("plant", 40, 6.0), 4.0),
    "coverage-40": (World("plant", 40, 3.0, rules_covered=20), 4.0),
}
STUDIES = {
    name: Study(
        name, world, measure, (Path(__file__).with_name("worlds.py"),), replace(world, days=12, windows=432), cost
    )
    for name, (world, cost) in _WORLDS.items()
}


def _errors(study: str) -> list[Claim]:
    return [
        Claim(study, "any false lesson", total("any"), 0.05),
        Claim(study, "lane S alone beyond its critical value, before floor and gates", total("beyond_day"), 0.05),
        Claim(study, "lane F alone, the same", total("beyond_rest"), 0.05),
        Claim(study, "naive lift, Bonferroni, same worlds", total("naive_any"), 0.95, at_least=True),
    ]


def _shared(study: str) -> list[Claim]:
    return [
        Claim(study, "false share of the lessons", total("false", "selected"), 0.05),
        Claim(study, "lower bound holds, lessons", total("bound_holds", "selected"), 0.95, at_least=True),
    ]


CLAIMS = [
    *_errors("fwer-null"),
    *_errors("fwer-conf"),
    *_errors("fwer-mirage"),
    Claim("fwer-mirage", "only the modelled payoff, same worlds", total("paper_any"), 0.95, at_least=True),
    *_errors("fwer-null-20"),
    *_errors("fwer-conf-20"),
    Claim("coverage-40", "95 % interval holds the truth", total("intervals_hold", "intervals"), 0.93, at_least=True),
    Claim("coverage-40", "the same, not too wide", total("intervals_hold", "intervals"), 0.98),
    Claim("coverage-40", "found, e = .25 sd, 40 d", sums(_FOUND)),
    *_shared("coverage-40"),
    Claim("power-quarter-80", "found, e = .25 sd, 80 d", sums(_FOUND), 0.75, at_least=True),
    Claim("power-quarter-80", "one literal", total("found1"), 0.90, at_least=True),
    Claim("power-quarter-80", "two literals", total("found2")),
    Claim("power-quarter-80", "three literals", total("found3"), 0.60, at_least=True),
    Claim("power-quarter-80", "exact literals", sums(_EXACT), 0.50, at_least=True),
    *_shared("power-quarter-80"),
    Claim("power-half-20", "found, e = .5 sd, 20 d", sums(_FOUND), 0.50, at_least=True),
    Claim("power-half-20", "any lesson, 20 d", total("any"), 0.90, at_least=True),
    *_shared("power-half-20"),
    Claim("power-half-40", "found, e = .5 sd, 40 d", sums(_FOUND), 0.70, at_least=True),
    Claim("power-half-40", "exact literals", sums(_EXACT)),
    *_shared("power-half-40"),
]

if __name__ == "__main__":
    raise SystemExit(command(STUDIES, CLAIMS, __doc__ or ""))
