"""A planted lesson dies in a home with real ledgers: its patch comes in force by message, and goes from the versions.

The stages are those that the assets run, from scores to priors in force; what stands before them, tape to scores, is
written by the simulated log, drawn under the versions that the ledger says are in force.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest

from benchmarks.lessons.drift import strength
from benchmarks.lessons.pipeline import propensities, theta1
from benchmarks.lessons.year_loop import part_of, slice_of
from lotus.columns import TableSpec
from lotus.detectors.scoring.signal_spec import SIGNAL_EVENTS
from lotus.hashing import natural_id
from lotus.learning.payoff_scores import PAYOFF_SCORES, Columns
from lotus.learning.strata_table import Histograms, histograms_of
from lotus.manifest import LearningDefaults, Manifest, OutcomeDefaults
from lotus.outcomes.signal_eval import signal_eval_spec
from lotus.priors.types import Rule
from lotus.priors.vocabulary import BIN_COLUMNS
from lotus.simulation.learning_world import Market, Track, market, planted_rules, scores_of, track
from lotus_assets.bodies import stage_context
from lotus_assets.stages.context import Made, Stage, StageContext
from lotus_assets.stages.learning import active_priors, braids, dr_crosscheck, lessons, meta_braids
from lotus_assets.stages.runner import run_stage
from lotus_resources.lotus_resource import Lotus
from lotus_store.config import Settings
from lotus_store.ledger.beliefs.braids import read_history
from lotus_store.ledger.beliefs.priors import in_force_on, swaps, versions

DAYS, DEATH, NIGHTS, DETECTOR = 30, 15, 22, "imbalance_persistence"  # of the world; the last day that it is true
MANIFEST = Manifest(
    learning=LearningDefaults(max_literals=1, draws=100, alpha=0.2, pooled_alpha=0.0),
    outcomes=OutcomeDefaults(horizons_s=(300,)),
)
NIGHT = (lessons.STAGE, dr_crosscheck.STAGE, braids.STAGE, meta_braids.STAGE, active_priors.STAGE)


@dataclass(frozen=True)
class Days:
    """The days of a tape that nobody needs to read."""

    names: tuple[str, ...]

    def days(self) -> tuple[str, ...]:
        return self.names

    def has(self, day: str) -> bool:
        return day in self.names


@pytest.fixture
def ctx(settings: Settings) -> Iterator[StageContext]:
    """A stage context of an empty home."""
    lotus = Lotus.open(replace(settings, manifest=MANIFEST))
    with stage_context(lotus) as context:
        yield context
    lotus.close()


def filled(spec: TableSpec, columns: Columns, extra: Columns) -> Columns:
    """Return all columns of a table: those given, and blanks."""
    n, known = len(columns["event_id"]), {**columns, **extra}
    blank = {c.name: np.zeros(n, dtype=spec.numpy_dtype(c.name)) for c in spec.columns}
    for column in spec.columns:
        if column.dtype == "text":
            blank[column.name] = np.full(n, "", dtype=object)
    return {name: np.asarray(known.get(name, values)) for name, values in blank.items()}


def written(ctx: StageContext, name: str, spec: TableSpec, columns: Columns) -> Stage:
    """Return a stage that writes these rows in the place of the product's."""

    def make(ctx: StageContext, day: str) -> Made:
        kept = ctx.lake.write(spec, ctx.branch, day, columns)
        return Made(kept.rows, kept.content_hash)

    return Stage(name, lambda ctx, day: {}, make)


def publish(ctx: StageContext, place: Market, one: Track, index: int, before: list[Histograms]) -> None:
    """Write one day's events, outcomes and scores, drawn under the versions in force."""
    part, at = part_of(place, index, index + 1), slice(index * place.windows, (index + 1) * place.windows)
    day, mine = part.days[0], slice_of(one, at)
    p = propensities(mine, day, in_force_on(ctx.sig, ctx.branch, day), MANIFEST)
    scores = scores_of(part, mine, p, before=before)[day]
    before.append(histograms_of(scores))
    bins = np.column_stack([scores[name] for name in BIN_COLUMNS])
    temperature = np.full(len(p), MANIFEST.score.temperature)
    events = filled(SIGNAL_EVENTS, scores, {"theta1": theta1(bins), "temperature": temperature, "pi": p})
    outcomes = signal_eval_spec(MANIFEST.outcomes.horizons_s)
    for name, spec, columns in (
        ("signal_events", SIGNAL_EVENTS, events),
        ("signal_eval", outcomes, filled(outcomes, scores, {})),
        ("payoff_scores", PAYOFF_SCORES, scores),
    ):
        run_stage(ctx, written(ctx, name, spec, columns), day)
    run_stage(ctx, Stage("lesson_atoms", lambda ctx, day: {}, lambda ctx, day: Made(0, natural_id(day))), day)


@pytest.mark.evidence("thirty nights of a world")
def test_the_patch_of_a_dead_lesson_leaves_the_versions_in_force(ctx: StageContext) -> None:
    place = market(1, DAYS, 432)
    rule: Rule = planted_rules(1, place, 1.0)[0][0]
    effect, _ = strength(place, rule, 12.0)
    one = track(place, "drift", DETECTOR, ((rule, effect),))
    ctx = replace(ctx, tape=Days(place.days))  # type: ignore[arg-type]
    acting, before = [], list[Histograms]()
    for index, day in enumerate(place.days[:NIGHTS]):
        publish(ctx, place, one, index, before)
        for stage in NIGHT:
            result = run_stage(ctx, stage, day)
            assert not result.failed_checks, result.failed_checks
        acting.append([b for b in versions(ctx.sig, ctx.branch)[-1][0].braids if b.rule == rule])
    held = [night for night, found in enumerate(acting, start=1) if found]
    assert held, "the planted lesson was never in force"
    assert held[0] < DEATH <= held[-1] <= DEATH + 10
    assert held == list(range(held[0], held[-1] + 1)), "it came back"
    (braid,) = {b.braid_id for found in acting for b in found}
    assert [h["new_state"] for h in read_history(ctx.sig, braid)][-2:] == ["sunset", "archived"]
    last = in_force_on(ctx.sig, ctx.branch, place.days[NIGHTS])[-1]
    assert all(b.rule != rule for b in last.braids)
    assert len(swaps(ctx.sig, ctx.branch)) == NIGHTS
    told = ctx.sig.execute("SELECT envelope FROM sig_inbox WHERE intent = 'WATCHDOG_ALERT'").fetchall()
    assert sum('"kind":"reverted"' in str(row[0]).replace(" ", "") for row in told) == 1
