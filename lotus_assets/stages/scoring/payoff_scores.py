"""payoff_scores[day]: prequential scores of the windows that matured on the day, fixed permanently.

The strata of its detectors (where the hats of the propensity stand, what was paid at each) are those of the 20 learning
days before, of which only histograms are read; the day leaves its own beside its scores.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from lotus.errors import SchemaError
from lotus.learning.payoff_scores import PAYOFF_SCORES, ScoredDay, payoff_scores
from lotus.learning.strata import HISTORY_DAYS
from lotus.learning.strata_table import (
    PAYOFF_STRATA,
    Histograms,
    histograms_in,
    histograms_of,
    pasts_of_days,
    strata_rows,
)
from lotus.priors.vocabulary import BIN_COLUMNS
from lotus_assets.stages.chain import content_of
from lotus_assets.stages.context import CheckOutcome, Made, Stage, StageContext, TextTable
from lotus_assets.stages.history import commits_before, hashes
from lotus_assets.stages.lake_tables import LakeTable, TablePart, joint_hash, present_of
from lotus_assets.stages.schema_check import schema_check, together
from lotus_assets.stages.scoring.signal_eval import read_maturing, read_outcomes, two_days
from lotus_assets.stages.shared_columns import as_read
from lotus_resources.recent_values import RecentKind
from lotus_store.ledger.day_commits import DayCommit

PARTS = [TablePart(PAYOFF_SCORES), TablePart(PAYOFF_STRATA)]
EVENT_COLUMNS = ("event_id", "pi", "u0", "published", "spec_version", *BIN_COLUMNS)
SOURCE_NOTES = {source: f"executed_{source}" for source in ("paper_live", "tape_sim", "venue")}
UNTOLD_DAYS = "executed_untold_days"
MAX_DROPPED_Z = 5.0  # once in 5,000 years of honest days
_SCORES, _HISTOGRAMS = RecentKind("scores", 100), RecentKind("strata", 64)


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """The outcomes of the day and the events they belong to, and the scored days that its strata are made of."""
    return {
        "signal_eval": content_of(ctx, ctx.branch, day, "signal_eval"),
        **two_days(ctx, ctx.branch, day, "signal_events"),
        **hashes(_earlier(ctx, day)),
    }


def make(ctx: StageContext, day: str) -> Made:
    """Score the day's matured windows."""
    events = read_maturing(ctx, day, EVENT_COLUMNS)
    pasts = pasts_of_days(_read_histograms(ctx, commit) for commit in _earlier(ctx, day))
    scored = payoff_scores(events, read_outcomes(ctx, day), day, pasts)
    written = ctx.lake.write(PAYOFF_SCORES, ctx.branch, day, scored.columns)
    strata = strata_rows(histograms_of(scored.columns))
    beside = ctx.lake.write(PAYOFF_STRATA, ctx.branch, day, strata)
    counts = TextTable(("windows", "number"), sorted(scored.counts.items()))
    joined = joint_hash(PARTS, [written.content_hash, beside.content_hash])
    ctx.recent.put(_SCORES, (ctx.branch, day, joined), as_read(PAYOFF_SCORES, scored.columns))
    checks = (
        together("schema", schema_check(PAYOFF_SCORES, scored.columns), schema_check(PAYOFF_STRATA, strata)),
        chance_check(scored),
    )
    notes = {**scored.counts, "fallen_back": scored.fallen_back, **by_source(scored.columns["fill_source"].tolist())}
    return Made(written.rows, joined, checks, notes, counts)


def _earlier(ctx: StageContext, day: str) -> list[DayCommit]:
    return commits_before(ctx, PAYOFF_SCORES.name, day, HISTORY_DAYS)


def _read_histograms(ctx: StageContext, commit: DayCommit) -> Histograms:
    if not ctx.lake.exists(PAYOFF_STRATA.name, ctx.branch, commit.day):
        raise _of_an_earlier_version(ctx, commit.day)
    key = (ctx.branch, commit.day, commit.content_hash)
    return ctx.recent.get(
        _HISTOGRAMS, key, lambda: histograms_in(ctx.lake.read(PAYOFF_STRATA.name, ctx.branch, commit.day))
    )


def _of_an_earlier_version(ctx: StageContext, day: str) -> SchemaError:
    return SchemaError(
        f"the scores of {day} on branch {ctx.branch} have no strata of the propensity",
        "scores of this version",
        f"they were made before lessons had two lanes: make the days since the first again (lotus backfill, from {day} "
        "or earlier)",
    )


def chance_check(scored: ScoredDay) -> CheckOutcome:
    """No window was published without a chance to be, and what the tape dropped does not depend on publication."""
    impossible = scored.counts["no_chance_published"]
    text = f"{impossible} windows published at p = 0; publications among dropped windows: z {scored.dropped_z:.1f}"
    numbers = {"no_chance_published": impossible, "dropped_z": scored.dropped_z}
    return CheckOutcome("chance", impossible == 0 and abs(scored.dropped_z) <= MAX_DROPPED_Z, text, numbers)


def by_source(sources: Sequence[str]) -> dict[str, int]:
    """Return how many windows have an executed payoff from each source, under the names of the day's notes.

    >>> by_source(["venue", "", "tape_sim", "venue"])
    {'executed_paper_live': 0, 'executed_tape_sim': 1, 'executed_venue': 2}
    """
    counts = Counter(sources)
    return {note: counts[source] for source, note in SOURCE_NOTES.items()}


def evidence_of(commits: Sequence[DayCommit]) -> dict[str, int]:
    """Return the same counts over scored days, and how many of these were scored before sources were noted."""
    day_notes = [commit.notes["notes"] for commit in commits]
    counts = {note: sum(int(notes.get(note, 0)) for notes in day_notes) for note in SOURCE_NOTES.values()}
    return {**counts, UNTOLD_DAYS: sum(SOURCE_NOTES["venue"] not in notes for notes in day_notes)}


def read_scores(ctx: StageContext, commit: DayCommit) -> LakeTable:
    """Return the scores of a committed day, kept in memory under their hash; do not write into the arrays."""
    key = (ctx.branch, commit.day, commit.content_hash)
    scores = ctx.recent.get(_SCORES, key, lambda: ctx.lake.read(PAYOFF_SCORES.name, ctx.branch, commit.day))
    if "stratum" not in scores:
        raise _of_an_earlier_version(ctx, commit.day)
    return scores


STAGE = Stage("payoff_scores", inputs, make, present_of(PARTS))
