"""Watches drawn at random over frames."""

import random

from make import ASSET, CADENCE_MS, COMPARISONS, FIRST_MS, Trace, random_trace, trigger_text

from lotus.triggers.checker import read_trigger
from lotus.triggers.conditions import Trigger
from lotus.triggers.watcher import WatchPlan


def drawn(seed: int, frames: int = 120) -> tuple[Trigger, WatchPlan, Trace]:
    """Return a random trigger, how it is watched, and a trace."""
    rng = random.Random(seed)
    trigger = read_trigger(trigger_text(rng), rng.sample(COMPARISONS, rng.randrange(2)))
    plan = WatchPlan(
        ASSET, 0, CADENCE_MS, FIRST_MS + CADENCE_MS * rng.choice((0, 0, 30)),
        rng.choice((None, FIRST_MS + CADENCE_MS * frames * 3 // 4)), rng.random() < 0.3, 100.25,
        {"adv_usd": 2e9} if rng.random() < 0.8 else {},
    )  # fmt: skip
    return trigger, plan, random_trace(rng, frames)
