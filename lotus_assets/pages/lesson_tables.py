"""Lessons and beliefs as tables for people: the page of `lessons` in Dagster and `lotus lessons` show the same ones."""

from collections.abc import Sequence

from lotus.learning.lanes import NAMES
from lotus.learning.lesson import Lesson
from lotus.priors.asset_context import describe_with
from lotus.priors.trace import describe_braid
from lotus.priors.vocabulary import DEFAULT, Vocabulary
from lotus.timebase import day_of
from lotus.weave.braid import Braid
from lotus_assets.stages.context import TextTable
from lotus_store.facts.lessons import signed_bound
from lotus_store.facts.words import NEVER_MS


def belief_table(registry: Sequence[Braid], words: Vocabulary = DEFAULT) -> TextTable:
    """Return braids, one a row: where they act, what they claim and from when to when; `words` name coins."""
    head = (
        "detector", "rule", "claim, bps", "95 %, bps", "grade", "level", "in force from", "until", "e-value against it",
    )  # fmt: skip
    rows = [
        (
            b.detector_id,
            describe_braid(b.active(), words),
            f"{b.claim_bps:+.2f}",
            f"{b.ci95[0]:+.2f} to {b.ci95[1]:+.2f}",
            b.grade,
            b.level,
            day_of(b.effective_from_ms),
            day_of(b.expires_at_ms) if b.expires_at_ms < NEVER_MS else "permanently",
            b.e_value,
        )
        for b in registry
    ]
    return TextTable(head, rows)


def lesson_table(lessons: Sequence[Lesson], words: Vocabulary = DEFAULT) -> TextTable:
    """Return lessons, accepted or not, one a row: effect, evidence, both lanes, decision; `words` name coins."""
    rows = [
        (
            x.detector_id,
            describe_with(x.rule, words),
            x.grade,
            x.state,
            x.uplift_bps,
            signed_bound(x),
            x.m_nats,
            "; ".join(
                f"{name} {lane.uplift_bps:+.2f} bps, {lane.m_nats:.2f} nats"
                for name, lane in zip(NAMES, x.lanes, strict=False)
            ),
            x.reason or "accepted",
        )
        for x in lessons
    ]
    head = ("detector", "rule", "grade", "state", "uplift, bps", "bound, bps", "evidence, nats", "both lanes",
            "decision")  # fmt: skip
    return TextTable(head, rows)
