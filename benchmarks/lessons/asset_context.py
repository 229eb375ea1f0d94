"""What coins as context cost other lessons and what they find: the same worlds searched with and without them.

Windows of a world fall to its coins in turn, so coins say nothing but what is planted. Three worlds: `rules` (three
planted rules of the twelve features: found with and without coins as context), `coin` (one effect on one coin, alone
and inside a bin of volatility: found only with them) and `conf` (nothing planted: any lesson is false). Three more
judge one family (a lesson of high volatility on one coin, widened to all of them) by one look: `family-every` (it pays
on every coin), `family-one` (on its own alone) and `family-none`. Prints a line a world, totals with Wilson intervals
at the end; nothing is stored.

    python -m benchmarks.lessons.asset_context --seeds 1-20 --coins 3
    python -m benchmarks.lessons.asset_context --seeds 1-100 --worlds family-every,family-one,family-none
"""

import argparse
import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from benchmarks.lessons.worlds import ONE_LOOK, manifest_of
from lotus.learning.lanes import Both
from lotus.learning.lesson import Lesson
from lotus.learning.members import member_of
from lotus.learning.night import learn_night
from lotus.learning.payoff_scores import Columns
from lotus.learning.rows import rows_by_detector
from lotus.learning.search import one_look_critical
from lotus.manifest import Asset
from lotus.priors.asset_context import ASSET, ASSET_COLUMN, words_of
from lotus.priors.types import Literal, Rule
from lotus.priors.vocabulary import DEFAULT, Vocabulary
from lotus.simulation.learning_world import Market, Track, market, planted_rules, scores_of, track
from lotus.weave.composition import Parts, contrast_blocks

ONE_COIN = Rule.of(Literal(ASSET, 1, 1))
VOL = Rule.of(Literal(0, 3, 4))
COIN_AND_VOL = Rule.of(*VOL.literals, Literal(ASSET, 1, 1))
Planted = tuple[tuple[Rule, float], ...]


def coins_of(place: Market, coins: int) -> np.ndarray:
    """Return the coin of each window [n]."""
    return (np.arange(len(place.forward)) % coins).astype(np.uint8)


def made(kind: str, seed: int, days: int, windows: int, bps: float, coins: int) -> tuple[dict[str, Columns], Planted]:
    """Return scores with the bins of coins, and what is planted in them."""
    place = market(seed, days, windows)
    coin = coins_of(place, coins)
    planted: Planted = planted_rules(seed, place, bps) if kind == "rules" else ()
    one = track(place, "plant" if planted else "conf", lessons=planted)
    if kind == "coin":
        planted = ((ONE_COIN, bps), (COIN_AND_VOL, -bps))[seed % 2 : seed % 2 + 1]
        one = lifted(one, coin, planted)
    return with_coins(scores_of(place, one), coin), planted


def with_coins(scores: Mapping[str, Columns], coin: np.ndarray) -> dict[str, Columns]:
    """Return days of scores with the coin [n] of each window."""
    step = len(coin) // len(scores)
    days = enumerate(scores.items())
    return {day: {**columns, ASSET_COLUMN: coin[k * step : (k + 1) * step]} for k, (day, columns) in days}


def lifted(one: Track, coin: np.ndarray, planted: Planted) -> Track:
    """Return a detector whose windows in the planted rules pay more."""
    bins = np.column_stack([one.bins, coin])
    extra = np.zeros(len(coin))
    for rule, bps in planted:
        inside = np.logical_and.reduce([np.isin(bins[:, x.feature], range(x.low, x.high + 1)) for x in rule.literals])
        extra += bps * inside
    names = ("mean", "truth", "modelled", "executed")
    return replace(one, **{name: getattr(one, name) + extra for name in names})


def found(lessons: Sequence[Lesson], planted: Planted, scores: Mapping[str, Columns], words: Vocabulary) -> int:
    """Return how many planted rules a lesson of their sign covers with Jaccard >= .5."""
    rows = rows_by_detector(scores, len(scores), words)["d0"]

    def alike(one: Rule, two: Rule) -> bool:
        a, b = rows.covered(one), rows.covered(two)
        return bool(2 * (a & b).sum() >= (a | b).sum())

    return sum(any(x.sign == np.sign(bps) and alike(x.rule, rule) for x in lessons) for rule, bps in planted)


