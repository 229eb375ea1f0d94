"""What earned trust captures of what true lessons are worth, and what it does where none is true or one dies.

`python -m benchmarks.lessons.ablation --row trust-half --seeds 1-100`: worlds of `trust_loop`. `half`, `quarter`: two
planted rules of .5 and .25 sd; captured is the expected gain at equal alerts over that of an oracle that tilts the
planted rules by the highest cap from the first day, summed over worlds. `null`, `conf`: a year in which every lesson is
false. `false`: a false lesson, the best looking of forty days, put in force whatever the evidence says. `dies`,
`turns`: a lesson of daily signal to noise 3 ends or changes its sign half-way. In every `beside`-th seed the arms that
trust must beat go through the same world.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.lessons.claims import Claim, Counts, total
from benchmarks.lessons.drift import strength
from benchmarks.lessons.evidence import FOLDER, ROOT, Row, Study, best_rows
from benchmarks.lessons.trust_gains import gained, worth_of
from benchmarks.lessons.trust_loop import ARMS, Held, How, Planted, TrustLoop
from benchmarks.lessons.trust_parts import unpatched
from benchmarks.lessons.worlds import Figures, Truth
from benchmarks.lessons.year_loop import slice_of
from lotus.learning.lanes import Both
from lotus.manifest import LearningDefaults, WeaveDefaults
from lotus.simulation.learning_world import Market, Track, market, planted_rules, track

ALERTS = 147.0  # a detector and day of 1,080 windows: the budget of `ablation`
FORCED_NIGHT, FORCED_ARMS = 40, ("trust", "full", "thompson")
LESSONS = LearningDefaults(max_literals=2)
LEVELS = WeaveDefaults().trust_caps
DRAWS = 2_000  # of worlds, for the interval of a ratio of sums


@dataclass(frozen=True, slots=True)
class Trusting:
    """A world: kind, effect, detectors, and in which seeds the other arms run beside (0: in none)."""

    kind: str
    effect_bps: float = 0.0
    days: int = 100
    windows: int = 1_080
    detectors: int = 4
    herd: float = 0.7
    beside: int = 0
    learning: LearningDefaults = field(default_factory=lambda: LESSONS)


def world(year: Trusting, seed: int) -> tuple[Market, list[Track], Planted]:
    """Return market, detectors, and the lessons planted in the first."""
    place = market(seed, year.days, year.windows)
    planted = planted_rules(seed, place, year.effect_bps)[:2] if year.effect_bps else ()
    names = [f"d{k}" for k in range(year.detectors)]
    return place, [track(place, year.kind, n, planted if n == "d0" else (), year.herd) for n in names], planted


def loop_of(year: Trusting, place: Market, tracks: Sequence[Track], arm: str) -> TrustLoop:
    """Return the closed loop of an arm over its own copy of the detectors."""
    budget = ALERTS * year.detectors * year.windows / 1_080
    mine = [replace(one, **{name: getattr(one, name).copy() for name in WRITTEN}) for one in tracks]
    return TrustLoop(place, mine, replace(year.learning, alert_budget=budget), year.kind != "null", how=How(arm))


WRITTEN = ("u0", "mean", "modelled", "executed")  # what a loop writes into its detectors


def measure(year: Trusting, seed: int) -> Figures:
    """Return what an arm captured and which levels were earned, with the other arms beside in some seeds."""
    began = time.process_time()
    place, tracks, planted = world(year, seed)
    out: Figures = {}
    for arm in ARMS:
        names = (f"{arm}_late", f"{arm}_best_late", f"{arm}_all", f"{arm}_best_all")
        if arm != "trust" and not (year.beside and seed % year.beside == 0):
            out |= dict.fromkeys(names, "")
            continue
        loop = loop_of(year, place, tracks, arm)
        days = np.zeros((year.days, 3))
        for night in range(1, year.days + 1):
            loop.act(night - 1)
            days[night - 1] = gained(loop, night - 1, planted)
            loop.night(night)
        late, whole = days[year.days // 2 :].sum(axis=0), days.sum(axis=0)
        out |= {name: float(x) for name, x in zip(names, (*late[:2], *whole[:2]), strict=True)}
        if arm == "trust":
            out |= told(loop) | lost(days[:, 2])
    return out | {"cpu_s": round(time.process_time() - began, 2)}


def told(loop: TrustLoop) -> Figures:
    """Return how many lessons came into force, the highest level, and steps up and down."""
    lives = [*loop.held, *(held for _, _, held in loop.ends)]
    top = max((held.top for held in lives), default=0)
    ups = sum(step.level > step.before for _, step in loop.steps)
    causes = [cause for _, cause, _ in loop.ends]
    out: Figures = {"lessons": len(lives), "top": top, "raised": int(top > 0), "ups": ups}
    return out | {"downs": len(loop.steps) - ups, "reverted": causes.count("reverted")}


def lost(drawn: NDArray[np.float64]) -> Figures:
    """Return whether the payoffs as drawn, at equal alerts, lose or win beyond 95 %; days are the blocks."""
    error = float(drawn.std(ddof=1) * np.sqrt(len(drawn)))
    loses, wins = drawn.sum() < -1.96 * error, drawn.sum() > 1.96 * error
    return {"drawn_bps": float(drawn.sum()), "loses": int(loses), "wins": int(wins)}


def forced(year: Trusting, seed: int) -> Figures:
    """Return what became of one false lesson put in force without evidence, and what other arms lost with it.

    Sums run over the time to live that begins with it; the Thompson sampler picks its own rules.
    """
    began = time.process_time()
    place, tracks, _ = world(year, seed)
    out: Figures = {}
    for arm in FORCED_ARMS:
        loop = loop_of(year, place, tracks, arm)
        gains, loop.looking = np.zeros(year.days), arm == "thompson"
        for night in range(1, year.days + 1):
            loop.act(night - 1)
            gains[night - 1] = gained(loop, night - 1, ())[0]
            loop.night(night, search=False)
            if arm != "thompson" and night >= FORCED_NIGHT and not loop.held and not loop.ends:
                loop.take(night, loop.promote(night, Both(-np.inf, -np.inf))[:1], forced=True)
                loop.rebuild(night)
            if loop.ends:
                break
        out[f"{arm}_bps"] = float(gains[FORCED_NIGHT : FORCED_NIGHT + loop.how.weave.ttl_days].sum())
        if arm == "trust":
            out |= life(loop, night)
    return out | {"cpu_s": round(time.process_time() - began, 2)}


def life(loop: TrustLoop, night: int) -> Figures:
    """Return whether the forced lesson rose and after how many nights what took it away, if it was before `night`."""
    lives = [*loop.held, *(held for _, _, held in loop.ends)]
    out: Figures = {"lessons": len(lives), "top": max((x.top for x in lives), default=0)}
    out |= {f"level{k}": int(any(x.top >= k for x in lives)) for k in (1, 2)}
    out["nights"] = night - lives[0].of.night if loop.ends else 0
    return out | {"cause": loop.ends[0][1] if loop.ends else ""}


def ended(year: Trusting, seed: int) -> Figures:
    """Return how long a lesson in force outlives its truth; `effect_bps` is its daily signal to noise."""
    began = time.process_time()
    place = market(seed, year.days, year.windows)
    rule = planted_rules(seed, place, 1.0)[seed % 2][0]
    lesson = (rule, strength(place, rule, year.effect_bps)[0])
    one = track(place, "drift" if year.kind == "dies" else "plant", "d0", (lesson,))
    half = year.days // 2
    loop = loop_of(year, place, [turned(one, half * year.windows) if year.kind == "turns" else one], "trust")
    gains, levels, snr = np.zeros(year.days), np.zeros(year.days, np.int64), 0.0
    for night in range(1, year.days + 1):
        mine = [x for x in loop.held if loop.alike(0, x.rule, rule, max(night - 1, 1))]
        levels[night - 1] = max((x.trust.level + 1 for x in mine), default=0)
        loop.act(night - 1)
        gains[night - 1] = gained(loop, night - 1, ())[0]
        if night == half + 1:
            snr = max(
                (sum(x.trust.recent) / len(x.trust.recent) / x.trust.spread for x in mine if x.trust.level), default=0.0
            )
        loop.looking = night < half
        loop.night(night, search=night <= half)
    held = int(levels[half]) - 1
    gone = int(np.argmax(levels[half:] == 0)) if held >= 0 and (levels[half:] == 0).any() else 0
    lower = int(np.argmax(levels[half:] <= 1)) if held > 0 and (levels[half:] <= 1).any() else 0
    small = float(np.mean([worth_of(loop, day, ((rule, lesson[1]),), 0.5) for day in range(half - 10, half)]))
    out: Figures = {
        "effect_bps": lesson[1],
        "snr": snr,
        "level": held,
        "gone": gone,
        "lower": lower,
        "top": int(held == 3),
    }
    out |= {"loss_bps": float(-gains[half : half + gone].sum()) if gone else float(-gains[half:].sum())}
    out |= {"earned_in_ten_days_bps": 10.0 * small}
    return out | {"cpu_s": round(time.process_time() - began, 2)}


def living(year: Trusting, seed: int) -> Figures:
    """Return lives of a lesson that stays true and which of them were reverted, with levels up to 0, 1, 2 and 3.

    `true{k}` counts the lives that are worth their claim in the days that they were watched.
    """
    began = time.process_time()
    place = market(seed, year.days, year.windows)
    rule = planted_rules(seed, place, 1.0)[seed % 2][0]
    one = track(place, "plant", "d0", ((rule, strength(place, rule, year.effect_bps)[0]),))
    out: Figures = {}
    for top in range(len(LEVELS)):
        loop = loop_of(year, place, [one], "trust")
        loop.how = replace(loop.how, weave=replace(loop.how.weave, trust_caps=LEVELS[: top + 1]))
        for night in range(1, year.days + 1):
            loop.act(night - 1)
            loop.night(night)
        ends = {id(held): (night, cause) for night, cause, held in loop.ends}
        lives = [*loop.held, *(held for _, _, held in loop.ends)]
        mine = [x for x in lives if x.top == top and loop.alike(0, x.rule, rule, x.of.night)]
        told = [(ends.get(id(x), (year.days, "")), x) for x in mine]
        true = [cause for (night, cause), x in told if worth(loop, x, night) >= x.monitor.claim_bps]
        out |= {f"lives{top}": len(mine), f"reverted{top}": sum(cause == "reverted" for (_, cause), _ in told)}
        out |= {f"true{top}": len(true), f"true_reverted{top}": true.count("reverted")}
        out[f"nights{top}"] = sum(night - x.of.night for (night, _), x in told)
    return out | {"cpu_s": round(time.process_time() - began, 2)}


def worth(loop: TrustLoop, held: Held, night: int) -> float:
    """Return the expected uplift of a lesson's rule from its first night in force until `night`, as claims count it.

    That is at the propensities without braids, bps.
    """
    k, first = held.of.detector, held.of.night
    rows = loop.rows(k, first, night)
    rows = replace(rows, h=unpatched(rows.u0))
    seen = slice_of(loop.tracks[k], slice(0, loop.window(night - 1).stop))
    return held.of.lesson.sign * Truth(rows, seen, (), np.ones(len(rows.days))).uplift(held.rule)


def turned(one: Track, first: int) -> Track:
    """Return a detector whose planted effects change their sign from window `first` on."""
    change = np.where(np.arange(len(one.truth)) >= first, -2.0 * one.truth, 0.0)
    moved = {name: getattr(one, name) + change for name in ("mean", "truth", "modelled", "executed")}
    return replace(one, **moved)


def captured(rows: Sequence[Row], arm: str = "trust", part: str = "late") -> dict[str, float]:
    """Return the share of the oracle's gain over all worlds, with its 95 % interval over draws of worlds."""
    pairs = [(float(r[f"{arm}_{part}"]), float(r[f"{arm}_best_{part}"])) for r in rows if r[f"{arm}_{part}"] != ""]
    if not pairs:
        return {}
    gain, best = np.array(pairs).T
    pick = np.random.default_rng(0).integers(0, len(gain), (DRAWS, len(gain)))
    low, high = np.quantile(gain[pick].sum(axis=1) / best[pick].sum(axis=1), [0.025, 0.975])
    return {"share": float(gain.sum() / best.sum()), "low": float(low), "high": float(high), "worlds": len(gain)}


