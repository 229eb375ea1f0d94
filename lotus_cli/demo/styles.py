"""What a demo learned of styles of entry where one pays by context: the truth, lessons, knob, plans, compositions.

Only a world in which a style is planted has these facts (`lotus.simulation.lessons.style_of`). The truth is what every
published window would have paid in each style against the tape, by the pessimistic fill.
"""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lotus.knobs.style_draw import STEPS
from lotus.learning.lesson import Lesson
from lotus.priors.context import context_bins
from lotus.priors.types import PriorsVersion, Rule
from lotus.priors.vocabulary import BIN_COLUMNS, describe_rule, rule_mask
from lotus.simulation.lessons import rule_of, style_of
from lotus.timebase import DAY_MS, day_start_ms
from lotus.trading.plan.knob_choice import choice_of
from lotus_desk.execution.stored import choice_in
from lotus_store.databases import Connection, Databases
from lotus_store.facts.compositions import composition_rows
from lotus_store.lake import Lake
from lotus_store.ledger.beliefs.knob_nights import read_lessons, read_registry
from lotus_store.ledger.beliefs.priors import in_force_at
from lotus_store.ledger.trading.plans import book_results, plans_for

if TYPE_CHECKING:
    from lotus_cli.demo.command import DemoPlan

Floats = NDArray[np.float64]
TR = "tr"
_STEPS = dict(STEPS)


def style_facts(plan: "DemoPlan") -> dict[str, Any] | None:
    """Return what was planted about styles, found and done with it; None in a world that plants none."""
    planted = style_of(plan.world.spec.name)
    if planted is None:
        return None
    rule, branch = rule_of(planted.literals), plan.settings.branch
    with Databases(plan.settings) as databases, databases.connect(TR) as tr:
        learned = [(day, lesson) for day in plan.days for lesson in read_lessons(tr, TR, branch, day)]
        acting = {braid.lesson_id for braid in read_registry(tr, TR, branch, plan.last_day) if braid.in_force}
        version = in_force_at(tr, branch, day_start_ms(plan.last_day) + DAY_MS - 1, TR)
        of_style = [(day, lesson) for day, lesson in learned if lesson.detector_id in _STEPS]
        return {
            "name": planted.name,
            "rule": describe_rule(rule),
            "paid": _paid(plan, rule),
            "lessons": [_lesson(day, lesson, acting) for day, lesson in of_style if lesson.accepted],
            "refused": sum(not lesson.accepted for _, lesson in of_style),
            "priors_ver": version.priors_ver,
            "plans": _plans(tr, plan, version, rule),
            "compositions": composition_rows(tr, branch, plan.last_day, everything=True),
        }


def _paid(plan: "DemoPlan", rule: Rule) -> dict[str, dict[str, Any]]:
    """Return what joining paid more than crossing, and improving than joining, inside the rule and outside, in bps."""
    lake, branch = Lake(plan.settings.lake_root), plan.settings.branch
    parts: list[tuple[NDArray[np.bool_], Floats, Floats, Floats]] = []
    for day in plan.days:
        table = lake.read("style_payoffs", branch, day)
        events = lake.read("signal_events", branch, day, columns=("event_id", *BIN_COLUMNS))
        place = {name: i for i, name in enumerate(events["event_id"].tolist())}
        names = table["event_id"].tolist()
        rows = np.array([i for i, name in enumerate(names) if name in place], dtype=np.int64)  # others: the day before
        at = np.array([place[names[i]] for i in rows], dtype=np.int64)
        bins = np.stack([np.asarray(events[name])[at] for name in BIN_COLUMNS], axis=1)
        cross, join, improve, rested = (
            np.asarray(table[name], dtype=np.float64)[rows]
            for name in ("cross", "join_low", "improve_low", "join_rested_low")
        )
        is_paid = np.isfinite(cross) & np.isfinite(join) & np.isfinite(improve)
        inside = rule_mask(rule, bins)[is_paid]
        parts.append((inside, (join - cross)[is_paid], (improve - join)[is_paid], rested[is_paid]))
    inside, join, improve, rested = (np.concatenate(column) for column in zip(*parts, strict=True))
    return {name: _means(chosen, join, improve, rested) for name, chosen in (("inside", inside), ("outside", ~inside))}


