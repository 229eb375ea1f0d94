"""What the curators do in worlds with a fault and in an honest year; when a cap is halved; how far all nudges move.

`python -m benchmarks.governance.curators --row curators-unit --seeds 1-100`. A veto counts when every window of its
target is barred two days after the first night that could see the fault: by the tables of that day as the product makes
them. The nudging curators act through the tables too, and are judged by `caps_after` at the end of three months.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.governance.curated_worlds import (
    COINS,
    DETECTORS,
    FAULTS,
    FIRST,
    MANIFEST,
    NAMES,
    CuratedWorld,
    JudgedNight,
    nights_of,
)
from benchmarks.lessons.claims import Claim, total
from benchmarks.lessons.command import command
from benchmarks.lessons.evidence import ROOT, Study
from benchmarks.lessons.worlds import Figures
from lotus.curation.act import CurationAct, parts_of
from lotus.curation.caps import caps_after
from lotus.curation.curator_value import curator_value, kpis
from lotus.curation.in_force import acted, in_force
from lotus.curation.law import MOST_DAYS, check_act
from lotus.curation.night import night_acts
from lotus.curation.registry import SIG, powers
from lotus.detectors.curators import MOST_TOGETHER, CuratorInput, act_vetoes, curated, log_nudges, veto_bits
from lotus.detectors.daily.make import day_tables
from lotus.detectors.daily.tables import DayTables
from lotus.errors import ConfigError
from lotus.timebase import next_day

BLANK = day_tables(FIRST, [], MANIFEST, MANIFEST.universe, DETECTORS)
KAPPA = MANIFEST.score.kappa_fragility
VETO, NUDGE = "veto", "nudge"


def faults(world: CuratedWorld, seed: int) -> Figures:
    """Return vetoes of a world: due and in time of a fault, and how many of honest targets."""
    began = time.process_time()
    out: Figures = dict.fromkeys(("nights", "acts", "due", "in_time", "honest"), 0)
    acts: list[CurationAct] = []
    for night in nights_of(world, seed):
        day, due = night.facts.day, night.wanted
        decided = night_acts(night.facts, {}, next_day(day, 2), [], [])
        acts = [act for act in (*acts, *decided.fresh) if act.until_day > day]
        out["nights"] += 1
        out["acts"] += sum(act.kind == VETO for act in decided.acts)
        out["honest"] += sum(act.kind == VETO and act.target not in night.touched for act in decided.acts)
        if due:
            out["due"] += 1
            out["in_time"] += _is_barred(night, acts, due)
    return out | {"cpu_s": round(time.process_time() - began, 2)}


def _is_barred(night: JudgedNight, acts: list[CurationAct], target: str) -> bool:
    """Tell whether every window of a target is barred on the second day after a night."""
    found = {d.detector_id: CuratorInput(d.detector_id == night.leaking, 0.1, d.version) for d in DETECTORS}
    day = next_day(night.facts.day, 2)
    tables = acted(curated(replace(BLANK, day=day), found, DETECTORS), in_force(acts, day))
    bits = act_vetoes(tables) | veto_bits(tables)[None, :]
    detector, coin = parts_of(target)
    rows = [a for a, name in enumerate(COINS) if coin in ("", name)]
    columns = [d for d, name in enumerate(NAMES) if detector in ("", name)]
    return bool((bits[np.ix_(rows, columns)] != 0).all())


@dataclass(frozen=True)
class Nudger:
    """A curator that nudges every detector by its cap every day, at random or `against` what they pay.

    A detector's mean P is N(0, `pays_bps`), a window's N(mean + the day's, `noise_bps`), the day's N(0, `day_bps`).
    """

    against: bool = False
    days: int = 92
    windows: int = 80
    pays_bps: float = 1.5
    day_bps: float = 3.0
    noise_bps: float = 30.0


def halved(world: Nudger, seed: int) -> Figures:
    """Return whether the curator's cap is below its first within three months, and what its nudges cost."""
    began, dice = time.process_time(), np.random.default_rng([seed, 25, world.against])
    mean = dice.normal(0.0, world.pays_bps, len(NAMES))
    days, values, least, cap = [], [], MOST_TOGETHER, MOST_TOGETHER
    gross = 0.0
    for k in range(world.days):
        day = (date.fromisoformat(FIRST) + timedelta(days=k)).isoformat()
        cap = caps_after(days[-400:], values[-400:], day)["regime"] if day.endswith("-01") and days else cap
        least = min(least, cap)
        signs = -np.sign(mean) if world.against else dice.choice([-1.0, 1.0], len(NAMES))
        nudges = tuple({"curator:regime": float(sign * cap)} for sign in signs)
        tables = replace(BLANK, day=day, curator_nudge=nudges)
        events, paper = _day(world, tables, mean + dice.normal(0.0, world.day_bps), dice)
        values.append(
            curator_value(events, paper, np.full(len(paper), np.nan), [tables], MANIFEST.score.epsilon, KAPPA)
        )
        days.append(day)
        gross += float((np.asarray(events["pi"]) * paper).sum())
    last = caps_after(days, values, (date.fromisoformat(FIRST) + timedelta(days=world.days)).isoformat())["regime"]
    (kpi,) = kpis(values)
    return {
        "halved": int(min(least, last) < MOST_TOGETHER), "value_bps": round(kpi.value.total, 1),
        "gross_bps": round(gross, 1), "cpu_s": round(time.process_time() - began, 2),
    }  # fmt: skip


def _day(
    world: Nudger, tables: DayTables, mean: np.ndarray[Any, Any], dice: np.random.Generator
) -> tuple[Mapping[str, Any], np.ndarray[Any, Any]]:
    """Return the windows of a day as they were drawn under the tables, and their P."""
    d = np.repeat(np.arange(len(NAMES)), world.windows)
    n, tau, temperature = len(d), 0.3, 0.12
    ln_sigma = np.log(tau) + dice.normal(0.0, 0.15, n) + log_nudges(tables, KAPPA)[d]
    free = 1.0 / (1.0 + np.exp(-(ln_sigma - np.log(tau)) / temperature))
    pi = np.clip(free, MANIFEST.score.epsilon, 1.0 - MANIFEST.score.epsilon)
    events = {
        "detector_id": np.array(NAMES, dtype=object)[d], "s": np.ones(n), "veto": np.zeros(n, np.int64),
        "published": dice.random(n) < pi, "pi": pi, "ln_sigma_tilde": ln_sigma, "tau_pub": np.full(n, tau),
        "temperature": np.full(n, temperature), "gate": np.zeros(n),
        "tables_ver": np.full(n, tables.tables_ver, dtype=object),
    }  # fmt: skip
    return events, mean[d] + dice.normal(0.0, world.noise_bps, n)


@dataclass(frozen=True)
class Crowd:
    """Sets of acts of curators and people, as many as the law lets through of what the dice propose."""

    sets: int = 200
    acts: int = 40


def together(world: Crowd, seed: int) -> Figures:
    """Return how many nudges of a detector were over min(.15, T), and the largest by its bound."""
    began, dice = time.process_time(), np.random.default_rng([seed, 26])
    out: Figures = {"sets": world.sets, "accepted": 0, "refused": 0, "detectors": 0, "over": 0, "naive_over": 0}
    largest = 0.0
    for _ in range(world.sets):
        fragile = tuple(np.where(dice.random(len(NAMES)) < 0.5, 0.0, dice.random(len(NAMES))).tolist())
        tables = replace(
            BLANK, temperature=tuple(dice.choice([0.0, 0.02, 0.12, 0.5], len(NAMES)).tolist()),
            leakage_veto=(False,) * len(NAMES), adv_fragility=fragile if dice.random() < 0.5 else (0.0,) * len(NAMES),
        )  # fmt: skip
        acts = [act for act in (_any_act(dice) for _ in range(world.acts)) if act is not None]
        out["accepted"] += len(acts)
        out["refused"] += world.acts - len(acts)
        tables = acted(tables, in_force(acts, next_day(FIRST, 2)))
        bound = np.minimum(MOST_TOGETHER, tables.temperature)
        alone = -KAPPA * np.array(tables.adv_fragility)  # keeps its own bound where nobody else acts on the detector
        size = log_nudges(tables, KAPPA)
        over = (size > bound + 1e-12) | (size < np.minimum(-bound, alone) - 1e-12)
        naive = np.array([abs(sum(by_actor.values())) for by_actor in tables.curator_nudge or [{}] * len(NAMES)])
        out["detectors"] += len(NAMES)
        out["over"] += int(over.sum())
        out["naive_over"] += int((naive > bound).sum())
        largest = max(largest, *(size / np.maximum(bound, 1e-9))[bound > 0].tolist(), 0.0)
    return out | {"largest_share": round(largest, 6), "cpu_s": round(time.process_time() - began, 2)}


def _any_act(dice: np.random.Generator) -> CurationAct | None:
    """Return a nudge or veto of anybody, half of them hostile; None where the law refuses it."""
    actor = str(dice.choice([*(role.actor for role in SIG), "ann", "bob", "cat", "dan", "curator:nobody", "allocator"]))
    size = float(dice.choice([0.01, 0.05, 0.15, 0.16, 9.0, np.nan, np.inf, 1e-320])) * float(dice.choice([-1, 1]))
    kind = str(dice.choice([NUDGE, NUDGE, NUDGE, VETO, "promote"]))
    value = size if kind == NUDGE else 0.0
    days = next_day(FIRST, 2), next_day(FIRST, 2 + int(dice.integers(1, MOST_DAYS + 3)))
    act = CurationAct("", "main", FIRST, actor, kind, str(dice.choice(NAMES)), value, "r", "", *days)
    try:
        return check_act(act, powers(), None).named()
    except ConfigError:
        return None


DECIDING = ("caps", "curator_value", "in_force", "law", "likeness", "night", "value")
SOURCES = (
    Path(__file__),
    Path(__file__).with_name("curated_worlds.py"),
    *(ROOT / "lotus" / "curation" / f"{name}.py" for name in DECIDING),
    *sorted((ROOT / "lotus" / "curation" / "sig").glob("*.py")),
    ROOT / "lotus" / "detectors" / "curators.py",
)
_WORLDS = {
    **{f"curators-{fault}": (CuratedWorld(fault), faults, CuratedWorld(fault, windows=30), 1.0) for fault in FAULTS},
    "curators-honest": (CuratedWorld(days=28 + 365), faults, CuratedWorld(days=40), 20.0),
    "curators-random": (Nudger(), halved, Nudger(days=40, windows=20), 3.0),
    "curators-against": (Nudger(against=True), halved, Nudger(against=True, days=40, windows=20), 3.0),
    "curators-together": (Crowd(), together, Crowd(20), 1.0),
}
STUDIES = {name: Study(name, world, run, SOURCES, small, cost) for name, (world, run, small, cost) in _WORLDS.items()}
CLAIMS = [
    *(Claim(f"curators-{fault}", "vetoed by d + 2", total("in_time", "due"), 1.0, True) for fault in FAULTS),
    *(Claim(f"curators-{fault}", "vetoes of another target, by night", total("honest", "nights")) for fault in FAULTS),
    Claim("curators-honest", "vetoes a year", total("acts"), 1.0),
    Claim("curators-random", "cap halved within three months", total("halved"), 0.05),
    Claim("curators-against", "cap halved within three months", total("halved"), 0.9, True),
    Claim("curators-together", "nudges of a detector over min(.15, T)", total("over", "detectors"), 0.0),
    Claim("curators-together", "plain sums of the same acts over it", total("naive_over", "detectors")),
]


if __name__ == "__main__":
    raise SystemExit(command(STUDIES, CLAIMS, __doc__ or ""))