def figures(chosen: Mapping[str, Study], folder: Path = FOLDER) -> list[dict[str, object]]:
    """Return per study with planted rules what is captured in the second half of the days and in all, by arm."""
    out: list[dict[str, object]] = []
    for name, study in chosen.items():
        rows = best_rows(study, folder) if name in ("trust-half", "trust-quarter") else []
        if rows:
            beside = {arm: captured(rows, arm) for arm in ARMS[1:]}
            every = captured(rows, part="all")
            out.append({"study": name, "captured": captured(rows), "captured_all_days": every, "beside": beside})
    return out


def lines(folder: Path = FOLDER) -> list[str]:
    """Return the tables of shares captured and of lessons that end as Markdown lines; empty without rows."""
    out, ends, wrong = [], [], []
    for name, (year, do) in _WORLDS.items():
        rows = best_rows(STUDIES[name], folder)
        if rows and year.effect_bps and do is measure:
            cells = [_cell(captured(rows, part=part)) for part in ("late", "all")]
            cells += [_cell(captured(rows, arm)) for arm in ARMS[1:]]
            out.append(f"| `{name}` | {len(rows)} | {' | '.join(cells)} |")
        if do is ended and (held := [row for row in rows if row["level"] == "3"]):
            nights = [" / ".join(f"{x:g}" for x in _quantiles(held, column)) for column in ("lower", "gone")]
            nights.insert(
                0, " / ".join(f"{np.quantile([float(row['snr']) for row in held], q):.1f}" for q in (0.1, 0.5))
            )
            loss, ten = (float(np.median([float(r[c]) for r in held])) for c in ("loss_bps", "earned_in_ten_days_bps"))
            ends.append(f"| `{name}` | {len(rows)} | {len(held)} | {' | '.join(nights)} | {loss:.0f} | {ten:.0f} |")
        if rows and do is forced:
            put = [row for row in rows if row["lessons"] != "0"]
            early = sum(row["cause"] == "reverted" for row in put)
            cells = [_mean(put, f"{arm}_bps") for arm in FORCED_ARMS]
            wrong.append(
                f"| `{name}` | {len(put)} | {early} | {_quantiles(put, 'nights')[0]:g} | {' | '.join(cells)} |"
            )
    names = "study | worlds | captured, second half | captured, all days | fixed cap | full tilt at once | Thompson"
    head = [f"| {names} |", "|---" * 7 + "|", *out, ""] if out else []
    names = "study | worlds | at level 3 | daily signal to noise as the law reads it, 10 % / median"
    names += " | nights to level 0, median / 90 % | nights until gone | loss, bps | ten days of level 0 earn, bps"
    tail = [f"| {names} |", "|---" * 8 + "|", *ends, ""] if ends else []
    names = "study | false lessons in force | reverted | nights, median | gained by trust, bps in 30 days"
    last = [f"| {names} | full tilt at once | Thompson |", "|---" * 7 + "|", *wrong, ""] if wrong else []
    return [*head, *tail, *last]


