"""One night of learning over simulated days: exact search under the sign-flip bar, gates and audits.

Reference of the same run: the naive hit-rate table over the same rows, which tests nothing.
"""

from dataclasses import replace

from benchmarks.harness import Figure, Sizes, in_turn
from benchmarks.material import BRANCH, sessions
from lotus.detectors.daily.history import DayHistory, digest_day
from lotus.detectors.daily.make import day_tables
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring.scorer import score_windows
from lotus.detectors.windows.builder import build_windows
from lotus.experts.machine import annotate
from lotus.learning.naive import naive_table
from lotus.learning.night import learn_night
from lotus.learning.payoff_scores import Columns, payoff_scores
from lotus.manifest import Manifest
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.wire.decode import decode_lines
from lotus.outcomes.evaluate import mature
from lotus.priors.types import priors_0
from lotus.simulation.spec import WorldSpec
from lotus.simulation.world import World


def run(sizes: Sizes) -> list[Figure]:
    """Measure `learning.night_s`: CPU seconds of one night that looks."""
    manifest = demo_manifest()
    scores = scored_days(sizes.days, sizes.day_minutes, manifest)
    night, naive = in_turn(
        max(1, sizes.repeats // 2), lambda: learn_night(scores, manifest), lambda: naive_table(scores)
    )
    rows = sum(len(table["f"]) for table in scores.values())
    note = f"{sizes.days} days, {rows} rows, {manifest.learning.draws} sign-flip draws"
    return [Figure("learning.night_s", night.typical, "s", "naive hit-rate table", naive.typical, night.worst, note)]


def demo_manifest() -> Manifest:
    """Return the defaults with the demo's horizons and its one look at the end."""
    plain = Manifest()
    outcomes = replace(plain.outcomes, horizons_s=(30, 300, 900))
    return replace(plain, outcomes=outcomes, learning=replace(plain.learning, looks="final"))


def scored_days(days: int, minutes: int, manifest: Manifest) -> dict[str, Columns]:
    """Return PAYOFF_SCORES of days of the demo world, each scored with the tables of the days before."""
    world = World(WorldSpec("demo", 7, days, sessions=sessions(minutes, 8, 14)))
    universe, detectors = manifest.universe, shipped_detectors()
    history: list[DayHistory] = []
    scores: dict[str, Columns] = {}
    for index in range(days):
        day = world.spec.day(index)
        events, _ = decode_lines((text for _, text in world.day_pieces(index)), universe)
        frames = build_frames(events, manifest, universe)
        windows = build_windows(frames, annotate(frames), manifest, detectors)
        tables = day_tables(day, history, manifest, universe, detectors)
        signals = score_windows(windows, manifest, universe, tables, [priors_0(BRANCH)], BRANCH)
        evaluated = mature(signals, frames.quote_columns(), frames.gap_columns(), manifest, day)
        scores[day] = payoff_scores(signals, evaluated, day).columns
        history.append(digest_day(day, signals, evaluated, manifest, universe, detectors))
    return scores
