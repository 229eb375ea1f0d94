"""What the product said on the recordings, as values and as the words of docs/evidence_recordings.md.

Nothing is run or computed from rows here; running is `recordings`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lotus.manifest import LearningDefaults


@dataclass(frozen=True, slots=True)
class Input:
    """One capture: its place under the folder of recordings, hash, lines and seconds from first to last."""

    name: str
    sha256: str
    lines: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Detector:
    """What one detector brought: windows scored, published, effective sample, overlap weight, net payoff in bps.

    `hours` is the span of its windows, `spread_bps` the deviation of sums over pieces as long as its decision horizon,
    per root of overlap weight: a lower bound of that of six-hour blocks, of which there is one.
    """

    name: str
    horizon_s: int
    windows: int
    published: int
    ess: float
    days: int
    blocks: int
    weight: float
    hours: float
    net_bps: float
    sd_bps: float
    spread_bps: float


@dataclass(frozen=True, slots=True)
class Branch:
    """What the product said on one branch: rows by stage, windows left out by gaps, the night, and its detectors."""

    name: str
    horizons_s: tuple[int, ...]
    rows: dict[str, int]
    by_gap: int
    accepted: int
    refused: tuple[str, ...]
    trials: int
    looked: bool
    detectors: tuple[Detector, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """The same scores with the gates on support opened: rules tried, evidence of the best, the bar, accepted.

    `as_good` is the share of the sign draws whose best rule is at least as good; `patterns` how many sign patterns the
    learning days can take up to a common sign, the inverse of the smallest share that could be reached. All of lane S;
    `rest_nats`: the best of lane F, -inf where no day has days before it; then no draw is asked.
    """

    rules: int
    best_nats: float
    bar_nats: float
    rest_nats: float
    as_good: float
    patterns: int
    accepted: int


@dataclass(frozen=True, slots=True)
class Detectable:
    """Minimum detectable effect, bps, of one detector after whole days of the recorded load, by number of literals."""

    name: str
    days: int
    bps: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Told:
    """Everything the page says."""

    inputs: tuple[Input, ...]
    left_out: Input
    branches: tuple[Branch, ...]
    opened: Opened
    detectable: tuple[Detectable, ...]
    fee_bps: float
    ran_on: str
    code: str


def page(told: Told) -> str:
    """Return the page as Markdown."""
    whole, short = told.branches[0], told.branches[-1]
    return "\n".join(
        [
            *_inputs(told),
            "## What the product says",
            "",
            *_branches(told.branches),
            "",
            *_verdict(whole, short),
            "",
            "## Which gates refuse, and by which number",
            "",
            *_gates(short.detectors, LearningDefaults()),
            "",
            *_opened(told.opened),
            "",
            "## How small an effect could be seen",
            "",
            *_detectable(told),
        ]
    )


def _inputs(told: Told) -> list[str]:
    rows = [f"| `{i.name}` | {i.lines:,} | {i.seconds / 60.0:.1f} | `{i.sha256[:16]}` |" for i in told.inputs]
    out = told.left_out
    return [
        "## Inputs",
        "",
        "| capture | lines | minutes | sha256 begins |",
        "|---|---|---|---|",
        *rows,
        "",
        f"Left out: `{out.name}` ({out.lines} lines, {out.seconds:.0f} s of one coin; no outcome of 30 s fits in it).",
        f"Run on {told.ran_on}, sources `{told.code}`.",
        "",
    ]


def _branches(branches: Sequence[Branch]) -> list[str]:
    lines = [
        "| settings | frames | windows scored by detectors | evaluated | left out, an outcome touches a gap or the end "
        "| scores kept | published | rules tried | lessons |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for b in branches:
        horizons = ", ".join(f"{h:,} s" for h in b.horizons_s)
        cells = [f"{b.rows[s]:,}" for s in ("microtape_frames", "signal_events", "signal_eval")]
        cells += [f"{b.by_gap:,}", f"{b.rows['payoff_scores']:,}", f"{sum(d.published for d in b.detectors):,}"]
        lines.append(f"| {b.name}: horizons {horizons} | {' | '.join(cells)} | {b.trials:,} | {b.accepted} |")
    return lines


def _verdict(whole: Branch, short: Branch) -> list[str]:
    lines = []
    if not whole.rows["payoff_scores"]:
        lines += ["As shipped, no window is scored: the longest horizon ends after the recordings do."]
    reasons = "; ".join((*short.reasons, *short.refused))
    lines += [f"With the short horizons the night says: {reasons}."] if reasons else []
    head = [
        "",
        "| detector | decides on | windows | published | effective sample | days | blocks | net payoff | deviation |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    rows = [
        f"| {d.name} | {d.horizon_s} s | {d.windows} | {d.published} | {d.ess:.1f} | {d.days} | {d.blocks} "
        f"| {d.net_bps:.1f} bps | {d.sd_bps:.1f} bps |"
        for d in short.detectors
    ]
    return [*lines, *head, *rows]


def _gates(detectors: Sequence[Detector], settings: LearningDefaults) -> list[str]:
    """Return what each gate asks beside the most that any detector as a whole has, hence any of its rules."""
    most = {
        "published windows": (settings.min_published, max((d.published for d in detectors), default=0)),
        "effective sample": (settings.min_ess, max((d.ess for d in detectors), default=0.0)),
        "six-hour blocks": (settings.min_blocks, max((d.blocks for d in detectors), default=0)),
        "days": (settings.min_days, max((d.days for d in detectors), default=0)),
        "effective days": (settings.min_n_eff_days, float(max((d.days for d in detectors), default=0))),
    }
    rows = [
        f"| {name} | ≥ {asked:g} | {had:.4g} | {'kept' if had >= asked else 'refuses every rule'} |"
        for name, (asked, had) in most.items()
    ]
    return ["| gate | asks | the most that a whole detector has | |", "|---|---|---|---|", *rows]


def _opened(found: Opened) -> list[str]:
    if math.isfinite(found.rest_nats):
        said = (
            f"and {found.as_good:.0%} of the sign draws are at least as good; lane F gives {found.rest_nats:.2f} nats"
        )
    else:
        said = "and lane F, which compares with earlier days, has none: it says nothing, and without it nothing passes"
    return [
        f"With these gates opened, {found.rules:,} rules are tried in the same look; in lane S the best has "
        f"{found.best_nats:.2f} nats against a bar of {found.bar_nats:.2f}, {said}: {found.accepted} lessons. Signs "
        "are drawn by day, and the days with scores take "
        f"{found.patterns} sign pattern{'s' if found.patterns != 1 else ''} up to a common sign; a share of 4 % needs "
        "6 days or more, whatever the market did.",
    ]


def _detectable(told: Told) -> list[str]:
    lines = ["| detector | days | 1 literal | 2 literals | 3 literals |", "|---|---|---|---|---|"]
    for one in told.detectable:
        days = str(one.days) if one.days else "as recorded"
        lines.append(f"| {one.name} | {days} | {' | '.join(f'{x:.1f} bps' for x in one.bps)} |")
    paid = [d.net_bps for d in told.branches[-1].detectors]
    return [
        *lines,
        "",
        "Minimum detectable effect at 80 % power of a rule that covers 12 % of the windows, after whole days of the "
        "load recorded. The deviation behind it is that of pieces as long as the decision horizon, for there is one "
        "six-hour block: longer dependence would make the effects larger, so these are the least that could be hoped "
        "for. As recorded there is no critical value; that of ten days stands there, and the gates refuse anyway.",
        "",
        f"For scale: a taker round trip costs {told.fee_bps:g} bps, and published probes here paid {min(paid):.1f} to "
        f"{max(paid):.1f} bps net on average, so a boost would have to lift a region by that much before it earns. "
        "Nothing passes, and nothing should: one day holds no second day to contradict it.",
    ]
