"""How much sooner an experiment finds a true rule where little is published, and what becomes of a false proposal.

`python -m benchmarks.lessons.experiments --row experiment-true --seeds 1-20`: a world of one detector in which a rule's
windows are hardly published. On night 20 the rule is proposed; the product takes it up, sizes it, watches it and ends
it (`lotus.weave.taken_up`, `watchdog`), and the closed loop of `trust_loop` looks for lessons every night. The same
world goes on without the experiment beside it, on the same draws. `true`: the rule pays .5 sd more. `false`: it pays
what every window pays, confounded as in `conf`, and the proposal claims .5 sd. Nothing is judged here but counts.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import numpy as np

from benchmarks.lessons.claims import Claim, Counts, total
from benchmarks.lessons.command import command
from benchmarks.lessons.evidence import FOLDER, ROOT, Row, Study, best_rows
from benchmarks.lessons.trust_loop import Everywhere, TrustLoop
from benchmarks.lessons.worlds import Figures
from benchmarks.lessons.year_loop import LIMIT, Believed, edge_bps
from lotus.learning.lesson import Lesson
from lotus.learning.pooled import REASON
from lotus.manifest import LearningDefaults, Manifest, WeaveDefaults
from lotus.priors.types import EXPLORATION, Rule
from lotus.simulation.learning_world import Track, market, planted_rules, track
from lotus.timebase import day_start_ms, next_day
from lotus.weave.braid import Braid
from lotus.weave.experiment import Experiment
from lotus.weave.taken_up import experiments
from lotus.weave.watchdog import Evidence, watch_over

MANIFEST = replace(Manifest(), weave=WeaveDefaults(swap_hour_utc=0))  # days of the world are days of the swap
CLAIM_BPS = 6.0  # half a deviation


@dataclass(frozen=True, slots=True)
class Scarce:
    """A world: its kind, the rule's effect, the logits its windows stand lower, and the night of the proposal."""

    kind: str
    effect_bps: float = 0.0
    days: int = 90
    windows: int = 432
    lower: float = 6.0
    proposed: int = 20
    learning: LearningDefaults = field(default_factory=lambda: LearningDefaults(max_literals=2))


def measure(scarce: Scarce, seed: int) -> Figures:
    """Return the nights on which the rule was found without and with an experiment (0: never), and what that drew."""
    began = time.process_time()
    place = market(seed, scarce.days, scarce.windows)
    rule, bps = planted_rules(seed, place, scarce.effect_bps or 1.0)[seed % 2]
    one = track(place, scarce.kind, "d0", ((rule, bps),) if scarce.effect_bps else ())
    sign = 1 if bps > 0.0 else -1
    out: Figures = {"literals": len(rule.literals), "sign": sign}
    for arm in ("without", "with"):
        loop = TrustLoop(place, [lowered(one, rule, scarce.lower)], scarce.learning, True)
        found, board = nights(loop, scarce, (rule, sign), arm == "with")
        out[arm] = found
        if arm == "with":
            out |= told(board, len(place.forward))
    return out | {"cpu_s": round(time.process_time() - began, 2)}


def lowered(one: Track, rule: Rule, logits: float) -> Track:
    """Return a detector that hardly publishes inside a rule; the edge follows the logit as elsewhere."""
    inside = np.all([(one.bins[:, x.feature] >= x.low) & (one.bins[:, x.feature] <= x.high) for x in rule.literals], 0)
    u0 = np.clip(one.u0 - logits * inside, -LIMIT, LIMIT)
    change = edge_bps(u0) - edge_bps(one.u0)
    return replace(one, u0=u0, **{name: getattr(one, name) + change for name in ("mean", "modelled", "executed")})


def nights(loop: TrustLoop, scarce: Scarce, rule: tuple[Rule, int], with_experiment: bool) -> tuple[int, list[Braid]]:
    """Let a world run; return the night on which the rule was found, 0 for never, and the board."""
    board: list[Braid] = []
    for night in range(1, scarce.days + 1):
        publish(loop, night - 1, board)
        fresh = [one.lesson for one in loop._found(night)]
        mine = [x for x in fresh if x.sign == rule[1] and loop.alike(0, x.rule, rule[0], night)]
        if with_experiment and night >= scarce.proposed:
            asked = [proposal(*rule, loop.place.days[night - 1])] if night == scarce.proposed else []
            board = after(board, loop, night, mine, asked)
        if mine:
            return night, board
    return 0, board


def publish(loop: TrustLoop, day: int, board: Sequence[Braid]) -> None:
    """Draw a day with the floor that the experiment of the board has in force."""
    u0 = loop.logits(day)[0]
    p = 1.0 / (1.0 + np.exp(-u0))
    for braid in (b for b in board if b.in_force):
        floor = MANIFEST.score.epsilon * braid.patch.knob(EXPLORATION)
        p = np.where(loop.mask(0, braid.rule, day), np.clip(p, floor, 1.0 - floor), p)
    tilt = np.log(p / (1.0 - p)) - u0
    loop.active = [Believed(0, day, cast(float, tilt), cast(Lesson, Everywhere()))]
    loop.publish(day)
    loop.active = []


