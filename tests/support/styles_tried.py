"""Windows of two detectors tried in styles, and the two lessons that a composition across modules is made of."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from lotus.knobs.rows import Observation
from lotus.knobs.style_draw import STEPS
from lotus.priors.types import Knob, Literal, Patch, Rule
from lotus.priors.vocabulary import N_BINS
from lotus.timebase import DAY_MS, day_start_ms
from lotus.trading.plan.knobs import STYLE_KEY
from lotus.weave.braid import Braid, Quality

JOIN, IMPROVE = (owner for owner, _ in STEPS)
VOLATILE, DEEP = Rule.of(Literal(0, 2, 4)), Rule.of(Literal(0, 3, 4), Literal(5, 0, 2))
INSIDE, ELSEWHERE = "4----0------", "2----0------"  # contexts in both rules, and in the trader's alone


def lesson_in_force(name: str, owner: str, rule: Rule, scope: str = "tr", **changes: object) -> Braid:
    """A micro braid in force; one of the trader moves the style a step up."""
    patch = Patch(knobs=(Knob(STYLE_KEY, 1.06),)) if scope == "tr" else Patch(-0.05, 1.02)
    base = Braid(
        braid_id=name, branch="main", braid_type="micro", detector_id=owner, horizon_s=30, rule=rule, sign=1,
        lesson_id=f"lesson {name}", grade="A", claim_bps=3.0, lcb_bps=1.0, ci95=(1.0, 5.0), support=500,
        quality=Quality(0.5, 0.05, 0.1, 0.12), target=patch, patch=patch, delta_wanted=0.5,
        delta_realised=(0.5, 0.5, 0.5), state="active", reason="accepted lesson", effective_from_ms=0,
        expires_at_ms=2**52, members_sample=("e",), scope=scope,
    )  # fmt: skip
    return replace(base, **changes)  # type: ignore[arg-type]


OWN, ONE = lesson_in_force("t", JOIN, VOLATILE), lesson_in_force("s", "sweep", DEEP, "sig")


def tried(seed: int, day: str, effects: Mapping[str, float], n: int = 400) -> tuple[list[Observation], dict[str, str]]:
    """Return the trials of a day, half of them of each of two detectors, and the detectors by event.

    A step pays `effects` inside both rules in windows of `sweep`, and joining 3 bps in the trader's rule elsewhere.
    """
    rng, out, detectors = np.random.default_rng([seed, day_start_ms(day)]), [], dict[str, str]()
    for i in range(n):
        bins = rng.integers(0, N_BINS)
        name, at_ms = f"{day} {i}", day_start_ms(day) + int(rng.integers(DAY_MS))
        detectors[name] = ("sweep", "drift")[i % 2]
        inside = i % 2 == 0 and bins[0] >= 3 and bins[5] <= 2
        text = "".join(map(str, bins))
        for owner in (JOIN, IMPROVE):
            arm = int(rng.random() < 0.25)
            effect = effects.get(owner, 0.0) if inside else 3.0 * (owner == JOIN) * (bins[0] >= 2)
            paid = float(6.0 * rng.standard_t(4) / np.sqrt(2.0) + arm * effect)
            out.append(
                Observation(name, owner, "BTC", 30, at_ms, text, arm, 0.25, paid, "tape_sim", expected_bps=0.0)
            )  # fmt: skip
    return out, detectors
