"""Compositions across modules: how often a false one is promoted, how soon a true one is, and how soon a dead one ends.

`python -m benchmarks.lessons.compositions --seeds 1-200`. A braid of the trader joins where the volatility is high, one
of sig says that a detector's windows are better where it is high and the market deep; both act from night 20 of a
budget year on. Every night the detector's windows of a day are tried in styles by the product's draw, and the product's
own functions score, judge and promote (`lotus.knobs.compositions`), until one is promoted or 60 days are over. The
rules of the trader's search are left out: with them the bar is never lower, so a rate shown here is the largest that
the slots can give. Inside both rules joining pays `join_bps` more than crossing and improving `improve_bps` more than
joining; in a world that dies nothing pays more than anything else from the tenth day after promotion on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from benchmarks.lessons.claims import Claim, total
from benchmarks.lessons.command import command
from benchmarks.lessons.evidence import FOLDER, ROOT, Study, best_rows
from benchmarks.lessons.worlds import Figures
from lotus.knobs.compositions import Boards, CompositionNight, Tonight, compositions, observed, rows_by_step
from lotus.knobs.nightly import knob_manifest
from lotus.knobs.rows import rows_of
from lotus.knobs.style_draw import STEPS
from lotus.knobs.style_trials import style_observations
from lotus.learning.lanes import Both
from lotus.learning.members import joint
from lotus.learning.rows import DetectorRows
from lotus.learning.slots import SlotState, allowance, nightly_look
from lotus.manifest import LearningDefaults, Manifest, WeaveDefaults
from lotus.priors.context import context_text
from lotus.priors.types import Knob, Literal, Patch, Rule, Scope
from lotus.priors.vocabulary import N_BINS
from lotus.timebase import DAY_MS, HOUR_MS, day_start_ms, next_day
from lotus.weave.braid import Braid, Quality
from lotus.weave.meta import MetaState, members

FIRST, SHARES, KEY, DETECTOR = "2026-01-05", (0.2, 0.05), "execution:entry_style", "d"
VOLATILE, DEEP = Rule.of(Literal(0, 3, 4)), Rule.of(Literal(0, 3, 4), Literal(5, 0, 2))
SHARED_BPS, OWN_BPS = 25.0, 6.0  # scales of the noise of a payoff, and of a difference of styles (Student, 3 and 4)
SOON, LIVED, AFTER = 20, 10, 60  # days until promotion; days alive after it; days in which a dead one should end
BACK, ON = "back", "on"


@dataclass(frozen=True, slots=True)
class Styles:
    """A world: what the styles pay more inside both rules, whether that dies, its size, and the learner's settings."""

    join_bps: float
    improve_bps: float
    true: str = ""
    dies: bool = False
    windows: int = 1_000
    first_night: int = 20
    draws: int = LearningDefaults().knob_draws
    weave: WeaveDefaults = field(default_factory=WeaveDefaults)

    @property
    def manifest(self) -> Manifest:
        """What the trader's night is set to."""
        learning = LearningDefaults(knob_draws=self.draws)
        return knob_manifest(replace(Manifest(), learning=learning, weave=self.weave))


def life(setting: Styles, seed: int) -> Figures:
    """Return whether a false composition was promoted, and the true one, on which day, and when a dead one ended."""
    manifest, day, night = setting.manifest, FIRST, CompositionNight()
    spent = _spent(setting, seed)
    slots, promoted = Both(spent, spent), dict[str, int]()
    alive = dead = 0  # nights in force before and after the death
    for number in range(setting.first_night + 1, setting.first_night + 1 + _longest(setting)):
        is_dead = alive >= LIVED
        today = trials(setting, seed, day, 0.0 if is_dead else 1.0)
        state = observed(night.state, today, day)
        slots, bars = _bars(state, slots, number, manifest.learning)
        at_ms = day_start_ms(next_day(day)) + 2 * HOUR_MS
        boards = Boards(night.braids, [OWN], [ONE])
        night = compositions(state, boards, Tonight(day, today, bars, KEYS, at_ms), manifest)
        day, dead = next_day(day), dead + is_dead
        acts = any(b.in_force for b in night.braids)
        if promoted and not acts:
            break
        alive += bool(promoted) and not is_dead
        promoted |= {_way(c.detector_id): c.days for c in night.candidates if c.verdict == "promoted" and not is_dead}
        if bool(promoted) != setting.dies and (promoted or not night.state.running):
            break
    acts = any(b.in_force for b in night.braids)
    return {
        "false": int(bool(promoted.keys() - {setting.true})),
        "found": int(setting.true in promoted),
        "soon": int(promoted.get(setting.true, SOON + 1) <= SOON),
        "days": promoted.get(setting.true, 0),
        "early": int(bool(promoted) and not acts and not dead),
        "gone": int(dead > 0 and not acts),
        "nights": 0 if acts else dead,
    }


def _longest(setting: Styles) -> int:
    return setting.weave.meta_max_days + 2 + (LIVED + AFTER if setting.dies else 0)


def _way(name: str) -> str:
    return BACK if name.startswith(STEPS[0][0] + "@") else ON


def _bars(
    state: MetaState, slots: Both[SlotState], number: int, learning: LearningDefaults
) -> tuple[Both[SlotState], Both[float]]:
    """Spend the slots of a night on the compositions alone; return what is left, and the bars."""
    candidates, none = members(state, learning), np.full(learning.draws, -np.inf)
    looks = []
    for lane in (0, 1):
        real, draws = joint(-np.inf, none, [(m.m[lane], m.draws[lane]) for m in candidates])
        looks.append(nightly_look(slots[lane], number, real, draws, learning.alpha))
    return Both(*(x.state for x in looks)), Both(*(x.critical for x in looks))