def after(
    board: Sequence[Braid], loop: TrustLoop, night: int, accepted: Sequence[Lesson], asked: Sequence[Lesson]
) -> list[Braid]:
    """Return the board after a night of the product's watchdog and experiments."""
    day = loop.place.days[night - 1]
    window = {"d0": loop.rows(0, max(0, night - loop.settings.search_days), night)} if asked or accepted else {}
    evidence = Evidence(day, {"d0": loop.rows(0, night - 1, night)}, window)
    now_ms = day_start_ms(next_day(day))
    watched, _ = watch_over(board, evidence, now_ms, MANIFEST.weave)
    return experiments(watched, "main", (accepted, asked), evidence, now_ms, MANIFEST)[0]


def proposal(rule: Rule, sign: int, night: str) -> Lesson:
    """Return a proposal of grade C that claims half a deviation, and half of that at the least."""
    claim = sign * CLAIM_BPS
    return Lesson(
        lesson_id="", branch="main", night=night, detector_id="d0", horizon_s=300, rule=rule, sign=sign,
        uplift_bps=claim, se_bps=1.0, ci95=(claim - 2.0, claim + 2.0), lcb_bps=CLAIM_BPS / 2.0, claim_bps=claim,
        net_mean_bps=claim, net_low_bps=claim, net_high_bps=claim, sigma_y_bps=12.0, m_nats=5.0, t_stat=4.0,
        recent_t=3.0, critical=4.0, n_windows=0, n_published=0, ess=0.0, n_days=20, n_blocks=20, n_eff_days=20.0,
        coverage=0.1, fill_share=1.0, trials=0, grade="C", state="MODEL_ONLY", reason=REASON,
    ).named()  # fmt: skip


def told(board: Sequence[Braid], windows: int) -> Figures:
    """Return how the experiment ended and what it drew, of all `windows` of the world."""
    state = board[0].experiment if board else None
    state = state or Experiment(0.0, 1.0, 0.0, False, found="not taken up")
    out: Figures = {"found": state.found or "runs", "slow": int(state.slow), "nights": state.days, "rise": state.rise}
    out |= {"drawn": state.drawn, "drawn_share": state.drawn / windows, "most_share": state.most_share}
    return out | {"promoted": int(state.found == "promoted"), "refuted": int(state.found == "refuted")}


def lines(folder: Path = FOLDER) -> list[str]:
    """Return the table of what was found when and at what cost as Markdown lines; empty without rows."""
    out = []
    for name, study in STUDIES.items():
        rows = best_rows(study, folder)
        if rows:
            cells = [_nights(rows, arm) for arm in ("without", "with")]
            ends = [sum(row["found"] == end for row in rows) for end in ENDS]
            drawn = np.median([float(row["drawn"]) for row in rows])
            most = max(float(row["most_share"]) for row in rows)
            counts = " / ".join(map(str, ends))
            out.append(f"| `{name}` | {len(rows)} | {' | '.join(cells)} | {counts} | {drawn:.0f} | {most:.2%} |")
    names = "study | worlds | found without: worlds, median night | with | " + " / ".join(ENDS)
    head = f"| {names} | drawn more, median | most of a day |"
    return [head, "|---" * 7 + "|", *out, ""] if out else []


ENDS = ("promoted", "refuted", "ran out", "runs", "not taken up")


def _nights(rows: Sequence[Row], arm: str) -> str:
    found = sum(int(row[arm]) > 0 for row in rows)
    middle = float(np.median([int(row[arm]) or np.inf for row in rows]))
    return f"{found}, {middle:g}" if middle < np.inf else f"{found}, never"


def _sooner(rows: Sequence[Row]) -> Counts:
    pairs = [tuple(int(row[arm]) or 10**6 for arm in ("without", "with")) for row in rows]
    differ = [(a, b) for a, b in pairs if a != b]
    return sum(b < a for a, b in differ), len(differ)


_HERE = (
    *(Path(__file__).with_name(name) for name in ("experiments.py", "trust_loop.py", "year_loop.py")),
    *(ROOT / "lotus" / "weave" / name for name in ("experiment.py", "taken_up.py")),
)
_WORLDS = {"experiment-true": Scarce("plant", CLAIM_BPS), "experiment-false": Scarce("conf")}
STUDIES = {
    name: Study(
        name,
        world,
        measure,
        _HERE,
        replace(world, days=24, windows=216, proposed=10, effect_bps=4.0 * world.effect_bps),
        40.0,
    )
    for name, world in _WORLDS.items()
}
CLAIMS = [
    Claim("experiment-true", "of worlds in which it makes a difference, the rule is found sooner", _sooner, 0.9, True),
    Claim("experiment-true", "a true rule is refuted", total("refuted"), 0.05),
    Claim("experiment-false", "a false proposal is promoted", total("promoted"), 0.05),
    Claim("experiment-false", "a false proposal is refuted before its time", total("refuted")),
]

if __name__ == "__main__":
    raise SystemExit(command(STUDIES, CLAIMS, __doc__ or ""))