def _means(chosen: NDArray[np.bool_], join: Floats, improve: Floats, rested: Floats) -> dict[str, Any]:
    def mean(values: Floats) -> float:
        return float(values[chosen].mean()) if chosen.any() else 0.0

    return {
        "windows": int(chosen.sum()),
        "join_bps": mean(join),
        "improve_bps": mean(improve),
        "rested": mean(rested),
    }


def _lesson(day: str, lesson: Lesson, acting: set[str]) -> dict[str, Any]:
    return {
        "day": day,
        "style": _STEPS[lesson.detector_id].value,
        "rule": describe_rule(lesson.rule),
        "sign": lesson.sign,
        "uplift_bps": lesson.uplift_bps,
        "ci95": list(lesson.ci95),
        "grade": lesson.grade,
        "moved": lesson.n_published,
        "active": lesson.lesson_id in acting,
    }


def _plans(tr: Connection, plan: "DemoPlan", version: PriorsVersion, rule: Rule) -> dict[str, Any]:
    """Return the styles of the book's plans of the last day, inside the rule and outside, and whether the daemon chose
    for each of them what the batch's version says of its context.
    """
    start, weave = day_start_ms(plan.last_day), plan.settings.manifest.weave
    today = [one for one in book_results(tr, plan.settings.branch) if start <= one.created_ms < start + DAY_MS]
    styles: dict[str, Counter[str]] = {"inside": Counter(), "outside": Counter()}
    chosen = agreed = 0
    for one in today:
        (row,) = [found for found in plans_for(tr, one.plan_id) if found.plan_id == one.plan_id]
        choice = choice_in(row.reference)
        if choice is None or choice.composed:  # a composition depends on whose view led the plan, which is not kept
            continue
        bins = context_bins(choice.context)
        place = "inside" if rule_mask(rule, np.array([bins], dtype=np.uint8))[0] else "outside"
        styles[place][one.styles.entry.value] += 1
        again = choice_of(version, choice.context, bins, row.created_ms, weave, choice.trial)
        chosen += 1
        agreed += (again.priors_ver, again.knobs.style) == (choice.priors_ver, choice.knobs.style)
    return {place: dict(count) for place, count in styles.items()} | {"chosen": chosen, "agreed": agreed}


def style_page(f: Mapping[str, Any]) -> str:
    """Return the facts as a section of the demo's page."""
    inside, outside, plans = f["paid"]["inside"], f["paid"]["outside"], f["plans"]
    lines = [
        f"STYLES   planted: an order at rest is filled where {f['rule']}, elsewhere it waits in vain   [{f['name']}]",
        "  truth, all published windows by the pessimistic fill: joining the book pays "
        f"{inside['join_bps']:+.2f} bps more than crossing there ({inside['windows']:,} windows, "
        f"{inside['rested']:.0%} rested), {outside['join_bps']:+.2f} elsewhere ({outside['windows']:,}, "
        f"{outside['rested']:.0%})",
        f"  lessons of the trader about a style: {len(f['lessons'])} accepted, {f['refused']} refused"
        + (":" if f["lessons"] else ""),
    ]
    lines += [
        f"    {x['day']} {x['style']} where {x['rule']}: {x['uplift_bps']:+.2f} bps [{x['ci95'][0]:+.1f}, "
        f"{x['ci95'][1]:+.1f}] over all windows, grade {x['grade']}" + (", in force" if x["active"] else "")
        for x in f["lessons"]
    ]
    lines.append(
        f"  plans of the book on the last day: inside the rule {_counted(plans['inside'])}; "
        f"elsewhere {_counted(plans['outside'])}"
    )
    if plans["chosen"]:
        word = "the same" if plans["agreed"] == plans["chosen"] else "DIFFERENT"
        lines.append(
            f"  version {f['priors_ver'][:12]} of the nightly run and the daemon's choice of styles: {word} "
            f"({plans['agreed']} of {plans['chosen']} plans)"
        )
    running = [x for x in f["compositions"] if x["type"] == "candidate" and x["state"] == "running"]
    acting = [x for x in f["compositions"] if x["type"] != "candidate"]
    lines.append(f"  compositions with lessons of detectors: {len(running)} under judgement, {len(acting)} promoted")
    lines += [f"    {x['does']}" for x in (*acting, *running)]
    return "\n".join(lines)


def _counted(styles: Mapping[str, int]) -> str:
    return ", ".join(f"{n} {style}" for style, n in sorted(styles.items())) or "none"