def _quantiles(rows: Sequence[Row], column: str) -> tuple[float, float]:
    """Return median and 90 % quantile of nights, each a value that occurred; 0 in a row means never."""
    nights = [float(row[column]) or np.inf for row in rows]
    low, high = (float(np.quantile(nights, q, method="higher")) for q in (0.5, 0.9))
    return low, high


def _mean(rows: Sequence[Row], column: str) -> str:
    values = np.array([float(row[column]) for row in rows])
    mean, half = values.mean(), 1.96 * values.std(ddof=min(1, len(values) - 1)) / np.sqrt(len(values))
    return f"{mean:.0f} ({mean - half:.0f} to {mean + half:.0f})"


def _cell(share: Mapping[str, float]) -> str:
    if not share:
        return ""
    return f"{share['share']:.2f} ({share['low']:.2f} to {share['high']:.2f}; {share['worlds']:g})"


def _within(nights: int, column: str) -> Callable[[Sequence[Row]], Counts]:
    def counts(rows: Sequence[Row]) -> Counts:
        found = [int(row[column]) for row in rows if row["level"] == "3"]
        return sum(0 < night <= nights for night in found), len(found)

    return counts


def _loses(arm: str) -> Callable[[Sequence[Row]], Counts]:
    def counts(rows: Sequence[Row]) -> Counts:
        put = [row for row in rows if row["lessons"] != "0"]
        return sum(float(row[f"{arm}_bps"]) < 0.0 for row in put), len(put)

    return counts


