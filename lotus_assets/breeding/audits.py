"""A candidate under the audits of detectors, on the newest day: does it know the future, does it break?

It is scored alone, without history and under no braid: nothing was taught about it yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lotus.detectors.audits.sample import AUDITED
from lotus.detectors.audits.table import Columns, audit_day, card_audits
from lotus.detectors.daily.make import day_tables
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.scoring.scorer import Scorer
from lotus.detectors.spec import DetectorSpec
from lotus.detectors.windows.builder import build_windows
from lotus.experts.machine import annotate
from lotus.microtape.frames.batch import FrameBatch
from lotus.priors.types import priors_0
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.day_frames import day_frames
from lotus_assets.stages.experts.expert_set import experts_of


@dataclass(frozen=True, slots=True)
class CandidateAudits:
    """What the audits found: how many looked, which failed, and each in words."""

    looked: int
    failed: tuple[str, ...]
    words: tuple[str, ...]


def audited(ctx: StageContext, day: str, spec: DetectorSpec) -> CandidateAudits:
    """Return what the audits of a day say of a candidate; nothing looked where the day is too short."""
    detectors, priors, experts = (spec,), [priors_0(ctx.branch)], experts_of(ctx, day)
    tables = day_tables(day, [], ctx.manifest, ctx.manifest.universe, detectors)

    def score(frames: FrameBatch, under: Sequence[DayTables]) -> list[Columns]:
        windows = build_windows(frames, annotate(frames, experts), ctx.manifest, detectors)
        scorers = [
            Scorer(
                manifest=ctx.manifest, universe=ctx.manifest.universe, detectors=detectors, tables=one, priors=priors,
                branch=ctx.branch,
            )
            for one in under
        ]  # fmt: skip
        return [scorer.feed_all(windows, wanted=AUDITED) for scorer in scorers]

    rows = audit_day(day_frames(ctx, day), tables, score, detectors, ctx.manifest.score.seed, day)
    found = card_audits(rows)
    return CandidateAudits(
        len(found), tuple(a.name for a in found if not a.passed), tuple(f"{a.name}: {a.text}" for a in found)
    )
