"""The simulated market in which nothing is planted, through the product's whole path: is any false lesson believed?

`python -m benchmarks.lessons.market --seeds 1-60 --workers 2`: tape, frames, windows, day tables, scores, outcomes at
5 minutes and at an hour, and one look over 40 days, for desks that follow the last five minutes, go against them, or
only buy. The price is a martingale; `trend`, `imb` and `flow` are the product's own features of it. Each desk is looked
at alone, which is a look more than the product would take.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.lessons.claims import Claim, total
from benchmarks.lessons.command import command
from benchmarks.lessons.evidence import Study
from benchmarks.lessons.worlds import ONE_LOOK, Figures, manifest_of
from lotus.detectors.daily.history import DayHistory, digest_day
from lotus.detectors.daily.make import day_tables
from lotus.detectors.scoring.scorer import score_windows
from lotus.detectors.spec import DetectorSpec, parse_spec
from lotus.detectors.windows.builder import build_windows
from lotus.experts.machine import annotate
from lotus.learning.night import learn_night
from lotus.learning.payoff_scores import Columns, payoff_scores
from lotus.manifest import Asset, Manifest
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.wire.decode import decode_lines
from lotus.outcomes.evaluate import mature
from lotus.priors.types import priors_0
from lotus.simulation.learning_world import with_strata
from lotus.simulation.spec import ETH, Rates, WorldSpec
from lotus.simulation.world import World

BRANCH = "market"
SIGNALS = {
    "momentum": "sign(trend) * min(1, abs(trend) / 2sigma)",
    "reversal": "-sign(trend) * min(1, abs(trend) / 2sigma)",
    "long-only": "min(1, abs(trend) / 2sigma)",
}
HORIZONS_S = {"5m": 300, "1h": 3_600}
RATES = Rates(block_ms=500, ctx_ms=5_000)  # a fifth of the usual blocks: the windows of 5 s see the same walk
_SPEC = """
detector_id: {name}
family: {name}
version: 1
idea: "Nothing is to be found here."
horizon: {horizon}s
band: 20s..160s
best_phase_deg: 0
signal: "{signal}"
"""


@dataclass(frozen=True, slots=True)
class Quiet:
    """A market without a lesson: its days and the hours of each."""

    days: int = 40
    session: tuple[str, str] = ("08:00", "12:00")


def desks() -> tuple[DetectorSpec, ...]:
    """Return the detectors: every way of taking a side at every horizon."""
    return tuple(
        parse_spec(_SPEC.format(name=f"{side.replace('-', '_')}_{label}", horizon=seconds, signal=signal), side)
        for side, signal in SIGNALS.items()
        for label, seconds in HORIZONS_S.items()
    )


def scored(quiet: Quiet, seed: int) -> dict[str, Columns]:
    """Return {day: PAYOFF_SCORES of all desks}, each day scored with the tables of the days before."""
    world = World(WorldSpec("null", seed, quiet.days, assets=(ETH,), sessions=(quiet.session,), rates=RATES))
    universe, detectors = tuple(Asset(a.name, a.sz_decimals) for a in world.spec.assets), desks()
    manifest = Manifest(universe=universe)
    manifest = replace(manifest, outcomes=replace(manifest.outcomes, horizons_s=tuple(HORIZONS_S.values())))
    history: list[DayHistory] = []
    scores: dict[str, Columns] = {}
    for index in range(quiet.days):
        day = world.spec.day(index)
        events, _ = decode_lines((text for _, text in world.day_pieces(index)), universe)
        frames = build_frames(events, manifest, universe)
        windows = build_windows(frames, annotate(frames), manifest, detectors)
        tables = day_tables(day, history, manifest, universe, detectors)
        signals = score_windows(windows, manifest, universe, tables, [priors_0(BRANCH)], BRANCH)
        evaluated = mature(signals, frames.quote_columns(), frames.gap_columns(), manifest, day)
        scores[day] = payoff_scores(signals, evaluated, day).columns
        history.append(digest_day(day, signals, evaluated, manifest, universe, detectors))
    return with_strata(scores)


def measure(quiet: Quiet, seed: int) -> Figures:
    """Return for each desk whether one look at it alone is fooled, what lane S says, and whether it is refused."""
    scores = scored(quiet, seed)
    out: Figures = {}
    for spec in desks():
        name = spec.detector_id
        alone = {
            day: {k: v[columns["detector_id"] == name] for k, v in columns.items()} for day, columns in scores.items()
        }
        night = learn_night(alone, manifest_of(ONE_LOOK))
        (audit,) = night.audits
        out |= {
            f"any_{name}": int(bool(night.lessons)),
            f"day_{name}": int(night.real_maximum.day > max(0.0, night.critical.day)),
            f"alarm_{name}": int(audit.alarm),
        }
    return out


STUDIES = {"market": Study("market", Quiet(), measure, (Path(__file__),), Quiet(6, ("08:00", "10:00")), 60.0)}
CLAIMS = [
    claim
    for spec in desks()
    for claim in (
        Claim("market", f"{spec.detector_id}: any false lesson", total(f"any_{spec.detector_id}"), 0.05),
        Claim("market", f"{spec.detector_id}: lane S alone", total(f"day_{spec.detector_id}")),
        Claim("market", f"{spec.detector_id}: blocked by an audit", total(f"alarm_{spec.detector_id}")),
    )
]

if __name__ == "__main__":
    raise SystemExit(command(STUDIES, CLAIMS, __doc__ or ""))