def measure(kind: str, seed: int, days: int, windows: int, bps: float, coins: int) -> dict[str, float | int | str]:
    """Return lessons and planted rules found without and with coins as context, and CPU seconds of both."""
    scores, planted = made(kind, seed, days, windows, bps, coins)
    wide = words_of([Asset(f"C{k}", 2) for k in range(coins)])
    out: dict[str, float | int | str] = {"world": kind, "seed": seed, "planted": len(planted)}
    for name, words in (("off", DEFAULT), ("on", wide)):
        began = time.process_time()
        lessons = learn_night(scores, manifest_of(ONE_LOOK), vocabulary=words).lessons
        out |= {f"{name}_s": round(time.process_time() - began, 2), f"{name}_lessons": len(lessons)}
        out[f"{name}_found"] = found(lessons, planted, scores, wide)
        out[f"{name}_any"] = int(bool(lessons))
    return out


def family(kind: str, seed: int, days: int, windows: int, bps: float, coins: int) -> dict[str, float | int | str]:
    """Return whether a family of equal tilts is promoted in the detector of one of its members."""
    place, began = market(seed, days, windows), time.process_time()
    coin, words = coins_of(place, coins), words_of([Asset(f"C{k}", 2) for k in range(coins)])
    planted = {"family-every": ((VOL, bps),), "family-one": ((COIN_AND_VOL, bps),), "family-none": ()}[kind]
    scores = with_coins(scores_of(place, lifted(track(place, "conf"), coin, planted)), coin)
    rows = rows_by_detector(scores, days, words)["d0"]
    blocks = contrast_blocks("RULE", Parts((VOL, COIN_AND_VOL), (0.5, 0.5), ()), [], rows)
    gain = Both(blocks.gain, blocks.rest.gain if blocks.rest else blocks.gain)
    member = member_of("family", blocks.day, gain, 1, ONE_LOOK)
    beyond = [m > one_look_critical(draws, ONE_LOOK.alpha) for m, draws in zip(member.m, member.draws, strict=True)]
    spent = round(time.process_time() - began, 2)
    return {"world": kind, "seed": seed, "planted": 1, "on_found": int(all(beyond)), "on_s": spent}


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share."""
    z2 = 1.959963984540054**2
    p, below = hits / n, 1.0 + z2 / n
    half = math.sqrt(z2 * (p * (1.0 - p) / n + z2 / (4.0 * n * n)))
    return (p + z2 / (2.0 * n) - half) / below, (p + z2 / (2.0 * n) + half) / below


def main() -> None:
    """Print the worlds and their totals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", default="rules,coin,conf")
    parser.add_argument("--seeds", default="1-20")
    parser.add_argument("--coins", type=int, default=3)
    parser.add_argument("--days", type=int, default=20)
    parser.add_argument("--windows", type=int, default=2_160)
    parser.add_argument("--bps", type=float, default=6.0, help="Planted effect; 12 is a payoff's deviation.")
    given = parser.parse_args()
    first, last = (int(x) for x in given.seeds.split("-"))
    for kind in given.worlds.split(","):
        measured = family if kind.startswith("family") else measure
        rows = [
            measured(kind, seed, given.days, given.windows, given.bps, given.coins) for seed in range(first, last + 1)
        ]
        for row in rows:
            print(json.dumps(row))
        for name in ("on",) if kind.startswith("family") else ("off", "on"):
            hits, n = ("found", sum(int(r["planted"]) for r in rows)) if kind != "conf" else ("any", len(rows))
            total = sum(int(r[f"{name}_{hits}"]) for r in rows)
            low, high = wilson(total, n)
            cpu = sum(float(r[f"{name}_s"]) for r in rows)
            print(f"{kind} {name}: {hits} {total} of {n}, 95 % {low:.3f} to {high:.3f}; {cpu:.1f} s")


if __name__ == "__main__":
    main()