def trials(setting: Styles, seed: int, day: str, alive: float) -> dict[str, DetectorRows]:
    """Return the trials of a day by step, as the trader scores them."""
    rng = np.random.default_rng([seed, day_start_ms(day) // DAY_MS])
    n = setting.windows
    bins = np.stack([rng.integers(0, size, n) for size in N_BINS], axis=1)
    both = (bins[:, 0] >= 3) & (bins[:, 5] <= 2)
    cross = -9.0 + SHARED_BPS * rng.standard_t(3, n)
    noise = OWN_BPS * rng.standard_t(4, (2, n))
    gain = np.where(both, alive * setting.join_bps, 3.0 * (bins[:, 0] >= 3))
    more = np.where(both, alive * setting.improve_bps, 0.0)
    names = [f"{seed} {day} {i}" for i in range(n)]
    table = {
        "event_id": np.array(names, dtype=object),
        "asset": np.full(n, "BTC", dtype=object),
        "maturity_ms": day_start_ms(day) + np.sort(rng.integers(0, DAY_MS, n)),
        "horizon_s": np.full(n, 30, dtype=np.int32),
        "cross": cross,
        "join_low": cross + gain + noise[0],
        "improve_low": cross + gain + more + noise[1],
    }
    contexts = dict(zip(names, map(context_text, bins.tolist()), strict=True))
    scores = rows_of(style_observations(table, contexts, SHARES, Manifest().score.seed), day, {})
    return rows_by_step(scores, day, dict.fromkeys(names, DETECTOR))


def _spent(setting: Styles, seed: int) -> SlotState:
    """Return the slots as the nights before left them: spent on draws, which is all that a null family does."""
    used = allowance(setting.first_night, setting.draws, setting.manifest.learning.alpha)
    picked = np.random.default_rng([seed, 1]).choice(setting.draws, used, replace=False) + 1
    return SlotState(used, tuple(int(path) for path in picked))


def _parent(name: str, owner: str, rule: Rule, scope: Scope) -> Braid:
    patch = Patch(knobs=(Knob(KEY, 1.06),)) if scope == "tr" else Patch(-0.03, 1.02)
    return Braid(
        braid_id=name, branch="b", braid_type="micro", detector_id=owner, horizon_s=30, rule=rule, sign=1,
        lesson_id=name, grade="A", claim_bps=3.0, lcb_bps=1.0, ci95=(1.0, 5.0), support=500,
        quality=Quality(0.5, 0.0, 0.0, 0.1), target=patch, patch=patch, delta_wanted=0.4,
        delta_realised=(0.4, 0.4, 0.4), state="active", reason="accepted lesson", effective_from_ms=0,
        expires_at_ms=2**52, members_sample=(), scope=scope,
    )  # fmt: skip


OWN, ONE = _parent("t", STEPS[0][0], VOLATILE, "tr"), _parent("s", DETECTOR, DEEP, "sig")
KEYS = {owner: KEY for owner, _ in STEPS}


def lines(folder: Path = FOLDER) -> list[str]:
    """Return the days until promotion and until the end of what died, as Markdown lines; empty without rows."""
    out = []
    for name, study in STUDIES.items():
        rows = best_rows(study, folder)
        found = [int(row["days"]) for row in rows if row["found"] == "1"]
        ended = [int(row["nights"]) for row in rows if row["gone"] == "1"]
        if rows:
            out.append(f"| `{name}` | {len(rows)} | {_middle(found)} | {_middle(ended)} |")
    head = "| study | worlds | promoted, median / 90 % day out of sample | gone, median / 90 % night after its death |"
    return [head, "|---|---|---|---|", *out, ""] if out else []


def _middle(days: Sequence[int]) -> str:
    return f"{np.median(days):g} / {np.quantile(days, 0.9):g}" if days else ""


_HERE = (
    Path(__file__),
    *(ROOT / "lotus" / "knobs" / name for name in ("compositions.py", "rows.py", "style_trials.py", "style_draw.py")),
    ROOT / "lotus" / "weave" / "meta.py",
)
_WORLDS = {
    "composition-even": Styles(0.0, 0.0),
    "composition-same": Styles(3.0, 0.0),
    "composition-back": Styles(-3.0, 0.0, BACK),
    "composition-on": Styles(3.0, 3.0, ON),
    "composition-dies": Styles(-3.0, 0.0, BACK, dies=True),
}
STUDIES = {
    name: Study(
        name,
        world,
        life,
        _HERE,
        replace(world, join_bps=3.0 * world.join_bps, improve_bps=4.0 * world.improve_bps, windows=200, draws=1_700,
                weave=WeaveDefaults(meta_max_days=24)),
        3.0,
    )
    for name, world in _WORLDS.items()
}  # fmt: skip
CLAIMS = [
    Claim("composition-even", "a false composition over 60 days, all styles pay alike there", total("false"), 0.01),
    Claim("composition-same", "a false composition, joining pays there as elsewhere", total("false"), 0.01),
    Claim("composition-back", "found within 60 days: joining pays 3 bps less than crossing there", total("found")),
    Claim("composition-back", "found within 20 days", total("soon")),
    Claim("composition-back", "a false composition beside it", total("false"), 0.01),
    Claim("composition-on", "found within 60 days: improving pays 3 bps more than joining there", total("found")),
    Claim("composition-on", "found within 20 days", total("soon")),
    Claim("composition-on", "a false composition beside it", total("false"), 0.01),
    Claim("composition-dies", "reverted although it pays its claim, 10 days", total("early"), 0.05),
    Claim("composition-dies", "gone within 60 days after its death", total("gone")),
]  # fmt: skip

if __name__ == "__main__":
    raise SystemExit(command(STUDIES, CLAIMS, __doc__ or ""))