def _cheap(rows: Sequence[Row]) -> Counts:
    held = [row for row in rows if row["level"] == "3"]
    return sum(float(row["loss_bps"]) <= float(row["earned_in_ten_days_bps"]) for row in held), len(held)


def _small(year: Trusting) -> Trusting:
    effect = 2.0 * year.effect_bps if year.kind in ("dies", "turns") else 4.0 * year.effect_bps
    return replace(year, days=min(year.days, 60), windows=432, detectors=min(year.detectors, 2), effect_bps=effect)


_HERE = (
    *(
        Path(__file__).with_name(name)
        for name in ("trust.py", "trust_gains.py", "trust_loop.py", "trust_parts.py", "equal_alerts.py", "year_loop.py")
    ),
    *(ROOT / "lotus" / "weave" / name for name in ("trust.py", "doubt.py", "tilt.py")),
)
_WORLDS: dict[str, tuple[Trusting, Callable[[Trusting, int], Figures]]] = {
    "trust-half": (Trusting("plant", 6.0, beside=5), measure),
    "trust-quarter": (Trusting("plant", 3.0, beside=5), measure),
    "trust-null": (Trusting("null", days=365), measure),
    "trust-conf": (Trusting("conf", days=365), measure),
    "trust-false": (
        Trusting("conf", days=80, detectors=1, learning=replace(LESSONS, min_evidence_nats=-100.0)),
        forced,
    ),
    "trust-dies": (Trusting("dies", 3.0, days=140, detectors=1), ended),
    "trust-turns": (Trusting("turns", 3.0, days=140, detectors=1), ended),
    "trust-alive": (Trusting("plant", 3.0, days=270, detectors=1), living),
}
STUDIES = {name: Study(name, year, do, _HERE, _small(year), 6.0) for name, (year, do) in _WORLDS.items()}
CLAIMS = [
    *(
        claim
        for name, words in (("null", "nothing is true"), ("conf", "confounded"))
        for claim in (
            Claim(f"trust-{name}", f"{words}: any lesson at level 1 or more in a year", total("raised"), 0.005),
            Claim(f"trust-{name}", f"{words}: loses beyond 95 %", total("loses"), 0.05),
        )
    ),
    Claim("trust-false", "a false lesson put in force reaches level 1", total("level1", "lessons"), 0.05),
    Claim("trust-false", "a false lesson put in force reaches level 2", total("level2", "lessons"), 0.005),
    Claim("trust-false", "full tilt at once loses by the false lesson: must fail", _loses("full"), 0.5, at_least=True),
    Claim("trust-dies", "dead at level 3: gone within 5 nights", _within(5, "gone"), 0.5, at_least=True),
    Claim("trust-dies", "dead at level 3: at level 0 or gone within 5 nights", _within(5, "lower")),
    Claim("trust-dies", "lost no more than ten days of level 0 earn", _cheap),
    Claim("trust-turns", "turned at level 3: gone within 3 nights", _within(3, "gone"), 0.5, at_least=True),
    Claim("trust-turns", "turned at level 3: at level 0 or gone within 3 nights", _within(3, "lower")),
    Claim("trust-turns", "lost no more than ten days of level 0 earn", _cheap),
    *(
        Claim(
            "trust-alive",
            f"alive, highest level {k}: reverted although worth the claim",
            total(f"true_reverted{k}", f"true{k}"),
            0.02,
        )
        for k in range(len(LEVELS))
    ),
]
