"""payoff_scores[day]: prequential scores of the windows that matured on the day, fixed for ever.

A window without a modelled payoff falls back on a table of its detector's executed payoffs over the days of the search
window before this one; such a day leans on their scores, every other day on nothing earlier.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from lotus.learning.payoff_scores import PAYOFF_SCORES, ScoredDay, baseline_tables, payoff_scores
from lotus.priors.vocabulary import BIN_COLUMNS
from lotus_assets.stages.chain import content_of
from lotus_assets.stages.context import CheckOutcome, Made, Stage, StageContext, Table
from lotus_assets.stages.history import Memory, commits_before, hashes
from lotus_assets.stages.lake_tables import Part, joint_hash, parts_hash
from lotus_assets.stages.lake_tables import Table as LakeTable
from lotus_assets.stages.schema_check import schema_check
from lotus_assets.stages.signal_eval import WITHOUT_PAPER, read_events, two_days
from lotus_store.ledger.day_commits import DayCommit, read_commit

PARTS = [Part(PAYOFF_SCORES)]
EVENT_COLUMNS = ("event_id", "pi", "u0", "published", "spec_version", *BIN_COLUMNS)
SOURCE_NOTES = {source: f"executed_{source}" for source in ("paper_live", "tape_sim", "venue")}
UNTOLD_DAYS = "executed_untold_days"
MAX_DROPPED_Z = 5.0  # once in 5,000 years of honest days
_scores = Memory(100)


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """The outcomes of the day and the events they belong to; earlier scores where one has no modelled payoff."""
    return {
        "signal_eval": content_of(ctx, ctx.branch, day, "signal_eval"),
        **two_days(ctx, ctx.branch, day, "signal_events"),
        **hashes(_earlier(ctx, day)),
    }


def present(ctx: StageContext, day: str) -> str:
    """Hash of the part that is in the lake."""
    return parts_hash(ctx, ctx.branch, day, PARTS)


def make(ctx: StageContext, day: str) -> Made:
    """Score the day's matured windows."""
    events = read_events(ctx, day, EVENT_COLUMNS)
    baseline = baseline_tables(read_scores(ctx, commit) for commit in _earlier(ctx, day))
    scored = payoff_scores(events, ctx.lake.read("signal_eval", ctx.branch, day), day, baseline)
    written = ctx.lake.write(PAYOFF_SCORES, ctx.branch, day, scored.columns)
    counts = Table(("windows", "number"), sorted(scored.counts.items()))
    joined = joint_hash(PARTS, [written.content_hash])
    checks = (schema_check(PAYOFF_SCORES, scored.columns), chance_check(scored))
    notes = {**scored.counts, "fallen_back": scored.fallen_back, **by_source(scored.columns["fill_source"].tolist())}
    return Made(written.rows, joined, checks, notes, counts)


def _earlier(ctx: StageContext, day: str) -> list[DayCommit]:
    """Return the scored days that the table of `day` is made of: none where every window has a modelled payoff."""
    matured = read_commit(ctx.sig, ctx.branch, day, "signal_eval")
    if matured is None or not matured.notes["notes"].get(WITHOUT_PAPER):
        return []
    return commits_before(ctx, PAYOFF_SCORES.name, day, ctx.manifest.learning.search_days)


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
    found = Counter(sources)
    return {note: found[source] for source, note in SOURCE_NOTES.items()}


def evidence_of(commits: Sequence[DayCommit]) -> dict[str, int]:
    """Return the same counts over scored days, and how many of these were scored before sources were noted."""
    told = [commit.notes["notes"] for commit in commits]
    counts = {note: sum(int(notes.get(note, 0)) for notes in told) for note in SOURCE_NOTES.values()}
    return {**counts, UNTOLD_DAYS: sum(SOURCE_NOTES["venue"] not in notes for notes in told)}


def read_scores(ctx: StageContext, commit: DayCommit) -> LakeTable:
    """Return the scores of a committed day, kept in memory under their hash; do not write into the arrays."""
    key = (str(ctx.settings.lake_root), ctx.branch, commit.day, commit.content_hash)
    return _scores.get(key, lambda: ctx.lake.read(PAYOFF_SCORES.name, ctx.branch, commit.day))


STAGE = Stage("payoff_scores", inputs, make, present)
